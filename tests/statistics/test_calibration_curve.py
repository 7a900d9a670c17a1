"""Figures from counts against those of every voxel, and small ones by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gliomask.statistics.calibration_curve import Calibration, calibration
from gliomask.statistics.logit_counts import count_logits, count_probabilities, pool
from tests.statistics import raw_calibration as raw


def test_by_hand() -> None:
    # Four voxels at 0.8, three of them tumour; one at 0.1 that is none.
    p = np.array([0.8, 0.8, 0.8, 0.8, 0.1], np.float32)
    found = calibration(count_probabilities(p, np.array([1, 1, 1, 0, 0], bool)))
    assert (found.n, found.n_positive) == (5, 3)
    assert found.ece == pytest.approx(0.8 * 0.05 + 0.2 * 0.1, abs=1e-3)
    assert found.mce == pytest.approx(0.1, abs=1e-3)
    assert found.brier == pytest.approx((3 * 0.04 + 0.64 + 0.01) / 5, abs=1e-3)
    expected = -(3 * math.log(0.8) + math.log(0.2) + math.log(0.9)) / 5
    assert found.nll == pytest.approx(expected, abs=4e-3)
    full = [(k, b.n) for k, b in enumerate(found.bins) if b.n]
    assert full == [(1, 1), (12, 4)]  # 0.1 * 15 = 1.5 and 0.8 * 15 = 12
    assert found.bins[12].frequency == 0.75
    assert found.bins[12].confidence == pytest.approx(0.8, abs=1e-3)
    assert (found.bins[0].low, found.bins[-1].high) == (0.0, 1.0)
    assert (found.bins[5].confidence, found.bins[5].frequency) == (None, None)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.floats(0.3, 2), st.floats(0.4, 4))
def test_binning_costs_little(seed: int, scale: float, temperature: float) -> None:
    logits, truth = raw.made(20_000, seed, scale)
    found = calibration(count_logits(logits, truth), temperature)
    p = raw.chances(logits, temperature)
    assert found.brier == pytest.approx(raw.brier(p, truth), abs=1e-3)
    assert found.nll == pytest.approx(raw.nll(p, truth), abs=1e-3)
    # A chance near the edge of one of ten bins may be counted in the next: seen up to 0.0011.
    assert found.ece == pytest.approx(raw.ece(p, truth), abs=3e-3)


@pytest.mark.parametrize("logit", [-9.9961, -2.0039, 0.0039, 0.7, 1.9961, 5.0])
def test_even_if_all_voxels_are_alike_the_bound_holds(logit: float) -> None:
    logits = np.full(100, logit, np.float32)
    truth = np.arange(100) < 40
    found = calibration(count_logits(logits, truth))
    p = raw.chances(logits)
    assert found.ece == pytest.approx(raw.ece(p, truth), abs=1 / 1024)
    assert found.nll == pytest.approx(raw.nll(p, truth), abs=1 / 256)


def test_pooled_figures_are_those_of_all_voxels() -> None:
    cases = [raw.made(3000, seed) for seed in range(4)]
    pooled = calibration(pool(count_logits(*case) for case in cases))
    logits, truth = (np.concatenate(arrays) for arrays in zip(*cases, strict=True))
    assert pooled == calibration(count_logits(logits, truth))


def test_a_higher_temperature_makes_probabilities_meeker() -> None:
    logits = np.array([2.0], np.float32)
    found = calibration(count_logits(logits, np.ones(1, bool)), 4.0)
    assert found.temperature == 4.0
    assert found.brier == pytest.approx((1 - 1 / (1 + math.exp(-0.5))) ** 2, abs=1e-3)


def test_certain_and_wrong_costs_much_but_not_infinitely() -> None:
    certain = np.array([1.0, 0.0], np.float32)
    found = calibration(count_probabilities(certain, np.array([False, True])))
    assert found.nll == pytest.approx(16, abs=1e-6)
    assert found.brier == pytest.approx(1, abs=1e-6)


def test_no_voxels() -> None:
    found = calibration(pool([]), 2.0)
    assert (found.n, found.n_positive, len(found.bins)) == (0, 0, 15)
    assert {found.ece, found.mce, found.brier, found.nll} == {None}


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="not a positive number"):
        calibration(pool([]), temperature)


def test_the_result_is_json_and_back() -> None:
    adapter = TypeAdapter(Calibration)
    found = calibration(count_logits(*raw.made(1000, 0)))
    assert adapter.validate_json(adapter.dump_json(found)) == found
