"""The weights of a U²-Net in a PyTorch file with the names of the authors' code.

A ``.safetensors`` file is read without PyTorch. A ``.pth`` file is a pickle: only PyTorch's
restricted reader opens it, and without PyTorch the file is refused.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors

from gliomask.core.extras import load_extra
from gliomask.errors import ModelError
from gliomask.nets.arrays import Arrays, read_weights
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
        PackageError: PyTorch, which reads a ``.pth`` file, is not installed.
    """
    named = _of_safetensors(path) if path.suffix.lower() == ".safetensors" else _of_pickle(path)
    state = _plain_names(named)
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


def _of_safetensors(path: Path) -> Arrays:
    try:
        return parse_safetensors(read_weights(path))
    except SafetensorError as problem:
        raise ModelError(f"not a safetensors file: {problem}", path=path) from None
    except (KeyError, TypeError, AttributeError):
        what = "its tensors are of a type that can't be read; save them as float32"
        raise ModelError(what, path=path) from None


def _of_pickle(path: Path) -> Arrays:
    load_extra("torch")
    from gliomask.nets.authors import read_state

    state = read_state(path, read_weights(path))
    return {name: value.float().numpy() for name, value in state.items()}


def _plain_names(state: Arrays) -> Arrays:
    if all(name.startswith(_PARALLEL) for name in state):
        return {name.removeprefix(_PARALLEL): value for name, value in state.items()}
    return state


def _layers(state: Arrays) -> list[Layer]:
    grouped: dict[str, Arrays] = {}
    for name, value in state.items():
        parent, _, last = name.rpartition(".")
        grouped.setdefault(parent, {})[last] = value
    return [_layer(name, arrays) for name, arrays in grouped.items()]


def _layer(name: str, arrays: Arrays) -> Layer:
    roles = _NORM if "running_mean" in arrays else _CONVOLUTION
    shapes = tuple(array.shape for array in arrays.values())
    entries = {
        roles[key]: Stored(array.shape, partial(np.asarray, array, np.float32))
        for key, array in arrays.items()
        if key in roles
    }
    return Layer(name, name, entries, shapes)


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
