"""Maps of regions that are stored cropped."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.geometry import orientation
from gliomask.core.region_maps import RegionMaps
from gliomask.core.slices import StackRecord

LPS = np.diag([-2.0, -2.0, 5.0, 1.0])
"""In this orientation slices (S, H, W) are (K, J, I) of the volume."""


@pytest.fixture
def maps() -> RegionMaps:
    """Two regions on one slice of 2 x 1 pixels in a volume of 4 x 3 x 1 voxels."""
    record = StackRecord((4, 3, 1), LPS, orientation(LPS), (1, 3, 2, 3), has_world=True)
    cropped = np.array([[[[0.5], [0.25]]], [[[0.125], [0.75]]]], np.float32)
    return RegionMaps(cropped, record)


def test_one_region_at_a_time_by_hand(maps: RegionMaps) -> None:
    first, second = maps
    expected = np.zeros((4, 3, 1), np.float32)
    expected[2, 1:, 0] = 0.5, 0.25
    np.testing.assert_array_equal(first, expected)
    expected[2, 1:, 0] = 0.125, 0.75
    np.testing.assert_array_equal(second, expected)


def test_all_regions(maps: RegionMaps) -> None:
    whole = maps.whole()
    assert whole.dtype == np.float32
    assert whole.shape == maps.shape == (2, 4, 3, 1)
    np.testing.assert_array_equal(whole, np.stack(list(maps)))


def test_highest_values(maps: RegionMaps) -> None:
    assert maps.max() == 0.75
    np.testing.assert_array_equal(maps.maximum(), maps.whole().max(axis=0))


def test_without_regions() -> None:
    record = StackRecord((4, 3, 1), LPS, orientation(LPS), (0, 3, 0, 4), has_world=True)
    empty = RegionMaps(np.zeros((0, 1, 3, 4), np.float32), record)
    assert empty.max() == 0
    assert list(empty) == []
