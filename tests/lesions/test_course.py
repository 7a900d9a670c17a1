"""A region through time: the same lesions in every sum, pieces, what is not there."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.labels import LabelArray
from gliomask.lesions.course import RegionCourse, region_course
from gliomask.lesions.description import describe_labelled
from gliomask.lesions.error import mask_volume
from gliomask.lesions.lesions import find_lesions
from gliomask.lesions.matching import match_lesions
from tests.lesions.shapes import Mask, block

SHAPE = (60, 30, 6)


def columns(*sides: tuple[tuple[int, int], tuple[int, int]]) -> Mask:
    """Blocks in four slices."""
    mask = np.zeros(SHAPE, bool)
    for i, j in sides:
        mask |= block(SHAPE, i, j, (1, 5))
    return mask


def course(*masks: Mask, followed: bool = True) -> RegionCourse:
    found = [find_lesions(mask, np.eye(4)) for mask in masks]
    reports = [
        describe_labelled(mask, lesions, np.eye(4), "whole")
        for mask, lesions in zip(masks, found, strict=True)
    ]
    tracks = match_lesions(found, [one.labels for one in found]) if followed else None
    return region_course(reports, [mask_volume(mask, np.eye(4)) for mask in masks], tracks)


def product(width: int, height: int) -> float:
    (lesion,) = course(columns(((2, 2 + width), (2, 2 + height)))).lesions[0]
    return lesion.diameters.product.value


def test_volumes_and_their_changes() -> None:
    found = course(columns(((2, 22), (2, 12))), columns(((2, 22), (2, 17))))
    assert [one.value for one in found.volumes_ml] == pytest.approx([0.8, 1.2])
    first, second = found.volume_changes
    assert first is None
    assert second is not None
    assert second.percent is not None
    assert second.absolute.value == pytest.approx(0.4)
    assert second.percent.value == pytest.approx(50)


def test_a_lesion_once_measurable_stays_in_the_sum() -> None:
    # The second lesion is 12 and then 8 pixels high: too small for RANO at the second time point.
    before = columns(((2, 22), (2, 14)), ((30, 42), (2, 14)))
    after = columns(((2, 22), (2, 14)), ((30, 42), (2, 10)))
    followed = course(before, after)
    expected = product(20, 12) + product(12, 12), product(20, 12) + product(12, 8)
    assert [one.value for one in followed.sums_mm2] == pytest.approx(expected)
    assert followed.followed is not None
    assert [lesion.in_sum for lesion in followed.followed] == [True, True]
    alone = course(before, after, followed=False)
    assert alone.followed is None
    assert alone.sums_mm2[1].value == pytest.approx(product(20, 12))


def test_a_lesion_that_is_never_measurable_is_in_no_sum() -> None:
    small = columns(((2, 22), (2, 14)), ((30, 42), (2, 9)))
    found = course(small, small)
    assert found.sums_mm2[0].value == pytest.approx(product(20, 12))
    assert found.followed is not None
    assert [lesion.in_sum for lesion in found.followed] == [True, False]


def test_a_lesion_in_pieces_and_one_that_is_gone() -> None:
    found = course(
        columns(((2, 28), (2, 14))),
        columns(((2, 14), (2, 14)), ((16, 28), (2, 14))),
        np.zeros(SHAPE, bool),
    )
    assert found.followed is not None
    (lesion,) = found.followed
    assert [point.parts for point in lesion.points] == [1, 2, 0]
    assert lesion.points[1].products_mm2.value == pytest.approx(2 * product(12, 12))
    assert lesion.points[2].long_mm is None
    assert lesion.points[2].volume_ml.value == 0.0
    assert lesion.changes[2] is not None
    assert lesion.changes[2].percent is not None
    assert lesion.changes[2].percent.value == pytest.approx(-100)
    assert [one.reached for one in found.thresholds[2]] == [False, True]


def test_nothing_at_all() -> None:
    empty: LabelArray = np.zeros(SHAPE, np.uint8)
    found = course(empty > 0, empty > 0)
    assert found.followed == ()
    assert [one.value for one in found.sums_mm2] == [0.0, 0.0]
    assert found.thresholds == ((), ())
