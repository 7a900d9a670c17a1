"""The graph against the network, by ONNX's own interpreter: no runtime of ours in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from gliomask.nets.arrays import read_arrays
from gliomask.nets.graph import network_graph
from gliomask.nets.onnx_bytes import (
    IR_VERSION,
    OPSET,
    PRODUCER,
    Constant,
    Node,
    model_bytes,
)
from gliomask.nets.weights import load_model
from tests.inference.test_engines import saved


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("side", [pytest.param(32, marks=pytest.mark.slow), 45])
def test_the_graph_says_what_the_network_says(folder: Path, side: int) -> None:
    graph = onnx.load_model_from_string(network_graph(*read_arrays(folder)))
    batch = np.random.default_rng(0).normal(size=(2, 2, side, side + 3)).astype(np.float32)
    answers = ReferenceEvaluator(graph).run(None, {"x": batch})
    logits, maps = (np.asarray(answer) for answer in answers)
    model, _ = load_model(folder)
    with torch.no_grad():
        expected = torch.stack(model(torch.from_numpy(batch)), dim=1).numpy()
    assert maps.shape == expected.shape
    assert np.ptp(expected) > 0.5
    np.testing.assert_allclose(maps, expected, atol=2e-4)
    np.testing.assert_allclose(logits, expected[:, 0], atol=2e-4)


def test_it_is_valid_and_the_same_each_time(folder: Path) -> None:
    first, second = (network_graph(*read_arrays(folder)) for _ in range(2))
    assert first == second
    model = onnx.load_model_from_string(first)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == OPSET
    assert not any(node.op_type == "BatchNormalization" for node in model.graph.node)


def test_its_bytes_are_those_of_the_onnx_package(folder: Path) -> None:
    """Written again by the package, from what its reader makes of our bytes."""
    written = network_graph(*read_arrays(folder))
    assert onnx.load_model_from_string(written).SerializeToString(deterministic=True) == written


def test_each_kind_of_attribute_and_constant_is_as_the_onnx_package_writes_it() -> None:
    attributes: dict[str, Any] = {
        "axis": 0,
        "ceil_mode": 1,
        "mode": "linear",
        "pads": [0, 127, 128, 70_000],
    }
    floats, whole = np.arange(6, dtype=np.float32).reshape(2, 3), np.array(2**40)
    ours = model_bytes(
        "größe",
        [Node("Resize", ("x", "", "size"), ("y", "z"), attributes)],
        [Constant("floats", floats), Constant("whole", whole)],
        {"x": ("n", 300)},
        {"y": ()},
    )
    graph = helper.make_graph(
        [helper.make_node("Resize", ["x", "", "size"], ["y", "z"], **attributes)],
        "größe",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 300])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [])],
        [numpy_helper.from_array(floats, "floats"), numpy_helper.from_array(whole, "whole")],
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        graph, opset_imports=opset, ir_version=IR_VERSION, producer_name=PRODUCER
    )
    assert ours == model.SerializeToString(deterministic=True)


def test_what_it_does_not_write_is_an_error() -> None:
    with pytest.raises(ValueError, match="-1 is negative"):
        model_bytes("", [Node("Concat", (), ("y",), {"axis": -1})], [], {}, {})
    with pytest.raises(KeyError, match="float64"):
        model_bytes("", [], [Constant("x", np.zeros(1))], {}, {})
