"""Summaries over patients."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from scipy import stats

from gliomask.statistics.summary import (
    bootstrap_ci95,
    by_patient,
    scores_by_patient,
    summarise,
)


def test_by_hand() -> None:
    found = summarise([0.5, None, 0.9, 0.7, 0.1])
    assert (found.n, found.n_empty) == (4, 1)
    assert found.mean == pytest.approx(0.55)
    assert found.median == pytest.approx(0.6)
    assert found.p10 == pytest.approx(0.22)  # 0.1 + 0.3 * (0.5 - 0.1)
    assert found.min == 0.1


def test_interval_of_constant_scores_is_a_point() -> None:
    low, high = bootstrap_ci95(np.full(20, 0.8))
    assert low == pytest.approx(0.8)
    assert high == pytest.approx(0.8)


def test_interval_of_two_scores_is_their_range() -> None:
    # The mean of two draws is 0, 0.5 or 1 with chances 1/4, 1/2, 1/4.
    assert bootstrap_ci95(np.array([0.0, 1.0])) == (0.0, 1.0)


def test_interval_is_about_that_of_the_normal_law() -> None:
    values = np.random.default_rng(3).normal(0.8, 0.1, 400)
    low, high = bootstrap_ci95(values)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.001)
    assert high == pytest.approx(values.mean() + half, abs=0.001)


def test_interval_depends_on_the_seed_alone() -> None:
    values = np.random.default_rng(0).random(30)
    assert bootstrap_ci95(values, seed=1) == bootstrap_ci95(values, seed=1)
    assert bootstrap_ci95(values, seed=1) != bootstrap_ci95(values, seed=2)


def test_no_scores() -> None:
    found = summarise([None, None])
    assert (found.n, found.n_empty) == (0, 2)
    assert {found.mean, found.median, found.p10, found.min, found.ci95} == {None}


def test_one_patient_has_no_interval() -> None:
    found = summarise([0.7])
    assert found.mean == 0.7
    assert found.ci95 is None


def test_a_patient_counts_once() -> None:
    scores = [("a", 0.2), ("b", 1.0), ("a", 0.4), ("c", None), ("b", None)]
    assert by_patient(scores) == [pytest.approx(0.3), 1.0, None]


@pytest.mark.parametrize("of", ["mean", "median"])
def test_interval_is_that_of_scipy(of: Literal["mean", "median"]) -> None:
    values = np.random.default_rng(5).beta(8, 2, 40)
    expected = stats.bootstrap(
        (values,), getattr(np, of), method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    # Both draw at random: a bound of 10 000 draws is known to about a hundredth of its spread.
    assert bootstrap_ci95(values, statistic=of) == pytest.approx(tuple(expected), abs=0.003)
    assert expected.high - expected.low > 0.05


def test_patients_keep_their_names() -> None:
    scores = [("b", 1.0), ("a", None), ("b", 0.5)]
    assert scores_by_patient(scores) == {"b": 0.75, "a": None}


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_refused(odd: float) -> None:
    with pytest.raises(ValueError, match="infinite or not a number"):
        summarise([0.5, odd])
