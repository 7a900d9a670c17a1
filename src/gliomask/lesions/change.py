"""Changes between time points, with their errors.

The thresholds are those that RANO (Wen et al. 2010) sets for the sum of the products of diameters:
25 % above the smallest sum so far, 50 % below the first. This is only arithmetic: a response
assessment also considers new lesions, steroids and the clinical condition, and is made by a
radiologist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gliomask.lesions.error import Measured

INCREASE_PERCENT = 25.0
"""Above the smallest earlier sum of products."""
DECREASE_PERCENT = 50.0
"""Below the first sum of products."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Change:
    """Change from a value to a later one.

    Attributes:
        absolute: the difference, in the unit of the figures.
        percent: of the earlier figure; None where that is 0.
    """

    absolute: Measured
    percent: Measured | None


@dataclass(frozen=True)
class Threshold:
    """A change in the sum of products compared with RANO's threshold.

    Attributes:
        compared_with: ``first`` or ``smallest before``.
        percent: the change.
        threshold_percent: +25 or -50.
        reached: whether it is at least as far from 0 as the threshold.
        within_error: whether the threshold lies within the change's error, so that it may as well
            be the other way round.
    """

    compared_with: str
    percent: Measured
    threshold_percent: float
    reached: bool
    within_error: bool


def change(before: Measured, after: Measured) -> Change:
    """The difference and the percentage, with errors that are independent of each other.

    The ends are those of a difference and a ratio of two independent figures to first order. Where
    both masks have one maker, whose boundaries are off in the same way both times, the true error
    of the change is smaller.
    """
    below, above = after.value - after.low, after.high - after.value
    was_below, was_above = before.value - before.low, before.high - before.value
    difference = after.value - before.value
    method = before.method if before.method == after.method else f"{before.method}; {after.method}"
    absolute = Measured(
        difference,
        difference - _both(below, was_above),
        difference + _both(above, was_below),
        method,
    )
    if before.value <= 0:
        return Change(absolute, None)
    ratio = after.value / before.value
    low, high = (
        _both(own / before.value, ratio * other / before.value)
        for own, other in ((below, was_above), (above, was_below))
    )
    percent = 100 * (ratio - 1)
    return Change(absolute, Measured(percent, percent - 100 * low, percent + 100 * high, method))


def thresholds(sums: Sequence[Measured]) -> tuple[Threshold, ...]:
    """Compare the last sum of products of a series with the thresholds; none for the first time
    point and where what it is compared with is 0.

    Args:
        sums: in mm², in order of time.
    """
    if len(sums) < 2:
        return ()
    last, smallest = sums[-1], min(sums[:-1], key=lambda total: total.value)
    return tuple(
        _threshold(name, changed, limit)
        for name, changed, limit in (
            ("smallest before", change(smallest, last).percent, INCREASE_PERCENT),
            ("first", change(sums[0], last).percent, -DECREASE_PERCENT),
        )
        if changed is not None
    )


def _threshold(name: str, changed: Measured, limit: float) -> Threshold:
    slack = _ROUNDING * abs(limit)
    reached = changed.value >= limit - slack if limit > 0 else changed.value <= limit + slack
    return Threshold(name, changed, limit, reached, changed.low < limit < changed.high)


def _both(first: float, other: float) -> float:
    return float((first * first + other * other) ** 0.5)
