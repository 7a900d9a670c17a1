"""Changes and thresholds against figures worked by hand."""

from __future__ import annotations

import pytest

from gliomask.lesions.change import change, thresholds
from gliomask.lesions.error import Measured


def figure(value: float, error: float = 0.0) -> Measured:
    return Measured(value, value - error, value + error, "m")


def test_independent_errors_add_in_quadrature() -> None:
    found = change(figure(20.0, 3.0), figure(30.0, 4.0))
    assert (found.absolute.low, found.absolute.value, found.absolute.high) == (5.0, 10.0, 15.0)
    # 30/20 - 1 = 50 %; its error is the root of (4/20)² + (1.5 · 3/20)².
    error = 100 * (0.2**2 + 0.225**2) ** 0.5
    assert found.percent is not None
    assert found.percent.value == pytest.approx(50)
    assert found.percent.high == pytest.approx(50 + error)
    assert found.percent.low == pytest.approx(50 - error)


def test_unequal_ends_cross_over_in_a_difference() -> None:
    # The later figure may be 1 less, the earlier one 2 more: the difference may be √5 less.
    found = change(Measured(10, 10, 12, "a"), Measured(10, 9, 10, "b"))
    assert found.absolute.low == pytest.approx(-(5**0.5))
    assert found.absolute.high == 0.0
    assert found.absolute.method == "a; b"


def test_nothing_is_a_percentage_of_nothing() -> None:
    found = change(figure(0.0), figure(7.0, 1.0))
    assert found.percent is None
    assert found.absolute.value == 7.0


def test_one_time_point_has_no_change() -> None:
    assert thresholds([figure(100.0)]) == ()


@pytest.mark.parametrize(("last", "reached"), [(124.9, False), (125.0, True), (180.0, True)])
def test_a_quarter_more_than_the_smallest_before(last: float, reached: bool) -> None:
    smallest, first = thresholds([figure(200.0), figure(100.0), figure(150.0), figure(last)])
    assert smallest.compared_with == "smallest before"
    assert smallest.percent.value == pytest.approx(last - 100)
    assert smallest.reached is reached
    assert not first.reached


@pytest.mark.parametrize(("last", "reached"), [(100.1, False), (100.0, True), (0.0, True)])
def test_half_of_the_first(last: float, reached: bool) -> None:
    _, first = thresholds([figure(200.0), figure(300.0), figure(last)])
    assert first.compared_with == "first"
    assert first.threshold_percent == -50.0
    assert first.reached is reached


def test_says_that_it_may_be_the_other_way_round() -> None:
    smallest, first = thresholds([figure(100.0, 5.0), figure(130.0, 5.0)])
    assert smallest.reached
    assert smallest.within_error
    assert not first.within_error


def test_after_nothing_there_is_no_percentage() -> None:
    assert [one.compared_with for one in thresholds([figure(9.0), figure(0.0), figure(5.0)])] == [
        "first"
    ]
