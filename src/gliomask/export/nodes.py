"""A graph of ONNX nodes, written in the order in which they run.

Names are counted, so the same calls give the same graph to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from gliomask.nets.graph import GraphWriter
from gliomask.nets.onnx_bytes import IR_VERSION, OPSET, PRODUCER

Value = str
"""Name of an output of a node, or of an input of the graph."""
ConstantArray = npt.NDArray[Any] | np.generic
"""Numbers that stand in the graph; their dtype is that of the value."""
GraphBuilder = Callable[[GraphWriter, Value], Value]
"""Writes a network that reads (N, C, size, size) float32 and names its logits, alike of shape."""


class Nodes:
    """The nodes and constants of one graph, or of the body of a loop in it.

    Args:
        name: begins all names, so that a body does not hide a value of the graph around it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.writer = GraphWriter(f"{name}/")
        self._known: dict[tuple[str, tuple[int, ...], bytes], Value] = {}

    def add(self, kind: str, *inputs: Value | ConstantArray, **attributes: Any) -> Value:
        """A node, by the name of its first output.

        Args:
            kind: the operator.
            inputs: values of this graph or of one around it, or constants.
            attributes: of the operator.
        """
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        return self.writer.add(kind, names, **attributes)

    def constant(self, numbers: ConstantArray) -> Value:
        """Numbers as a value; equal ones stand in the graph once."""
        array = np.asarray(numbers)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self.writer.constant(array)
        return self._known[key]

    def cast(self, value: Value, dtype: type[np.generic]) -> Value:
        """The value as another dtype of numpy."""
        return self.add("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def side(self, value: Value, axis: int) -> Value:
        """Length of an axis: int64, no axes."""
        shape = self.add("Shape", value, start=axis, end=axis + 1)
        return self.add("Squeeze", shape, axes(0))

    def vector(self, *values: Value) -> Value:
        """Numbers without axes as one vector."""
        return self.add("Concat", *(self.add("Unsqueeze", v, axes(0)) for v in values), axis=0)

    def counting(self, count: Value) -> Value:
        """0, 1, ... below a number without axes: a vector of int64.

        A sum of ones instead of Range, whose bounds OpenVINO works out without end.
        """
        ones = self.add("Expand", np.int64(1), self.vector(count))
        return self.add("CumSum", ones, np.int64(0), exclusive=1)

    def half(self, value: Value) -> Value:
        """float32 below 2**15 rounded to half precision, ties to even, as float32.

        By arithmetic, since OpenVINO takes out a cast to half precision and back. The product
        leaves room for 11 digits only (T. J. Dekker, 1971); below 2**-14 half precision has a
        fixed step, 2**-24.
        """
        product = self.add("Mul", value, np.float32(2**13 + 1))
        large = self.add("Sub", product, self.add("Sub", product, value))
        steps = self.add("Round", self.add("Mul", value, np.float32(2**24)))
        small = self.add("Mul", steps, np.float32(2**-24))
        is_small = self.add("Less", self.add("Abs", value), np.float32(2**-14))
        return self.add("Where", is_small, small, large)

    def output(self, value: Value, name: Value) -> None:
        """Gives a value the name of an output."""
        self.writer.add("Identity", [value], output=name)

    def graph(
        self, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.GraphProto:
        """The graph of all nodes so far."""
        nodes = [
            helper.make_node(node.kind, node.inputs, node.outputs, **node.attributes)
            for node in self.writer.nodes
        ]
        constants = [
            numpy_helper.from_array(constant.values, constant.name)
            for constant in self.writer.constants
        ]
        return helper.make_graph(nodes, self.name, inputs, outputs, constants)

    def model(
        self, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """The whole, with its opset."""
        return helper.make_model(
            self.graph(inputs, outputs),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name=PRODUCER,
        )


def axes(*numbers: int) -> npt.NDArray[np.int64]:
    """Axes, or other whole numbers, as operators need them: a vector of int64."""
    return np.array(numbers, np.int64)


def typed(name: Value, dtype: type[np.generic], shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    """An input or output of a graph; a side with a name has any length."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, list(shape))
