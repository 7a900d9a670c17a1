"""Foreign weights with our names: result of all readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gliomask.errors import ModelError
from gliomask.nets.arrays import Arrays, not_finite
from gliomask.nets.foreign.layers import FloatArray, Layer, Role, times
from gliomask.nets.foreign.matching import Match
from gliomask.nets.foreign.network_kind import NetworkKind

_NORM: Mapping[Role, str] = {
    "gamma": "weight",
    "beta": "bias",
    "mean": "running_mean",
    "variance": "running_var",
}


@dataclass(frozen=True, eq=False)
class ForeignWeights:
    """The weights of a foreign file.

    Attributes:
        arrays: under the names of our state dict, all of them.
        kind: the network and its numbers of channels and regions.
        epsilon: of its batch norms.
        size: side of its input in pixels, if the file contains it.
        layout: description of the file format.
        evidence: description of the match of its layers.
        proved: whether the match is verified with the file, rather than assumed by convention.
    """

    arrays: Arrays
    kind: NetworkKind
    epsilon: float
    size: int | None
    layout: str
    evidence: str
    proved: bool


def arrays_of(
    path: Path, layers: Mapping[str, Layer], match: Match, kind: NetworkKind, epsilon: float
) -> Arrays:
    """The numbers of matched layers, every shape compared before it is read.

    Args:
        path: of the file, for the error.
        layers: by the names or paths that ``match`` uses.
        match: unit -> layers.
        kind: the network.
        epsilon: with which a unit without a batch norm is given one that changes nothing.

    Raises:
        ModelError: an array of another shape, or one with NaN or infinity.
    """
    arrays: Arrays = {}
    for unit, kernel in kind.kernels.items():
        layer, width = layers[match.convolutions[unit]], kernel[:1]
        weight = _read(path, layer, "kernel", kernel)
        if unit in match.inputs:
            weight = weight[:, list(match.inputs[unit])]
        arrays[f"{unit}.weight"] = np.ascontiguousarray(weight)
        arrays[f"{unit}.bias"] = _read(path, layer, "bias", width, absent=0.0)
        if not unit.startswith("stage"):
            continue
        norm, norm_layer = unit.replace(".conv_s1", ".bn_s1"), match.norms.get(unit)
        absent: dict[Role, float] = {"gamma": 1.0, "beta": 0.0}
        if norm_layer is None:
            arrays |= _neutral(norm, width[0], epsilon)
            continue
        for role, name in _NORM.items():
            values = _read(path, layers[norm_layer], role, width, absent.get(role))
            arrays[f"{norm}.{name}"] = values
        arrays[f"{norm}.num_batches_tracked"] = np.array(0, np.int64)
    _check_finite(path, arrays.items())
    return arrays


def _neutral(norm: str, width: int, epsilon: float) -> Arrays:
    """A batch norm that changes nothing, for a unit whose own was folded into its convolution."""
    variance = np.full(width, 1 - epsilon, np.float32)
    values = (np.ones(width, np.float32), np.zeros(width, np.float32))
    return {
        f"{norm}.weight": values[0],
        f"{norm}.bias": values[1],
        f"{norm}.running_mean": values[1].copy(),
        f"{norm}.running_var": variance,
        f"{norm}.num_batches_tracked": np.array(0, np.int64),
    }


def _read(
    path: Path, layer: Layer, role: Role, shape: tuple[int, ...], absent: float | None = None
) -> FloatArray:
    stored = layer.entries.get(role)
    if stored is None and absent is not None:
        return np.full(shape, absent, np.float32)
    if stored is None or stored.shape != shape:
        raise ModelError(
            f"the {role} of a layer does not fit",
            path=path,
            field=layer.path,
            found="none" if stored is None else times(stored.shape),
            allowed=times(shape),
        )
    return stored.values()


def _check_finite(path: Path, arrays: Iterable[tuple[str, FloatArray]]) -> None:
    for name, array in arrays:
        if not np.isfinite(array).all():
            raise not_finite(path, name)
