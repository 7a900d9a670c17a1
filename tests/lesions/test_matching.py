"""Which lesion is which: overlap, splits, merges, other grids."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.lesions.lesions import Lesions, find_lesions
from gliomask.lesions.matching import match_lesions, on_grid
from tests.lesions.shapes import Mask, affine, block

SHAPE = (30, 12, 12)


def bar(*sides: tuple[int, int]) -> Mask:
    mask = np.zeros(SHAPE, bool)
    for side in sides:
        mask |= block(SHAPE, side, (3, 9), (3, 9))
    return mask


def matched(*masks: Mask) -> list[tuple[tuple[int, ...], ...]]:
    found: list[Lesions] = [find_lesions(mask, np.eye(4)) for mask in masks]
    return [track.parts for track in match_lesions(found, [one.labels for one in found])]


def test_what_overlaps_is_one_lesion_the_largest_first() -> None:
    # At first 2 and 8 long, then 3 and 9: numbers by size, the same both times.
    assert matched(bar((1, 3), (10, 18)), bar((2, 5), (11, 20))) == [((1,), (1,)), ((2,), (2,))]


def test_numbers_may_change_with_size() -> None:
    assert matched(bar((1, 5), (10, 13)), bar((2, 5), (10, 20))) == [((2,), (1,)), ((1,), (2,))]


def test_new_and_vanished() -> None:
    assert matched(bar((1, 5)), bar((20, 23))) == [((1,), ()), ((), (1,))]


def test_a_lesion_that_was_away_is_still_the_same() -> None:
    assert matched(bar((1, 5)), bar(), bar((2, 6))) == [((1,), (), (1,))]


def test_splitting_and_merging_stay_one_track() -> None:
    assert matched(bar((2, 20)), bar((2, 8), (12, 20)), bar((1, 21))) == [((1,), (1, 2), (1,))]


def test_tiny_components_are_not_followed() -> None:
    speck = bar((2, 10)) | block(SHAPE, (20, 22), (3, 5), (3, 5))
    assert matched(speck, speck) == [((1,), (1,))]


def test_nothing_to_match() -> None:
    assert matched(bar(), bar()) == []


def test_labels_go_onto_another_grid_where_they_lie() -> None:
    # Voxels of half the size, stored from left to right: the same place in the world.
    labels = find_lesions(bar((4, 10)), affine(2.0, 2.0, 2.0)).labels
    fine = affine(1.0, 1.0, 1.0)
    fine[0] = (-1.0, 0.0, 0.0, -30.0 + 2 * 29)
    moved = on_grid(labels, affine(2.0, 2.0, 2.0), (59, 24, 24), fine)
    for i in (8, 12, 18):
        assert moved[58 - i, 12, 12] == labels[i // 2, 6, 6] == 1
    assert not moved[58 - 22 :: -1][23:].any()
    assert moved.dtype == np.int32
    assert on_grid(labels, np.eye(4), (4, 4, 4), affine(1.0, 1.0, 1.0)).sum() == 0


@pytest.mark.parametrize(("shift", "kept"), [(0.4, True), (-0.4, True), (0.6, False)])
def test_a_voxel_at_the_border_reaches_half_its_size(shift: float, kept: bool) -> None:
    labels = np.zeros((3, 3, 3), np.int32)
    labels[0, 1, 1] = 1
    onto = np.eye(4)
    onto[0, 3] = -shift
    assert bool(on_grid(labels, np.eye(4), (1, 3, 3), onto).any()) == kept
