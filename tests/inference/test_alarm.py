"""The limit of disagreement above which a case is flagged, by hand."""

from __future__ import annotations

import math

import pytest

from gliomask.inference.alarm import FALSE_ALARMS, alarm_limit

GOOD = [0.01 * k for k in range(1, 21)]  # twenty good masks: 0.01 to 0.20


@pytest.mark.parametrize("poor", [[], [0.02, 0.3], [0.3] * 9])
def test_one_of_twenty_good_masks_lies_above_it(poor: list[float]) -> None:
    """The 19th: ceil(0.88 x 21). Whatever the poor ones do: they are too few to choose a limit by.

    Of 21 exchangeable good masks the last one is above the limit of the others in 2 of 21 places,
    10 %, which is below 12 %; one more alarm among the twenty would make it 3 of 21, 14 %.
    """
    limit = alarm_limit([*poor, *GOOD], [0.69] * len(poor) + [0.7] * len(GOOD))
    assert limit is not None
    assert limit == pytest.approx(0.19)
    assert sum(one > limit for one in GOOD) == 1


@pytest.mark.parametrize(("count", "above"), [(8, 0), (15, 0), (16, 1), (23, 1), (24, 2), (33, 3)])
def test_no_allowed_alarm_is_left_unused(count: int, above: int) -> None:
    """A further mask exceeds it with a probability of (above + 1) / (n + 1), at most 0.12."""
    good = [0.01 * k for k in range(count)]
    limit = alarm_limit(good, [0.9] * count)
    assert limit is not None
    assert sum(one > limit for one in good) == above
    assert (above + 1) / (count + 1) <= FALSE_ALARMS < (above + 2) / (count + 1)


def test_each_of_the_good_masks_judged_by_the_others() -> None:
    """The two most unusual of twenty are flagged, a tenth: ceil(0.88 x 20) = 18 of the other 19."""
    flagged = []
    for k, own in enumerate(GOOD):
        limit = alarm_limit(GOOD[:k] + GOOD[k + 1 :], [0.9] * 19)
        assert limit is not None
        flagged.append(own > limit)
    assert flagged == [False] * 18 + [True] * 2


def test_of_few_good_masks_none_lies_above_it() -> None:
    assert alarm_limit([0.1, 0.3, 0.2, 0.9], [0.9, 0.9, 0.9, 0.1]) == 0.3


def test_good_masks_that_are_flagged_anyway_count_as_above_it() -> None:
    """One of twenty may be flagged: with one flagged anyway, no other."""
    assert alarm_limit([math.inf, *GOOD[1:]], [0.9] * 20) == pytest.approx(0.2)
    assert alarm_limit([*GOOD, math.inf], [*[0.9] * 20, 0.3]) == pytest.approx(0.19)


def test_where_too_many_are_flagged_anyway_no_other_is() -> None:
    assert alarm_limit([math.inf] * 5 + GOOD[5:], [0.9] * 20) == pytest.approx(0.2)
    assert alarm_limit([math.inf] * 2, [0.9] * 2) == 0.0


def test_without_patients_there_is_no_limit() -> None:
    assert alarm_limit([], []) is None


def test_where_all_are_poor_all_are_flagged() -> None:
    limit = alarm_limit([0.1, 0.2], [0.1, 0.1])
    assert limit == 0.0
