"""Runs what the tests have written as nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper

from gliomask.export.nodes import Nodes, Value, typed

Numbers = npt.NDArray[Any]


def given(nodes: Nodes, wanted: Sequence[Value], feeds: Mapping[str, Numbers]) -> list[Numbers]:
    """The wanted values of a graph, with each input of any size."""
    for number, value in enumerate(wanted):
        nodes.output(value, f"wanted_{number}")
    inputs = [
        typed(name, array.dtype.type, [f"{name}_{axis}" for axis in range(array.ndim)])
        for name, array in feeds.items()
    ]
    outputs = [helper.make_empty_tensor_value_info(f"wanted_{k}") for k in range(len(wanted))]
    return ran(nodes.model(inputs, outputs), feeds)


def ran(model: onnx.ModelProto, feeds: Mapping[str, Numbers]) -> list[Numbers]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return [np.asarray(found) for found in session.run(None, dict(feeds))]
