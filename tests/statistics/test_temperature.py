"""A network that is too sure of itself by a known factor gets that factor as its temperature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy.optimize import minimize_scalar

from gliomask.statistics.logit_counts import count_logits, count_probabilities, pool
from gliomask.statistics.temperature import (
    HIGHEST,
    LOWEST,
    Temperature,
    adjusted_threshold,
    fit_temperature,
)
from tests.statistics import raw_calibration as raw


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.floats(0.3, 2.2))
def test_the_factor_is_found_and_voxels_are_calibrated(seed: int, factor: float) -> None:
    found = fit_temperature(count_logits(*raw.made(100_000, seed, factor)))
    assert found.value == pytest.approx(factor, rel=0.05)
    assert found.ece_after is not None
    assert found.ece_after < 0.006
    assert found.reason is None
    assert (found.n, found.n_positive > 0) == (100_000, True)


def test_the_minimum_is_that_of_the_raw_logits() -> None:
    logits, truth = raw.made(30_000, 5, 2.0)
    found = fit_temperature(count_logits(logits, truth))
    exact = minimize_scalar(
        lambda t: raw.nll(raw.chances(logits, t), truth), bounds=(0.1, 10), method="bounded"
    )
    assert found.value == pytest.approx(exact.x, rel=1e-3)
    assert found.nll_after == pytest.approx(exact.fun, abs=1e-4)
    assert found.nll_before == pytest.approx(raw.nll(raw.chances(logits), truth), abs=1e-3)
    assert found.ece_before == pytest.approx(raw.ece(raw.chances(logits), truth), abs=1e-3)
    assert found.nll_before is not None
    assert found.nll_after is not None
    assert found.nll_after < found.nll_before


def test_by_hand() -> None:
    # All say 0.9 (or 0.1) and three in four are right: the best probability is 3/4.
    p = np.array([0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1], np.float32)
    truth = np.array([1, 1, 1, 0, 0, 0, 0, 1], bool)
    found = fit_temperature(count_probabilities(p, truth))
    assert found.value == pytest.approx(math.log(9) / math.log(3), rel=0.005)
    assert found.ece_after == pytest.approx(0, abs=1e-3)


HOPELESS = [
    ([], [], "no voxels"),
    ([1.0, -2.0], [0, 0], "no tumour voxel"),
    ([1.0, -2.0], [1, 1], "no voxel without tumour"),
    ([1.0, -2.0], [1, 0], "no voxel is misclassified: the best temperature would be 0"),
    (
        [2.0, -2.0, 1.0],
        [0, 1, 1],
        "the logits are not related to the tumour: the best temperature would be infinite",
    ),
]


@pytest.mark.parametrize(("logits", "truth", "reason"), HOPELESS)
def test_where_none_can_be_fitted_it_is_one(
    logits: list[float], truth: list[int], reason: str
) -> None:
    counts = count_logits(np.array(logits, np.float32), np.array(truth, bool))
    found = fit_temperature(counts)
    assert (found.value, found.reason) == (1.0, reason)
    assert found.nll_after == found.nll_before
    assert (found.nll_before is None) == (not logits)


def test_a_temperature_beyond_the_bounds_is_said() -> None:
    many = np.full(2000, 0.01, np.float32)  # one wrong in 2000, at hardly any confidence
    truth = np.arange(2000) > 0
    both = [count_logits(many, truth), count_logits(-many, ~truth)]
    found = fit_temperature(pool(both))
    assert found.value == pytest.approx(LOWEST, rel=1e-3)
    assert found.reason == f"the best temperature lies beyond {LOWEST:g} to {HIGHEST:g}"


def test_the_result_is_json_and_back() -> None:
    adapter = TypeAdapter(Temperature)
    found = fit_temperature(count_logits(*raw.made(2000, 0)))
    assert adapter.validate_json(adapter.dump_json(found)) == found


@settings(deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.1, 10), st.lists(st.floats(-8, 8), max_size=50))
def test_the_moved_threshold_leaves_the_mask(
    threshold: float, temperature: float, logits: list[float]
) -> None:
    at = math.log(threshold / (1 - threshold))
    z = np.array([one for one in logits if abs(one - at) > 1e-9])
    before = 1 / (1 + np.exp(-z)) >= threshold
    after = 1 / (1 + np.exp(-z / temperature)) >= adjusted_threshold(threshold, temperature)
    np.testing.assert_array_equal(before, after)


def test_thresholds_by_hand() -> None:
    assert adjusted_threshold(0.5, 3.0) == 0.5
    assert adjusted_threshold(0.3, 1.0) == pytest.approx(0.3)
    assert adjusted_threshold(0.9, 2.0) == pytest.approx(3 / 4)  # odds 9 become 3
    assert adjusted_threshold(0.1, 2.0) == pytest.approx(1 / 4)
    assert adjusted_threshold(1e-20, 1.0) == pytest.approx(1e-20)


@pytest.mark.parametrize("threshold", [1e-300, 1 - 1e-16])
def test_a_moved_threshold_stays_between_0_and_1(threshold: float) -> None:
    assert 0 < adjusted_threshold(threshold, 0.05) < 1


def test_what_is_no_threshold_is_refused() -> None:
    for threshold in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="does not lie between 0 and 1"):
            adjusted_threshold(threshold, 1.0)
    with pytest.raises(ValueError, match="temperature"):
        adjusted_threshold(0.5, 0.0)
