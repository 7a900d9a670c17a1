"""Intervals of volumes: by hand, and whether they keep their promise on simulated patients."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gliomask.core.prediction import VolumeInterval
from gliomask.inference.uncertainty import (
    doubt,
    doubt_of_counts,
    fit_volumes,
    interval,
    spread,
)
from gliomask.nets.measures import VolumeFit
from gliomask.statistics.logit_counts import count_probabilities

FIT = VolumeFit(level=0.9, stretch=2.0, patients=20)
VOLUMES = st.lists(st.integers(0, 10_000), min_size=1, max_size=8)


def test_doubt_by_hand() -> None:
    """0.25 + 0.09; 0.04 is too low to be in doubt."""
    assert doubt(np.array([[0.5, 0.9], [0.04, 1.0]], np.float32)) == pytest.approx(0.34)
    assert doubt(np.zeros((2, 0), np.float32)) == 0.0


@pytest.mark.parametrize("temperature", [1.0, 1.7])
def test_doubt_is_the_same_from_counts(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(-2, 3, 20_000)
    plain = (1 / (1 + np.exp(-logits))).astype(np.float32)
    warm = (1 / (1 + np.exp(-logits / temperature))).astype(np.float32)
    counts = count_probabilities(plain, plain > 0.3)
    assert doubt_of_counts(counts, temperature) == pytest.approx(doubt(warm), rel=5e-3)


def test_spread_by_hand() -> None:
    """sqrt((3² + 4²) / 2) and 2 voxels in doubt."""
    assert spread(10, np.array([13, 6]), 2.0) == pytest.approx(math.sqrt(12.5) + 2)
    assert spread(10, np.array([], np.int64), 2.5) == 2.5
    assert spread(10, np.array([10, 10]), 0.0) == 1.0


@given(st.integers(1, 10_000), VOLUMES, st.floats(0, 1e4), st.booleans())
def test_the_interval_holds_the_point(
    plain: int, others: list[int], doubtful: float, fitted: bool
) -> None:
    found = interval(plain, spread(plain, np.array(others), doubtful), FIT if fitted else None)
    assert found is not None
    assert 0 <= found.voxels[0] <= plain <= found.voxels[1]
    assert found.calibrated is fitted


@given(st.integers(1, 10_000), VOLUMES, st.floats(0, 1e4), st.integers(1, 50))
def test_more_disagreement_is_a_wider_interval(
    plain: int, others: list[int], doubtful: float, more: int
) -> None:
    near = np.array(others)
    far = near + np.where(near >= plain, more, -more)
    narrow, wide = (interval(plain, spread(plain, one, doubtful), FIT) for one in (near, far))
    assert narrow is not None
    assert wide is not None
    assert wide.voxels[1] > narrow.voxels[1] or spread(plain, near, doubtful) == 1.0
    assert wide.voxels[0] <= narrow.voxels[0]


def test_an_interval_by_hand() -> None:
    found = interval(100, 30.0, FIT, voxel_ml=0.002)
    assert found == VolumeInterval((40.0, 160.0), (0.08, 0.32), 0.9, 20, calibrated=True)
    raw = interval(100, 30.0, None)
    assert raw == VolumeInterval((70.0, 130.0), None, None, 0, calibrated=False)
    far = interval(50, 30.0, FIT)
    assert far is not None
    assert far.voxels[0] == 0.0


def test_nothing_found_has_no_interval() -> None:
    assert interval(0, 10.0, FIT) is None


def test_a_fit_by_hand() -> None:
    """Ten patients: the 10th smallest score; nineteen: the 18th; eight can't promise 90 %."""
    true = [float(k) for k in range(100, 111)]
    ten = fit_volumes([100.0] * 10, true[1:], [2.0] * 10)
    assert ten == VolumeFit(level=0.9, stretch=5.0, patients=10)
    nineteen = fit_volumes([100.0] * 19, [100.0 + k for k in range(1, 20)], [1.0] * 19)
    assert nineteen == VolumeFit(level=0.9, stretch=18.0, patients=19)
    assert fit_volumes([100.0] * 8, true[:8], [1.0] * 8) is None


def test_patients_in_whom_nothing_was_found_are_left_out() -> None:
    found = fit_volumes([0.0] + [100.0] * 9, [5000.0] + [101.0] * 9, [1.0] * 10)
    assert found == VolumeFit(level=0.9, stretch=1.0, patients=9)
    assert fit_volumes([0.0] * 20, [1.0] * 20, [1.0] * 20) is None


def test_the_promise_is_kept_on_patients_like_those_of_the_fit() -> None:
    """1000 times 29 patients and a new one: coverage within binomial error of 0.9 or above.

    With n = 29 the exact chance is 27/30 = 0.9, whatever the distribution; the spread only knows
    half of what the error depends on, and errors have heavy tails.
    """
    rng = np.random.default_rng(1)
    trials, n = 1000, 29
    held = 0
    for _ in range(trials):
        size = np.exp(rng.normal(9, 1, n + 1))
        wide = size * rng.uniform(0.05, 0.4, n + 1)
        true = np.maximum(0, size + wide * rng.standard_t(3, n + 1) * rng.uniform(0.2, 2, n + 1))
        fit = fit_volumes(size[:n].tolist(), true[:n].tolist(), wide[:n].tolist())
        found = interval(int(size[n]), float(wide[n]), fit)
        assert found is not None
        held += found.voxels[0] <= true[n] <= found.voxels[1]
    error = math.sqrt(0.9 * 0.1 / trials)
    assert held / trials == pytest.approx(0.9, abs=3.5 * error)
