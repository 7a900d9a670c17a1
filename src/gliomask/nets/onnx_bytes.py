"""Serialisation of a graph as an ONNX file, without the package ``onnx`` (35 MB).

A network needs three kinds of attribute and two types of constant, so the messages of
``onnx.proto`` are written directly: each field is its number, its wire type and its value. Tests
compare the bytes with those of the package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

OPSET: Final = 17
"""Of the operators: the newest that every runtime of ours reads."""
IR_VERSION: Final = 8
"""Of the file format, the one that belongs to the opset."""
PRODUCER: Final = "gliomask"
_VARINT, _LENGTH = 0, 2
_TENSOR_TYPES: Final = {"float32": 1, "int64": 7}
_INT, _STRING, _INTS = 2, 3, 7
"""Kinds of attribute that a network has."""
Shape = Sequence[int | str]
"""Of an input or output; a side with a name has any length."""


@dataclass(frozen=True)
class Node:
    """One operator.

    Attributes:
        kind: the operator's name.
        inputs: names of values; empty for an optional input that is not given.
        outputs: names of its values.
        attributes: of the operator.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Constant:
    """An array that is part of the graph, with its name."""

    name: str
    values: npt.NDArray[Any]


def model_bytes(
    name: str,
    nodes: Iterable[Node],
    constants: Iterable[Constant],
    inputs: Mapping[str, Shape],
    outputs: Mapping[str, Shape],
) -> bytes:
    """A whole model (``ModelProto``).

    Args:
        name: of the graph.
        nodes: in an order in which they can run.
        constants: float32 or int64.
        inputs, outputs: their shapes by name; float32.
    """
    graph = b"".join(
        (
            *(_message(1, _node(node)) for node in nodes),
            _text(2, name),
            *(_message(5, _tensor(constant)) for constant in constants),
            *(_message(11, _value(key, shape)) for key, shape in inputs.items()),
            *(_message(12, _value(key, shape)) for key, shape in outputs.items()),
        )
    )
    opset = _text(1, "") + _number(2, OPSET)
    return b"".join(
        (_number(1, IR_VERSION), _text(2, PRODUCER), _message(7, graph), _message(8, opset))
    )


def _node(node: Node) -> bytes:
    attributes = sorted(node.attributes.items())
    return b"".join(
        (
            *(_text(1, name) for name in node.inputs),
            *(_text(2, name) for name in node.outputs),
            _text(4, node.kind),
            *(_message(5, _attribute(name, value)) for name, value in attributes),
        )
    )


def _attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _number(20, _STRING)
    numbers = b"".join(_number(8, number) for number in value)
    return _text(1, name) + numbers + _number(20, _INTS)


def _tensor(constant: Constant) -> bytes:
    values = constant.values
    sides = b"".join(_number(1, side) for side in values.shape)
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    kind = _TENSOR_TYPES[np.dtype(values.dtype).name]
    return sides + _number(2, kind) + _text(8, constant.name) + _message(9, data)


def _value(name: str, shape: Shape) -> bytes:
    """``ValueInfoProto``: a tensor of float32."""
    sides = b"".join(_message(1, _side(side)) for side in shape)
    tensor = _number(1, _TENSOR_TYPES["float32"]) + _message(2, sides)
    return _text(1, name) + _message(2, _message(1, tensor))


def _side(side: int | str) -> bytes:
    return _text(2, side) if isinstance(side, str) else _number(1, side)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _LENGTH) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers don't occur."""
    if value < 0:
        raise ValueError(f"{value} is negative")
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)
