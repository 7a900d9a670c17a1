"""Bland and Altman's own figures, and small ones by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy import stats

from gliomask.statistics.limits_of_agreement import (
    Agreement,
    Estimate,
    LimitsOfAgreement,
    agreement,
    concordance,
    limits,
)

# Peak expiratory flow (l/min) of 17 subjects by two meters: Bland & Altman 1986, table 1.
WRIGHT = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)


def test_the_paper_s_example() -> None:
    found = limits([a - b for a, b in zip(WRIGHT, MINI, strict=True)])
    assert found.bias is not None
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert found.bias.ci95 == pytest.approx((-22.0, 17.8), abs=0.1)
    assert found.lower is not None
    assert found.upper is not None
    # The paper says -79.7 and 75.5 with 2 SD; 1.96 SD lie 1.55 further in.
    assert found.lower.value == pytest.approx(-79.7 + 0.04 * 38.77, abs=0.1)
    assert found.upper.value == pytest.approx(75.5 - 0.04 * 38.77, abs=0.1)
    # Its intervals reach 34.6 to either side (2.12 times 16.3, from the rounded root).
    assert found.lower.ci95 is not None
    assert (found.lower.ci95[1] - found.lower.ci95[0]) / 2 == pytest.approx(34.6, abs=0.6)


def test_intervals_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, SD 1, t(2) = 4.302653.
    found = limits([1.0, 2.0, 3.0])
    assert found.n == 3
    assert found.bias is not None
    assert found.bias.ci95 == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert found.upper is not None
    half = 4.302653 * (1 / 3 + 1.96**2 / 4) ** 0.5
    assert found.upper.value == pytest.approx(3.96)
    assert found.upper.ci95 == pytest.approx((3.96 - half, 3.96 + half))


def test_the_interval_of_the_bias_is_that_of_student_s_test() -> None:
    differences = np.random.default_rng(0).normal(1, 3, 25)
    found = limits(differences.tolist()).bias
    assert found is not None
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert found.ci95 == pytest.approx(tuple(expected))


def test_volumes_by_hand() -> None:
    found = agreement([("a", 10.0, 12.0), ("b", 20.0, 20.0), ("c", 0.0, 5.0), ("d", 0.0, 0.0)])
    assert (found.n, found.n_missing, found.n_both_zero) == (4, 0, 1)
    assert [(p.patient, p.mean, p.difference) for p in found.points] == [
        ("a", 11.0, 2.0),
        ("b", 20.0, 0.0),
        ("c", 2.5, 5.0),
        ("d", 0.0, 0.0),
    ]
    assert [p.percent for p in found.points] == [pytest.approx(200 / 11), 0.0, 200.0, None]
    assert (found.absolute.n, found.percent.n) == (4, 3)
    assert found.absolute.bias is not None
    assert found.absolute.bias.value == pytest.approx(7 / 4)
    assert found.percent.bias is not None
    assert found.percent.bias.value == pytest.approx((200 / 11 + 200) / 3)


def test_a_patient_counts_once_and_who_has_no_volume_is_counted() -> None:
    rows = [("a", 1.0, 2.0), ("b", None, 2.0), ("a", 3.0, 6.0), ("a", None, 9.0), ("c", 1.0, None)]
    found = agreement(rows)
    assert (found.n, found.n_missing) == (1, 2)
    (point,) = found.points
    assert (point.mean, point.difference) == (3.0, 2.0)


def test_none_one_and_two_patients() -> None:
    nobody = agreement([])
    assert nobody.absolute == nobody.percent == LimitsOfAgreement(0, None, None, None, None)
    assert (nobody.n, nobody.concordance, nobody.points) == (0, None, ())
    one = agreement([("a", 1.0, 3.0)])
    assert one.absolute == LimitsOfAgreement(1, Estimate(2.0, None), None, None, None)
    assert one.concordance is None
    two = limits([1.0, 3.0])  # SD sqrt(2), t(1) = 12.7062
    assert two.sd == pytest.approx(2**0.5)
    assert two.bias is not None
    assert two.bias.ci95 == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-4)


def test_concordance_by_hand() -> None:
    # Means 2 and 3, variances 2/3 and 2/3, covariance 2/3: (4/3) / (4/3 + 1).
    assert concordance([1, 2, 3], [2, 3, 4]) == pytest.approx(4 / 7)
    assert concordance([1, 2, 3], [1, 2, 3]) == pytest.approx(1)
    assert concordance([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)


def test_concordance_without_spread() -> None:
    assert concordance([0.1, 0.1, 0.1], [0.1, 0.1, 0.1]) is None
    assert concordance([1, 1], [2, 2]) == 0
    assert concordance([0, 0], [0, 5e-303]) is None  # its square is less than a float can hold
    assert concordance([1], [2]) is None
    with pytest.raises(ValueError, match="1 and 2 values"):
        concordance([1], [2, 3])


@pytest.mark.parametrize("volume", [-1.0, float("nan"), float("inf")])
def test_what_is_no_volume_is_refused(volume: float) -> None:
    with pytest.raises(ValueError, match="of patient 'a' is invalid"):
        agreement([("a", 1.0, volume)])


VOLUME = st.floats(0, 1e4)


@settings(deadline=None)
@given(st.lists(st.tuples(VOLUME, VOLUME), max_size=12))
def test_results_are_finite_and_json(pairs: list[tuple[float, float]]) -> None:
    found = agreement((f"p{k}", a, b) for k, (a, b) in enumerate(pairs))
    adapter = TypeAdapter(Agreement)
    text = adapter.dump_json(found)
    assert b"NaN" not in text
    assert b"Infinity" not in text
    assert adapter.validate_json(text) == found
    assert found.concordance is None or -1 - 1e-9 <= found.concordance <= 1 + 1e-9
