"""Weights files as Keras 2 writes them (``save_weights``), made with h5py alone.

The names are those of published files of Keras 2.2 with TensorFlow: a group for each layer, in it
a group of the same name, and ``kernel:0`` and so on in that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from tests.nets.foreign.nets import Numbers

_NORM = (
    ("weight", "gamma"),
    ("bias", "beta"),
    ("running_mean", "moving_mean"),
    ("running_var", "moving_variance"),
)
Layers = dict[str, dict[str, Numbers]]


def layers(
    arrays: Mapping[str, Numbers], sides: Sequence[int] = (1, 2, 3, 4, 5, 6), first: int = 0
) -> Layers:
    """Layers by generated names: made in the order of the authors' code, heads in that of sides.

    Args:
        arrays: of a network, by the names of its state dict.
        sides: order of the side outputs.
        first: number of the first layer; a second model of a session goes on counting.
    """
    body = [name.removesuffix(".weight") for name in arrays if name.endswith("conv_s1.weight")]
    made: Layers = {}
    for number, unit in enumerate([*body, *(f"side{k}" for k in sides), "outconv"], start=first):
        kernel = arrays[f"{unit}.weight"].transpose(2, 3, 1, 0)
        made[_numbered("conv2d", number)] = {"kernel": kernel, "bias": arrays[f"{unit}.bias"]}
        norm = unit.replace("conv_s1", "bn_s1")
        if unit in body:
            of = {keras: arrays[f"{norm}.{ours}"] for ours, keras in _NORM}
            made[_numbered("batch_normalization", number)] = of
    return made


def write(path: Path, content: Layers) -> Path:
    """Writes a file of weights."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in content]
        file.attrs["keras_version"] = b"2.8.0"
        for name, arrays in content.items():
            inner = file.create_group(name).create_group(name)
            for key, values in arrays.items():
                inner.create_dataset(f"{key}:0", data=np.ascontiguousarray(values))
    return path


def _numbered(base: str, number: int) -> str:
    return f"{base}_{number}" if number else base
