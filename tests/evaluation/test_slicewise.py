"""Scores of single slices."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.evaluation.slicewise import SliceScore, pool, score_slices


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


def test_nothing_to_say_is_none() -> None:
    assert SliceScore().dice is None
    assert SliceScore().false_positive_rate is None


def test_pool_weighs_slices_alike() -> None:
    pooled = pool([SliceScore(1, 1.0, 0, 0), SliceScore(3, 1.0, 4, 1)])
    assert pooled == SliceScore(4, 2.0, 4, 1)
    assert pooled.dice == 0.5
