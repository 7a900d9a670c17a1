"""Grids that are the same with their axes in another order."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.metrics.grids import described, on_reading_frame, same_grid

AFFINE = np.array([[1, 0, 0, 5], [0, 2, 0, -7], [0, 0, 3, 11], [0, 0, 0, 1]], np.float64)
ARRAY = np.arange(4 * 3 * 2, dtype=np.int16).reshape(4, 3, 2)


def test_reading_frame_by_hand() -> None:
    turned, grid = on_reading_frame(ARRAY, AFFINE)
    assert grid.shape == turned.shape == (2, 3, 4)
    # The first voxel of the first slice is the patient's right front: i = 3, j = 2, k = 0.
    assert turned[0, 0, 0] == ARRAY[3, 2, 0]
    np.testing.assert_array_equal(grid.affine[:3, 3], [5 + 3, -7 + 4, 11])
    # From slice to slice 3 mm up, from row to row 2 mm back, from column to column 1 mm left.
    np.testing.assert_array_equal(grid.affine[:3, :3], [[0, 0, -1], [0, -2, 0], [3, 0, 0]])


@pytest.mark.parametrize(
    ("axes", "flips"), [((0, 1, 2), (0,)), ((1, 0, 2), ()), ((2, 0, 1), (0, 2)), ((2, 1, 0), (1,))]
)
def test_any_order_of_axes_is_the_same_grid(axes: tuple[int, ...], flips: tuple[int, ...]) -> None:
    affine = AFFINE.copy()
    for axis in flips:
        affine[:3, 3] += affine[:3, axis] * (ARRAY.shape[axis] - 1)
        affine[:3, axis] *= -1
    affine[:3, :3] = affine[:3, :3][:, list(axes)]
    other = np.flip(ARRAY, flips).transpose(axes)
    turned, grid = on_reading_frame(ARRAY, AFFINE)
    again, same = on_reading_frame(other, affine)
    assert same_grid(grid, same)
    np.testing.assert_array_equal(turned, again)


@pytest.mark.parametrize(("row", "column", "by"), [(0, 3, 0.2), (2, 2, 0.5), (0, 1, 0.3)])
def test_another_place_is_another_grid(row: int, column: int, by: float) -> None:
    moved = AFFINE.copy()
    moved[row, column] += by
    assert not same_grid(on_reading_frame(ARRAY, AFFINE)[1], on_reading_frame(ARRAY, moved)[1])


def test_rounding_of_headers_is_no_other_place() -> None:
    turned = AFFINE.copy()
    turned[:3, :3] = turned[:3, :3] @ np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    rounded = turned.astype(np.float32).astype(np.float64)
    assert same_grid(on_reading_frame(ARRAY, turned)[1], on_reading_frame(ARRAY, rounded)[1])


def test_another_size_is_another_grid() -> None:
    one, other = on_reading_frame(ARRAY, AFFINE)[1], on_reading_frame(ARRAY[:3], AFFINE)[1]
    assert not same_grid(one, other)
    assert described(one) == "2 x 3 x 4 of 3 x 2 x 1 mm from (8, -3, 11)"


def test_singular_affine() -> None:
    with pytest.raises(ValueError, match="singular"):
        on_reading_frame(ARRAY, np.zeros((4, 4)))
