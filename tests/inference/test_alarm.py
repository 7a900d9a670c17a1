"""The limit of disagreement above which a case is flagged, by hand."""

from __future__ import annotations

import pytest

from gliomask.inference.alarm import alarm_limit

GOOD = [0.01 * k for k in range(1, 11)]  # ten good masks: 0.01 to 0.10


def flagged(limit: float, disagreements: list[float]) -> int:
    return sum(one > limit for one in disagreements)


def test_four_in_five_poor_masks_are_caught_and_no_more_good_ones_than_needed() -> None:
    poor = [0.05, 0.2, 0.3, 0.4, 0.5]
    limit = alarm_limit([*GOOD, *poor], [0.9] * 10 + [0.5] * 5)
    assert limit is not None
    assert limit == pytest.approx(0.2, abs=1e-6)  # catches 0.2 and above: four of five
    assert flagged(limit, poor) == 4
    assert flagged(limit, GOOD) == 0


def test_no_more_than_a_fifth_of_the_good_masks_is_flagged() -> None:
    poor = [0.03, 0.04, 0.05]  # they look like good ones
    limit = alarm_limit([*GOOD, *poor], [0.9] * 10 + [0.5] * 3)
    assert limit == pytest.approx(0.08)
    assert flagged(0.08, GOOD) == 2


def test_without_a_poor_mask_none_of_the_patients_is_flagged() -> None:
    assert alarm_limit(GOOD, [0.9] * 10) == pytest.approx(0.1)


def test_without_patients_there_is_no_limit() -> None:
    assert alarm_limit([], []) is None


def test_all_poor() -> None:
    limit = alarm_limit([0.1, 0.2], [0.1, 0.1])
    assert limit is not None
    assert flagged(limit, [0.1, 0.2]) == 2
