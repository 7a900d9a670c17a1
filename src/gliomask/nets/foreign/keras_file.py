"""Keras files as layers and a graph: the three layouts that Keras 2 and 3 write, and ``.keras``.

    conv2d_17/conv2d_17/kernel:0                Keras 2, ``save_weights``; root attribute
                                                ``layer_names``
    model_weights/conv2d_17/conv2d_17/kernel    ``save`` to ``.h5`` of both; ``model_config``
    layers/conv2d_17/vars/0                     Keras 3, ``.weights.h5``; the number is the place
                                                among its kind, the name an attribute of ``vars``
    config.json, model.weights.h5               Keras 3, ``.keras``: the last and the graph, zipped

No model is built and nothing is executed: data sets of HDF5 and one JSON text are all that is read.
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from gliomask.errors import ModelError
from gliomask.nets.foreign.hdf5 import (
    attribute,
    data_sets,
    names_attribute,
    opened_hdf5,
    read_values,
)
from gliomask.nets.foreign.keras_graph import MAX_CONFIG_BYTES
from gliomask.nets.foreign.layers import Layer, Role, Stored, number_of

Layout = Literal[
    "Keras 2 weights", "Keras model in HDF5", "Keras 3 weights", "Keras 3 model (.keras)"
]
_ROLES: Final[Mapping[str, Role]] = {
    "kernel": "kernel",
    "bias": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "moving_mean": "mean",
    "moving_variance": "variance",
}
_BY_PLACE: Final[Mapping[int, tuple[str, ...]]] = {
    4: ("kernel", "bias"),
    1: ("gamma", "beta", "moving_mean", "moving_variance"),
}
"""What ``vars/0``, ``vars/1`` ... are, by the number of axes of the first."""
_MOST_UNPACKED: Final = 4
"""Times the size of the zip: weights hardly get smaller."""
_NOT_THE_MODEL: Final = ("optimizer", "optimizer_weights", "metrics", "_metrics")


@dataclass(frozen=True)
class KerasFile:
    """Content of an open Keras file.

    Attributes:
        layout: layout of the file.
        layers: layers with weights.
        listed: the names of all layers in the model's own order, where the file has them.
        created: whether generated names count the layers in the order in which they were made;
            else they count them in the model's own order.
        config: the model's configuration as JSON, where the file has it.
    """

    layout: Layout
    layers: tuple[Layer, ...]
    listed: tuple[str, ...]
    config: bytes | None
    created: bool = True


@contextmanager
def opened_keras(path: Path) -> Iterator[KerasFile]:
    """A Keras file, open for the reading of its layers' numbers.

    Raises:
        ModelError: damaged, or no Keras file.
        MachineError: h5py is not installed.
    """
    if zipfile.is_zipfile(path):
        config, weights = _unzipped(path, path.stat().st_size)
        with opened_hdf5(path, weights) as root:
            yield KerasFile("Keras 3 model (.keras)", _by_place(root, path), (), config)
        return
    with opened_hdf5(path) as root:
        yield _read(root, path)


def _read(root: Any, path: Path) -> KerasFile:
    if "model_weights" in root:
        group, config = root["model_weights"], attribute(root, "model_config", MAX_CONFIG_BYTES)
        listed = names_attribute(group, "layer_names")
        return KerasFile("Keras model in HDF5", _by_name(group, path), listed, config)
    if listed := names_attribute(root, "layer_names"):
        return KerasFile("Keras 2 weights", _by_name(root, path), listed, None)
    if layers := _by_place(root, path):
        # Before the name was kept, all that there is is the place among layers of the class.
        created = any(layer.name != layer.path.rpartition("/")[2] for layer in layers)
        return KerasFile("Keras 3 weights", layers, (), None, created)
    raise ModelError(
        "an HDF5 file, but not weights of Keras",
        path=path,
        field="groups",
        found=", ".join(list(root)[:5]) or "none",
        allowed="model_weights, layers, or layer groups with the attribute layer_names",
    )


def _by_name(group: Any, path: Path) -> tuple[Layer, ...]:
    """Layers of the layouts that name each array: ``.../conv2d_17/kernel:0``."""
    grouped: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, data_set in data_sets(group, path):
        parent, _, last = name.rpartition("/")
        grouped[parent][last.removesuffix(":0")] = data_set
    return tuple(
        _layer(parent, parent.rpartition("/")[2], arrays, path)
        for parent, arrays in grouped.items()
    )


def _by_place(root: Any, path: Path) -> tuple[Layer, ...]:
    """Layers of Keras 3, whose arrays have numbers: ``.../vars/0``."""
    grouped: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, data_set in data_sets(root, path):
        parent, _, last = name.rpartition("/vars/")
        if parent and parent.partition("/")[0] not in _NOT_THE_MODEL and last.isdecimal():
            grouped[parent][last] = data_set
    return tuple(_numbered(root, parent, arrays, path) for parent, arrays in grouped.items())


def _numbered(root: Any, parent: str, arrays: Mapping[str, Any], path: Path) -> Layer:
    ordered = [arrays[key] for key in sorted(arrays, key=int)]
    names = _BY_PLACE.get(ordered[0].ndim, ())
    if len(ordered) != len(names) and (ordered[0].ndim != 4 or len(ordered) > 1):
        names = tuple(arrays)  # numbers, which name no role: a layer of another kind
    own = attribute(root[f"{parent}/vars"], "name", 200)
    name = own.decode(errors="replace") if own else parent.rpartition("/")[2]
    return _layer(parent, name, dict(zip(names, ordered, strict=False)), path)


def _layer(parent: str, name: str, arrays: Mapping[str, Any], path: Path) -> Layer:
    shapes = tuple(tuple(map(int, array.shape)) for array in arrays.values())
    entries = {_ROLES[key]: _stored(array, path) for key, array in arrays.items() if key in _ROLES}
    return Layer(parent, name, entries, shapes)


def _stored(array: Any, path: Path) -> Stored:
    """A kernel is (rows, columns, in, out) in Keras."""
    shape = tuple(map(int, array.shape))
    if len(shape) != 4:
        return Stored(shape, partial(read_values, array, path))
    rows, columns, ins, outs = shape
    return Stored(
        (outs, ins, rows, columns), lambda: read_values(array, path).transpose(3, 2, 0, 1)
    )


def _unzipped(path: Path, size: int) -> tuple[bytes, bytes]:
    """The configuration and the weights of a ``.keras`` file, as large as they may be at most."""
    try:
        with zipfile.ZipFile(path) as archive:
            return (
                _member(archive, "config.json", MAX_CONFIG_BYTES),
                _member(archive, "model.weights.h5", _MOST_UNPACKED * size),
            )
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, NotImplementedError, EOFError):
        raise ModelError(
            "a zip file, but not a readable Keras model",
            path=path,
            allowed="config.json and model.weights.h5 in it",
        ) from None


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise ValueError(name)
    return data


def in_layer_order(layers: Sequence[Layer], listed: Sequence[str]) -> tuple[Layer, ...] | None:
    """Layers of one kind in the order in which the program made or lists them; None if unknown.

    Generated names count: ``conv2d`` is before ``conv2d_1`` before ``conv2d_10``. Other names have
    the order in which the file lists them, if it does.
    """
    numbers = [number_of(layer.name) for layer in layers]
    if len({base for base, _ in numbers}) == 1 and len(set(numbers)) == len(numbers):
        return tuple(
            layer for _, layer in sorted(zip(numbers, layers, strict=True), key=lambda p: p[0])
        )
    places = {name: k for k, name in enumerate(listed)}
    if all(layer.name in places for layer in layers):
        return tuple(sorted(layers, key=lambda layer: places[layer.name]))
    return None
