"""The limit of disagreement above which a case is flagged, by hand."""

from __future__ import annotations

import pytest

from gliomask.inference.alarm import alarm_limit

GOOD = [0.01 * k for k in range(1, 21)]  # twenty good masks: 0.01 to 0.20


@pytest.mark.parametrize("poor", [[], [0.02, 0.3], [0.3] * 9])
def test_two_of_twenty_good_masks_lie_above_it(poor: list[float]) -> None:
    """Whatever the poor ones do: they are too few to choose a limit by."""
    limit = alarm_limit([*poor, *GOOD], [0.69] * len(poor) + [0.7] * len(GOOD))
    assert limit is not None
    assert limit == pytest.approx(0.18)
    assert sum(one > limit for one in GOOD) == 2


def test_of_few_good_masks_none_lies_above_it() -> None:
    assert alarm_limit([0.1, 0.3, 0.2, 0.9], [0.9, 0.9, 0.9, 0.1]) == 0.3


def test_without_patients_there_is_no_limit() -> None:
    assert alarm_limit([], []) is None


def test_where_all_are_poor_all_are_flagged() -> None:
    limit = alarm_limit([0.1, 0.2], [0.1, 0.1])
    assert limit == 0.0
