"""Orientation comes from the affine, exactly, for every way in which a volume can lie."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest

from gliomask.core.geometry import (
    PICTURE_AFFINE,
    axis_codes,
    from_reading,
    orientation,
    spacing_mm,
    to_reading,
    turned_like,
    voxel_ml,
)
from gliomask.core.volume import Affine

ORIENTATIONS = [
    (axes, signs)
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def tilt(degrees: float) -> Affine:
    """A rotation about the x axis, then about the z axis."""
    a = np.deg2rad(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    full = np.eye(4)
    full[:3, :3] = about_z @ about_x
    return full


def affine_of(axes: tuple[int, ...], signs: tuple[int, ...], mm: tuple[float, ...]) -> Affine:
    """Voxel axis n runs along world axis ``axes[n]`` with that sign and spacing."""
    affine = np.zeros((4, 4))
    for voxel, (world, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[world, voxel] = sign * mm[voxel]
    affine[3, 3] = 1
    return affine


@pytest.mark.parametrize("mm", [(1.0, 1.0, 1.0), (1.0, 1.0, 6.0)])
@pytest.mark.parametrize("degrees", [0.0, 17.0])
@pytest.mark.parametrize(("axes", "signs"), ORIENTATIONS)
def test_all_48_orientations_reach_the_reading_frame(
    axes: tuple[int, ...], signs: tuple[int, ...], degrees: float, mm: tuple[float, ...]
) -> None:
    affine = tilt(degrees) @ affine_of(axes, signs, mm)
    turn = orientation(affine)
    rng = np.random.default_rng(0)
    array = rng.integers(0, 9, (3, 4, 5))
    turned = to_reading(array, turn)
    directions = (affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)).T
    for frame_axis, (world, sign) in enumerate(((2, 1), (1, -1), (0, -1))):
        along = directions[turn.axes[frame_axis]] * (-1 if turn.flips[frame_axis] else 1)
        assert along[world] * sign > 0.8
    np.testing.assert_array_equal(from_reading(turned, turn), array)


def test_reading_frame_of_a_ras_volume_by_hand() -> None:
    array = np.zeros((2, 3, 4))  # i to the right, j to the front, k to the head
    array[0, 0, 0] = 7  # left, back, feet
    turned = to_reading(array, orientation(np.eye(4)))
    assert turned.shape == (4, 3, 2)
    assert turned[0, 2, 1] == 7  # lowest slice, last row (back), last column (left)


def test_pictures_are_in_the_reading_frame_but_for_the_order_of_axes() -> None:
    turn = orientation(PICTURE_AFFINE)
    assert (turn.axes, turn.flips) == ((2, 1, 0), (False, False, False))


@pytest.mark.parametrize(
    ("affine", "codes"),
    [
        (np.eye(4), "RAS"),
        (np.diag([-1.0, -1.0, 1.0, 1.0]), "LPS"),
        (affine_of((2, 0, 1), (1, -1, 1), (1, 2, 3)), "SLA"),
    ],
)
def test_axis_codes(affine: Affine, codes: str) -> None:
    assert axis_codes(affine) == codes


def test_spacing_and_volume_of_an_oblique_grid() -> None:
    affine = tilt(17) @ affine_of((0, 1, 2), (1, 1, 1), (0.5, 0.5, 6.0))
    assert spacing_mm(affine) == pytest.approx((0.5, 0.5, 6.0))
    assert voxel_ml(affine) == pytest.approx(0.0015)


def test_leading_axes_are_left_alone() -> None:
    turn = orientation(np.eye(4))
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert to_reading(array, turn).shape == (2, 5, 4, 3)
    np.testing.assert_array_equal(from_reading(to_reading(array, turn), turn), array)


@pytest.mark.parametrize("bad", [np.zeros((4, 4)), np.full((4, 4), np.nan)])
def test_a_singular_affine_is_refused(bad: Affine) -> None:
    with pytest.raises(ValueError, match="singular"):
        orientation(bad)


def test_two_parallel_axes_are_refused() -> None:
    affine = np.eye(4)
    affine[:3, 1] = affine[:3, 0]
    with pytest.raises(ValueError, match="singular"):
        orientation(affine)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product((1, -1), repeat=3)))
def test_a_volume_is_turned_like_another_and_each_voxel_stays(
    axes: tuple[int, int, int], flips: tuple[int, int, int]
) -> None:
    """By nibabel's own re-orientation, another implementation."""
    shape, affine = (4, 5, 6), np.diag([2.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = (-5, 7, 11)
    array = np.arange(120).reshape(shape)
    change = np.column_stack([axes, flips])
    stored = nib.orientations.apply_orientation(array, change)
    placed = affine @ nib.orientations.inv_ornt_aff(change, shape)
    turned, back = turned_like(stored, placed, affine)
    assert np.array_equal(turned, array)
    assert np.allclose(back, affine)
