"""Boxes around masks."""

from __future__ import annotations

import numpy as np

from gliomask.metrics.boxes import bounding_box, joint

MASK = np.zeros((4, 6, 8), bool)
MASK[1:3, 2, 5:8] = True


def test_by_hand() -> None:
    assert bounding_box(MASK) == (slice(1, 3), slice(2, 3), slice(5, 8))


def test_margin_ends_at_the_border() -> None:
    assert bounding_box(MASK, 2) == (slice(0, 4), slice(0, 5), slice(3, 8))


def test_an_empty_mask_has_an_empty_box() -> None:
    assert MASK[bounding_box(np.zeros_like(MASK), 1)].size == 0
    assert bounding_box(np.zeros((0, 3), bool)) == (slice(0, 0), slice(0, 0))


def test_joint() -> None:
    boxes = [(slice(1, 3), slice(5, 6)), (slice(0, 2), slice(7, 9))]
    assert joint(boxes) == (slice(0, 3), slice(5, 9))
