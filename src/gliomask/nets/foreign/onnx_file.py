"""The weights of a U²-Net in an ONNX file, such as rembg's ``u2net.onnx`` and ``u2netp.onnx``.

The graph is in the file, so which initialiser belongs to which unit is proved from it, whatever the
exporter called them: exporters fold batch norms into convolutions and rename what they fold.
Nothing is run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from gliomask.errors import ModelError
from gliomask.nets.arrays import read_weights
from gliomask.nets.foreign.layers import Layer, Role, Stored
from gliomask.nets.foreign.matching import match_graph
from gliomask.nets.foreign.network_kind import find_kind
from gliomask.nets.foreign.topology import (
    ADD,
    BILINEAR,
    CONCATENATE,
    CONVOLUTION,
    IDENTITY,
    INPUT,
    NORM,
    POOL,
    RELU,
    RESIZE,
    SIGMOID,
    Operation,
    convolution_detail,
)
from gliomask.nets.foreign.weights import ForeignWeights, arrays_of

_EPSILON: Final = 1e-5
"""Of ONNX's BatchNormalization, as of PyTorch's."""
_SIZES: Final[Mapping[int, int]] = {
    TensorProto.FLOAT: 4,
    TensorProto.FLOAT16: 2,
    TensorProto.DOUBLE: 8,
}
_HALF_PIXEL: Final = ("half_pixel", "pytorch_half_pixel")
Attributes = dict[str, Any]


def read_onnx(path: Path) -> ForeignWeights:
    """The weights of an ONNX file under our names.

    Batch norms that were folded into their convolutions become batch norms that change nothing.

    Raises:
        ModelError: no such file, damaged, not a U²-Net, or weights outside the file.
    """
    graph = _parsed(path)
    reader = _GraphReader(path, _constants(graph))
    reader.read(graph)
    kind = find_kind(path, reader.layers)
    match = match_graph(path, reader.operations, kind)
    epsilon = match.epsilon or _EPSILON
    layers = {layer.name: layer for layer in reader.layers}
    return ForeignWeights(
        arrays=arrays_of(path, layers, match, kind, epsilon),
        kind=kind,
        epsilon=epsilon,
        size=_size(graph, reader.constants),
        layout="ONNX",
        evidence="verified with the graph in the file",
        proved=True,
    )


def _parsed(path: Path) -> onnx.GraphProto:
    data = read_weights(path)
    try:
        return onnx.load_model_from_string(data).graph
    except Exception:
        # protobuf has other errors, which onnx does not convert.
        raise ModelError("not an ONNX file, or damaged", path=path) from None


def _constants(graph: onnx.GraphProto) -> dict[str, TensorProto]:
    """Initialisers and the values of constant nodes, by name."""
    constants = {constant.name: constant for constant in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and len(node.output) == 1:
            values = [a.t for a in node.attribute if a.name == "value"]
            constants |= dict(zip(node.output, values, strict=False))
    return constants


@dataclass
class _GraphReader:
    """Operations and layers of a graph; what only computes sizes is left aside."""

    path: Path
    constants: Mapping[str, TensorProto]
    operations: list[Operation] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    _aside: set[str] = field(default_factory=set)

    def read(self, graph: onnx.GraphProto) -> None:
        """Reads every node in the file's order, which ONNX demands to be topological."""
        for value in graph.input:
            if value.name not in self.constants:
                self.operations.append(Operation(INPUT, value.name, (), value.name))
        for place, node in enumerate(graph.node):
            source = node.input[0] if node.input else ""
            aside = source in self.constants or source in self._aside or not source
            if aside or node.op_type in ("Shape", "Constant") or not node.output:
                self._aside.update(node.output)
            else:
                self._node(node, node.name or f"{node.op_type} {place}")

    def _node(self, node: onnx.NodeProto, name: str) -> None:
        attributes: Attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        kind, detail = node.op_type, ""
        inputs: Sequence[str] = node.input[:1]
        if node.op_type in ("Concat", "Add"):
            inputs = node.input
        if (reader := _READERS.get(node.op_type)) is not None:
            kind, detail = reader(attributes)
        if node.op_type == "Conv":
            detail = self._convolution(node, name, attributes)
        epsilon = self._norm(node, name, attributes) if kind == NORM else None
        self.operations.append(
            Operation(kind, name, tuple(inputs), node.output[0], detail, epsilon)
        )

    def _convolution(self, node: onnx.NodeProto, name: str, attributes: Attributes) -> str:
        roles: tuple[Role, ...] = ("kernel", "bias")
        layer = self._layer(node, name, roles)
        self.layers.append(layer)
        side = layer.kernel[-1] if layer.is_convolution else 0
        dilation = attributes.get("dilations", [1, 1])[0]
        pads = {tuple(attributes.get("pads", [0] * 4)), (dilation * (side // 2),) * 4}
        square = len(set(layer.kernel[2:])) == 1 if layer.is_convolution else False
        plain = all(
            set(attributes.get(key, [1])) == {value}
            for key, value in (("strides", 1), ("dilations", dilation))
        )
        if square and plain and len(pads) == 1 and attributes.get("group", 1) == 1:
            return convolution_detail(side, dilation)
        return ", ".join(f"{key} {value}" for key, value in attributes.items())

    def _norm(self, node: onnx.NodeProto, name: str, attributes: Attributes) -> float:
        roles: tuple[Role, ...] = ("gamma", "beta", "mean", "variance")
        self.layers.append(self._layer(node, name, roles))
        # It is kept in single precision: 1e-3 comes back as 0.0010000000474974513.
        return float(f"{attributes.get('epsilon', _EPSILON):.7g}")

    def _layer(self, node: onnx.NodeProto, name: str, roles: tuple[Role, ...]) -> Layer:
        entries: dict[Role, Stored] = {}
        for role, source in zip(roles, node.input[1:], strict=False):
            if source in self.constants:
                tensor = self.constants[source]
                entries[role] = Stored(tuple(tensor.dims), partial(_values, self.path, tensor))
        return Layer(name, name, entries, tuple(array.shape for array in entries.values()))


def _values(path: Path, tensor: TensorProto) -> npt.NDArray[np.float32]:
    """The numbers of a tensor that lie in this file, as many as it declares."""
    declared = math.prod(tensor.dims)
    size = _SIZES.get(tensor.data_type)
    outside = tensor.data_location == TensorProto.EXTERNAL
    count = len(tensor.raw_data) // (size or 1) if tensor.raw_data else len(tensor.float_data)
    if outside or size is None or count != declared:
        raise ModelError(
            "an initialiser whose numbers are not all in this file as floats",
            path=path,
            field=tensor.name,
            found="outside this file" if outside else f"{count} of {declared} values",
        )
    values: npt.NDArray[np.float32] = numpy_helper.to_array(tensor).astype(np.float32)
    return values


def _pool(attributes: Attributes) -> tuple[str, str]:
    plain = attributes.get("kernel_shape") == [2, 2] and attributes.get("strides") == [2, 2]
    if plain and not any(attributes.get("pads", ())):
        return POOL, ""
    return POOL, ", ".join(f"{key} {value}" for key, value in attributes.items())


def _resize(attributes: Attributes) -> tuple[str, str]:
    mode = attributes.get("mode", b"nearest").decode(errors="replace")
    pixels = attributes.get("coordinate_transformation_mode", b"half_pixel").decode(
        errors="replace"
    )
    if mode == "linear" and pixels in _HALF_PIXEL:
        return RESIZE, BILINEAR
    return RESIZE, f"{mode}, {pixels}"


def _concatenate(attributes: Attributes) -> tuple[str, str]:
    axis = attributes.get("axis")
    return CONCATENATE, "" if axis in (1, -3) else f"over axis {axis}"


def _constant(kind: str) -> Callable[[Attributes], tuple[str, str]]:
    return lambda _: (kind, "")


_READERS: Final[Mapping[str, Callable[[Attributes], tuple[str, str]]]] = {
    "Conv": _constant(CONVOLUTION),
    "BatchNormalization": _constant(NORM),
    "Relu": _constant(RELU),
    "Sigmoid": _constant(SIGMOID),
    "MaxPool": _pool,
    "Resize": _resize,
    "Concat": _concatenate,
    "Add": _constant(ADD),
    "Identity": _constant(IDENTITY),
    "Dropout": _constant(IDENTITY),
}
"""What a node computes, from its attributes: (kind, detail)."""


def _size(graph: onnx.GraphProto, constants: Mapping[str, TensorProto]) -> int | None:
    """Side of the square input, where it is fixed."""
    for value in graph.input:
        if value.name not in constants:
            sides = {d.dim_value for d in value.type.tensor_type.shape.dim[2:4]}
            return sides.pop() or None if len(sides) == 1 else None
    return None
