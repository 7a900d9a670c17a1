"""What the nodes do that numpy does with a word."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.export.nodes import ConstantArray, Nodes, axes, typed
from tests.export.run import given


def rounded_values() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Every number of half precision up to 8 and down to nothing, those midway, and others."""
    exact = np.arange(0x4800, dtype=np.uint16).view(np.float16).astype(np.float32)
    midway = (exact[1:] + exact[:-1]) / 2
    others = np.random.default_rng(0).normal(0, 1, 20_000).astype(np.float32)
    found = np.concatenate([exact, midway, others, others * np.float32(1e-5)])
    return np.concatenate([found, -found]).astype(np.float32)


def test_half_precision() -> None:
    values = rounded_values()
    nodes = Nodes("test")
    (found,) = given(nodes, [nodes.half("x")], {"x": values})
    assert np.array_equal(found, values.astype(np.float16).astype(np.float32))


def test_half_precision_by_openvino() -> None:
    openvino = pytest.importorskip("openvino")
    values = rounded_values()
    nodes = Nodes("test")
    nodes.output(nodes.half("x"), "y")
    sides = ["n"]
    model = nodes.model([typed("x", np.float32, sides)], [typed("y", np.float32, sides)])
    read = openvino.Core().read_model(model.SerializeToString())
    compiled = openvino.compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled([values])["y"]
    assert np.array_equal(found, values.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_counting(count: int) -> None:
    nodes = Nodes("test")
    (found,) = given(nodes, [nodes.counting("n")], {"n": np.array(count)})
    assert found.tolist() == list(range(count))


def test_equal_constants_stand_once() -> None:
    nodes = Nodes("test")
    assert nodes.constant(np.float32(1)) == nodes.constant(np.float32(1))
    kinds: list[ConstantArray] = [np.float32(1), np.float64(1), np.int64(1), axes(1), np.float32(2)]
    assert len({nodes.constant(one) for one in kinds}) == len(kinds)
