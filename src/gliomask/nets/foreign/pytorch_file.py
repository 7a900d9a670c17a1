"""The weights of a U²-Net in a PyTorch file with the names of the authors' code."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from torch import Tensor

from gliomask.errors import ModelError
from gliomask.nets.arrays import read_weights
from gliomask.nets.authors import read_state
from gliomask.nets.foreign.layers import Layer, Role, Stored
from gliomask.nets.foreign.matching import Match
from gliomask.nets.foreign.network_kind import NetworkKind, find_kind
from gliomask.nets.foreign.weights import ForeignWeights, arrays_of

_EPSILON: Final = 1e-5
_PARALLEL: Final = "module."
"""What ``DataParallel`` puts before every name."""
_CONVOLUTION: Final[dict[str, Role]] = {"weight": "kernel", "bias": "bias"}
_NORM: Final[dict[str, Role]] = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "mean",
    "running_var": "variance",
}


def read_pytorch(path: Path) -> ForeignWeights:
    """The weights of a ``.pth`` or ``.safetensors`` file under our names, which are its own.

    Raises:
        ModelError: no such file, damaged, more than plain tensors in it, or not a U²-Net.
    """
    state = _plain_names(read_state(path, read_weights(path)))
    layers = {layer.name: layer for layer in _layers(state)}
    kind = find_kind(path, tuple(layers.values()))
    return ForeignWeights(
        arrays=arrays_of(path, layers, _match(path, layers, kind), kind, _EPSILON),
        kind=kind,
        epsilon=_EPSILON,
        size=None,
        layout="PyTorch" if path.suffix != ".safetensors" else "safetensors",
        evidence="verified with the layer names of the authors' code",
        proved=True,
    )


def _plain_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    if all(name.startswith(_PARALLEL) for name in state):
        return {name.removeprefix(_PARALLEL): value for name, value in state.items()}
    return state


def _layers(state: dict[str, Tensor]) -> list[Layer]:
    grouped: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        parent, _, last = name.rpartition(".")
        grouped.setdefault(parent, {})[last] = value
    return [_layer(name, tensors) for name, tensors in grouped.items()]


def _layer(name: str, tensors: dict[str, Tensor]) -> Layer:
    roles = _NORM if "running_mean" in tensors else _CONVOLUTION
    shapes = tuple(tuple(value.shape) for value in tensors.values())
    entries = {
        roles[key]: Stored(tuple(value.shape), partial(_values, value))
        for key, value in tensors.items()
        if key in roles
    }
    return Layer(name, name, entries, shapes)


def _values(value: Tensor) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = value.float().numpy()
    return values


def _match(path: Path, layers: dict[str, Layer], kind: NetworkKind) -> Match:
    units = list(kind.kernels)
    body = [name for name in units if name.startswith("stage")]
    between = {name: name.replace(".conv_s1", ".bn_s1") for name in body}
    if lost := [name for name in (*units, *between.values()) if name not in layers]:
        raise ModelError(
            f"lacks {len(lost)} of the layers of {kind.spec.name} under the authors' names",
            path=path,
            field="layer",
            found=next((n for n in layers if n not in (*units, *between.values())), "none"),
            allowed=lost[0],
        )
    return Match({name: name for name in units}, between, {}, None)
