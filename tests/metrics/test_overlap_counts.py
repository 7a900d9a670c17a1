"""Overlap scores against numbers counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from gliomask.metrics.overlap_counts import Overlap, count_overlap


def test_by_hand() -> None:
    reference = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool)  # 4 pixels
    predicted = np.array([[0, 1, 1, 1], [0, 0, 1, 1]], bool)  # 5 pixels, 2 shared
    found = count_overlap(reference, predicted)
    assert found == Overlap(reference=4, predicted=5, both=2)
    assert found.dice == pytest.approx(4 / 9)
    assert found.iou == pytest.approx(2 / 7)
    assert found.sensitivity == pytest.approx(2 / 4)
    assert found.precision == pytest.approx(2 / 5)


def test_volume_error_has_a_sign() -> None:
    assert Overlap(4, 5, 2).volume_error_percent == pytest.approx(25)
    assert Overlap(4, 1, 1).volume_error_percent == pytest.approx(-75)
    assert Overlap(4, 0, 0).volume_error_percent == -100
    assert Overlap(0, 3, 0).volume_error_percent is None


def test_any_shape_counts_the_same() -> None:
    line = np.array([1, 1, 0, 1, 0, 0, 1, 1], bool)
    other = np.roll(line, 1)
    assert count_overlap(line, other) == count_overlap(
        line.reshape(2, 2, 2), other.reshape(2, 2, 2)
    )


def test_empty_arrays_are_empty_masks() -> None:
    nothing = np.zeros((0, 3), bool)
    assert count_overlap(nothing, nothing).dice is None


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        count_overlap(np.zeros(2, bool), np.zeros(3, bool))


@settings(deadline=None, max_examples=50)
@given(arrays(bool, (3, 4)), arrays(bool, (3, 4)))
def test_identities(a: np.ndarray, b: np.ndarray) -> None:
    found = count_overlap(a, b)
    assert found.dice == count_overlap(b, a).dice
    assert found.sensitivity == count_overlap(b, a).precision
    if found.dice is not None and found.iou is not None:
        assert found.dice == pytest.approx(2 * found.iou / (1 + found.iou))
