"""Voxels are counted, each once, in the bin of their logit."""

from __future__ import annotations

import tracemalloc
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import TypeAdapter

from gliomask.core.volume import FloatArray
from gliomask.statistics import logit_counts
from gliomask.statistics.logit_counts import (
    BINS,
    LogitCounts,
    bin_centres,
    count_logits,
    count_probabilities,
    pool,
)
from tests.statistics.raw_calibration import made


def floats(*values: float) -> FloatArray:
    return np.array(values, np.float32)


def held(counts: tuple[int, ...]) -> dict[float, int]:
    """Centre of the bin -> voxels, of the bins that hold some."""
    return {float(c): n for c, n in zip(bin_centres(), counts, strict=True) if n}


def test_by_hand() -> None:
    logits = floats(0.0, 0.001, 1 / 128, -0.001, 3.0, -3.0)
    counts = count_logits(logits, np.array([1, 1, 1, 0, 0, 0], bool))
    assert held(counts.positive) == {1 / 256: 2, 3 / 256: 1}
    assert held(counts.negative) == {-1 / 256: 1, 3 + 1 / 256: 1, -3 + 1 / 256: 1}
    assert (counts.n, counts.n_positive) == (6, 3)


def test_all_beyond_the_ends_is_in_the_end_bins() -> None:
    logits = floats(-np.inf, -3e38, -17, -16.01, 16, 17, 3e38, np.inf)
    counts = count_logits(logits, np.ones(8, bool))
    assert counts.positive[0] == counts.positive[-1] == 4
    assert held(counts.positive) == {-16: 4, 16: 4}
    assert bin_centres()[[0, 1, -2, -1]].tolist() == [-16, -16 + 1 / 256, 16 - 1 / 256, 16]


def test_probabilities_of_exactly_0_and_1() -> None:
    counts = count_probabilities(floats(0, 1, 0, 0.5, 1e-30), np.array([0, 0, 1, 1, 0], bool))
    assert held(counts.negative) == {-16: 2, 16: 1}
    assert held(counts.positive) == {-16: 1, 1 / 256: 1}


def test_double_precision_is_taken_too() -> None:
    logits = np.array([1e300, 2.0])
    assert count_logits(logits, np.ones(2, bool)) == count_logits(floats(99, 2), np.ones(2, bool))


@settings(deadline=None)
@given(arrays.arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32, allow_nan=False)))
def test_each_logit_lies_in_its_bin(logits: FloatArray) -> None:
    for logit in logits:
        ((centre, n),) = held(count_logits(floats(logit), np.ones(1, bool)).positive).items()
        assert n == 1
        # One part in 2^12 of a bin may be lost: the place of a logit is computed in float32.
        assert abs(np.clip(logit, -16, 16) - centre) <= (0.5 + 2**-12) / 128


def test_probabilities_are_counted_as_their_logits() -> None:
    logits, truth = made(20_000, 0)
    inside = np.abs(logits) < 6.999  # many lie at exactly 7, the edge of a bin
    logits, truth = logits[inside], truth[inside]
    direct = count_logits(logits, truth)
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    turned = count_probabilities(p.astype(np.float32), truth)
    assert turned.n_positive == direct.n_positive
    # A voxel at an edge may fall on its other side, by rounding of the probability.
    shifted = np.cumsum(np.subtract(turned.positive, direct.positive))
    assert np.abs(shifted).max() <= 3


def test_only_what_is_kept_is_counted() -> None:
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(0, 3, (4, 5, 6)).astype(np.float32), rng.random((4, 5, 6)) < 0.5
    slices = np.array([True, False, False, True])
    voxels = np.broadcast_to(slices[:, None, None], truth.shape)
    some = count_logits(logits, truth, slices)
    assert some == count_logits(logits[[0, 3]], truth[[0, 3]])
    assert some == count_logits(logits, truth, voxels)
    assert some.n == 60
    assert count_logits(logits, truth, np.zeros(4, bool)).n == 0


def test_cases_add_up() -> None:
    logits, truth = made(5000, 1)
    parts = [count_logits(logits[k::3], truth[k::3]) for k in range(3)]
    assert pool(parts) == count_logits(logits, truth)
    assert pool([]) == count_logits(floats(), np.zeros(0, bool))


def test_a_view_with_another_order_of_axes() -> None:
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(0, 3, (4, 5, 6)).astype(np.float32), rng.random((4, 5, 6)) < 0.5
    assert count_logits(logits.T, truth.T) == count_logits(logits, truth)
    assert count_logits(logits[::-1], truth[::-1]) == count_logits(logits, truth)


def test_what_can_t_be_counted() -> None:
    one = np.ones(1, bool)
    with pytest.raises(ValueError, match="not a number"):
        count_logits(floats(np.nan), one)
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
            count_probabilities(floats(wrong), one)
    with pytest.raises(ValueError, match=r"shape \(1,\), truth of \(2,\)"):
        count_logits(floats(1), np.ones(2, bool))
    wrong_keeps: list[Any] = [np.ones(2, bool), np.ones((1, 1), bool), np.ones(1, np.uint8)]
    for keep in wrong_keeps:
        with pytest.raises(ValueError, match="keep"):
            count_logits(floats(1), one, keep)


def test_counts_of_another_kind_are_refused() -> None:
    zeros = (0,) * BINS
    with pytest.raises(ValueError, match="2 and 4098 bins, not 4098"):
        LogitCounts((1, 2), zeros)
    with pytest.raises(ValueError, match="fewer than 0"):
        LogitCounts(zeros, (-1, *zeros[1:]))


def test_the_counts_are_json_and_back() -> None:
    adapter = TypeAdapter(LogitCounts)
    counts = count_logits(*made(1000, 2))
    assert adapter.validate_json(adapter.dump_json(counts)) == counts


def test_a_case_of_brats_is_counted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast and in little memory: 137 blocks of up to 65,536 of the 8,928,000 voxels."""
    p = np.random.default_rng(0).random((155, 240, 240), np.float32)
    truth = p > 0.9
    blocks = Mock(wraps=logit_counts._to_logits)
    monkeypatch.setattr(logit_counts, "_to_logits", blocks)
    tracemalloc.start()
    try:
        counts = count_probabilities(p, truth)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
    assert counts.n == 155 * 240 * 240
    assert blocks.call_count == 137
