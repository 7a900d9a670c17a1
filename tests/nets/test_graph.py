"""The graph against the network, by ONNX's own interpreter: no runtime of ours in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from gliomask.nets.arrays import read_arrays
from gliomask.nets.graph import OPSET, network_graph
from gliomask.nets.weights import load_model
from tests.inference.test_engines import saved


@pytest.mark.parametrize("side", [32, 45])
def test_the_graph_says_what_the_network_says(tmp_path: Path, side: int) -> None:
    folder = saved(tmp_path / "model")
    graph = network_graph(*read_arrays(folder))
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


def test_it_is_valid_and_the_same_each_time(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    first, second = (network_graph(*read_arrays(folder)) for _ in range(2))
    onnx.checker.check_model(first, full_check=True)
    assert first.opset_import[0].version == OPSET
    assert first.SerializeToString() == second.SerializeToString()
    assert not any(node.op_type == "BatchNormalization" for node in first.graph.node)
