"""Small parts of a mask, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.labels import LabelArray
from gliomask.inference.parts import drop_small_parts


def mask() -> LabelArray:
    """Parts of 10, 2 and 1 voxels; the first holds two labels and one step over a corner."""
    labels = np.zeros((8, 8, 4), np.uint8)
    labels[0, 0:8, 0] = 2
    labels[1, 1, 1] = 4
    labels[1, 0, 1] = 4
    labels[5, 5:7, 2] = 2
    labels[7, 0, 3] = 2
    return labels


@pytest.mark.parametrize(
    ("share", "left"), [(0.0, 13), (0.1, 13), (0.11, 12), (0.2, 12), (0.21, 10), (1.0, 10)]
)
def test_parts_below_the_share_go(share: float, left: int) -> None:
    labels = mask()
    kept = drop_small_parts(labels, share)
    assert np.count_nonzero(kept) == left
    assert np.array_equal(kept[kept > 0], labels[kept > 0])
    assert np.array_equal(labels, mask())  # it is not changed


def test_what_touches_by_a_corner_is_one_part() -> None:
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[0, 0, 0] = labels[1, 1, 1] = 1
    assert np.count_nonzero(drop_small_parts(labels, 1.0)) == 2


def test_nothing_stays_nothing() -> None:
    empty = np.zeros((3, 3, 3), np.uint8)
    assert not drop_small_parts(empty, 0.5).any()


def test_of_equal_parts_all_stay() -> None:
    labels = np.zeros((5, 1, 1), np.uint8)
    labels[[0, 2, 4]] = 3
    assert np.array_equal(drop_small_parts(labels, 1.0), labels)
