"""p values against scipy's, corrections against those worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gliomask.statistics.permutation import MOST_EXACT, holm, sign_flip_test


def scipy_p(differences: list[float], resamples: float) -> float:
    found = stats.permutation_test(
        (np.array(differences), np.zeros(len(differences))),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=1,
    )
    return float(found.pvalue)


def test_by_hand() -> None:
    # Of the 8 sums of +-1 +-2 +-3 only 6 and -6 are as far from 0 as 6, and 4 and -4 as 4.
    assert sign_flip_test([1, 2, 3]) == (2 / 8, True)
    assert sign_flip_test([-1, 2, 3]) == (4 / 8, True)


def test_zeros_change_nothing() -> None:
    assert sign_flip_test([0, 1, 0, 2, 3, 0] + [0] * 40) == (2 / 8, True)


@pytest.mark.parametrize("seed", range(4))
def test_exact_as_scipy_s(seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.05, 0.1, 11).round(2).tolist()
    p, exact = sign_flip_test(differences)
    assert exact
    assert p == pytest.approx(scipy_p(differences, np.inf))


def test_drawn_as_scipy_s() -> None:
    differences = np.random.default_rng(3).normal(0.02, 0.1, 60).tolist()
    p, exact = sign_flip_test(differences)
    assert not exact
    assert p == pytest.approx(scipy_p(differences, 20_000), abs=0.015)  # 3 standard errors
    assert p is not None
    assert 0.02 < p < 0.98


def test_the_largest_exact_and_the_smallest_drawn_agree() -> None:
    differences = np.random.default_rng(1).normal(0.04, 0.1, MOST_EXACT).tolist()
    exact, drawn = sign_flip_test(differences), sign_flip_test([*differences, 1e-9])
    assert exact[1]
    assert not drawn[1]
    assert drawn[0] == pytest.approx(exact[0], abs=0.012)


def test_p_is_never_zero_and_depends_on_the_seed_alone() -> None:
    assert sign_flip_test([1.0] * 100) == (1 / 20_000, False)
    noise = np.random.default_rng(0).normal(0, 1, 50).tolist()
    assert sign_flip_test(noise, seed=3) == sign_flip_test(noise, seed=3)
    assert sign_flip_test(noise, seed=3) != sign_flip_test(noise, seed=4)


def test_nothing_to_test() -> None:
    assert sign_flip_test([]) == (None, True)
    assert sign_flip_test([0.0, 0.0]) == (1.0, True)
    assert sign_flip_test([0.3]) == (1.0, True)


@settings(deadline=None)
@given(st.lists(st.integers(-50, 50), max_size=10))
def test_neither_order_nor_sign_nor_scale_matter(differences: list[int]) -> None:
    p = sign_flip_test(differences)
    assert sign_flip_test([-d / 7 for d in reversed(differences)]) == p


def test_holm_by_hand() -> None:
    # Sorted: 0.005 * 4, 0.01 * 3, 0.03 * 2, 0.04 * 1 -> the last is lifted to 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


def test_holm_stays_within_one_and_skips_what_was_not_tested() -> None:
    assert holm([0.6, None, 0.9, 0.5]) == (1.0, None, 1.0, 1.0)
    assert holm([None, 0.02]) == (None, 0.02)
    assert holm([]) == ()
