"""A graph of ONNX nodes, written in the order in which they run.

Names are counted, so the same calls give the same graph to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Value = str
"""The name of what a node gives, or of an input of the graph."""
Constant = npt.NDArray[np.generic] | np.generic
"""Numbers that stand in the graph; their dtype is that of the value."""


class Nodes:
    """The nodes and constants of one graph, or of the body of a loop in it.

    Args:
        name: begins all names, so that a body does not hide a value of the graph around it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def add(self, kind: str, *inputs: Value | Constant, **attributes: object) -> Value:
        """A node with one output: the name of that.

        Args:
            kind: the operator.
            inputs: values of this graph or of one around it, or constants.
            attributes: of the operator.
        """
        output = f"{self.name}/{len(self.nodes)}_{kind}"
        names = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        self.nodes.append(helper.make_node(kind, names, [output], name=output, **attributes))
        return output

    def constant(self, numbers: Constant) -> Value:
        """Numbers as a value; equal ones stand in the graph once."""
        array = np.asarray(numbers)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = f"{self.name}/constant_{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    def cast(self, value: Value | Constant, dtype: type[np.generic]) -> Value:
        """The value as another dtype of numpy."""
        return self.add("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def side(self, value: Value, axis: int) -> Value:
        """How long an axis is: int64, no axes."""
        shape = self.add("Shape", value, start=axis, end=axis + 1)
        return self.add("Squeeze", shape, axes(0))

    def vector(self, *values: Value | Constant) -> Value:
        """Numbers without axes as one vector of int64."""
        return self.add("Concat", *(self.add("Unsqueeze", v, axes(0)) for v in values), axis=0)

    def half(self, value: Value) -> Value:
        """float32 rounded to half precision, as float32."""
        return self.cast(self.cast(value, np.float16), np.float32)

    def graph(
        self, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.GraphProto:
        """The graph of all nodes so far."""
        return helper.make_graph(self.nodes, self.name, inputs, outputs, self.constants)


def axes(*numbers: int) -> npt.NDArray[np.int64]:
    """Axes, or other whole numbers, as operators want them: a vector of int64."""
    return np.array(numbers, np.int64)


def typed(name: str, dtype: type[np.generic], shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    """An input or output of a graph; a side with a name has any length."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, list(shape))
