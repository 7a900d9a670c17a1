"""Lines and powers through hand-made points."""

from __future__ import annotations

import pytest

from benchmarks.growth.fits import grow


def test_a_straight_line_is_found() -> None:
    found = grow([1, 10, 100], [2.5, 7, 52])
    assert found.fixed == pytest.approx(2)
    assert found.per_unit == pytest.approx(0.5)
    assert 0 < found.exponent < found.last_exponent < 1


def test_a_power_is_found() -> None:
    x = [1.0, 2.0, 4.0, 8.0]
    assert grow(x, [3 * one**2 for one in x]).exponent == pytest.approx(2)
    assert grow(x, [5.0] * 4).exponent == pytest.approx(0)
    assert grow(x, [5.0] * 4).per_unit == pytest.approx(0)


def test_the_larger_half_shows_what_comes_late() -> None:
    # Linear at first, quadratic from 4 on.
    found = grow([1, 2, 4, 8], [4, 8, 16, 64])
    assert found.last_exponent == pytest.approx(2)
    assert found.exponent == pytest.approx(1.3)  # slopes 1, 1, 2 weighed 3 : 4 : 3


def test_two_points_make_a_line_and_one_does_not() -> None:
    assert grow([1, 3], [2, 6]).per_unit == pytest.approx(2)
    with pytest.raises(ValueError, match="1 values of x and 1 of y"):
        grow([1], [2])
    with pytest.raises(ValueError, match="2 values of x and 1 of y"):
        grow([1, 2], [2])
