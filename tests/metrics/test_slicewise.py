"""Scores of single slices."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.metrics.slicewise import SliceScore, pool_slices, score_slices


def stack(*rows: list[int]) -> np.ndarray:
    return np.array([[row] for row in rows], bool)


def test_by_hand() -> None:
    reference = stack([1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0])
    predicted = stack([0, 1, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0])
    found = score_slices(reference, predicted)
    # Dice 2/3 and 0 (missed); one of three empty slices has invented tumour.
    assert (found.tumour, found.free, found.invented) == (2, 3, 1)
    assert found.dice == pytest.approx(1 / 3)
    assert found.false_positive_rate == pytest.approx(1 / 3)


def test_area_of_invented_tumour_by_hand() -> None:
    reference = stack([1, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0])
    predicted = stack([1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 1, 1], [0, 0, 0])
    found = score_slices(reference, predicted, pixel_mm2=0.5)
    # 3 + 2 pixels in four free slices; the pixel too many beside real tumour is another matter.
    assert (found.invented_px, found.invented_mm2) == (5, 2.5)
    assert found.false_positive_px == pytest.approx(5 / 4)
    assert found.false_positive_mm2 == pytest.approx(2.5 / 4)
    assert score_slices(reference, predicted).invented_mm2 is None


def test_nothing_to_say_is_none() -> None:
    assert SliceScore().false_positive_px is None
    assert SliceScore(invented_mm2=0.0).false_positive_mm2 is None
    assert score_slices(np.zeros((0, 2, 2), bool), np.zeros((0, 2, 2), bool)) == SliceScore()
    assert SliceScore().dice is None
    assert SliceScore().false_positive_rate is None


def test_pool_weighs_slices_alike() -> None:
    pooled = pool_slices([SliceScore(1, 1.0, 0, 0), SliceScore(3, 1.0, 4, 1)])
    assert pooled == SliceScore(4, 2.0, 4, 1)
    assert pooled.dice == 0.5


def test_pooled_areas_are_sums() -> None:
    large, small = SliceScore(0, 0.0, 1, 1, 8, 4.0), SliceScore(0, 0.0, 3, 1, 4, 8.0)
    pooled = pool_slices([large, small])
    assert (pooled.false_positive_px, pooled.false_positive_mm2) == (3.0, 3.0)
    assert pool_slices([large, SliceScore(0, 0.0, 3, 1, 4, None)]).invented_mm2 is None
    assert pool_slices([]) == SliceScore()
