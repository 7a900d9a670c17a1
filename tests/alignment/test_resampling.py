"""Resampling against SimpleITK, against ramps that it must not change, and against plain copies."""

from __future__ import annotations

import itertools
from importlib import import_module

import numpy as np
import pytest

from gliomask.alignment.coverage import head_share
from gliomask.alignment.resampling import Shape, resample_to, voxels_inside
from gliomask.core.volume import Affine, FloatArray
from tests.alignment.grids import centred, moved, ramp, turned

SHAPE: Shape = (17, 20, 11)
AFFINE = turned(17) @ centred(SHAPE, (1.1, 0.9, 2.5))
NOISE = np.random.default_rng(5).normal(50, 20, SHAPE).astype(np.float32)
GRIDS: dict[str, tuple[Shape, Affine]] = {
    "upright": ((18, 18, 28), centred((18, 18, 28), (1, 1, 1))),
    "thick": ((18, 18, 5), centred((18, 18, 5), (1, 1, 2.9))),
    "mirrored": ((15, 19, 9), AFFINE @ np.diag([-1.0, 1, 1, 1]) @ moved(-15.3, 0.4, 1.2)),
    "oblique": ((16, 12, 14), turned(31, (3, -1, 1)) @ centred((16, 12, 14), (0.9, 1.2, 1))),
    "askew": (
        (14, 14, 14),
        np.array([[1, 0.2, 0, -7], [0, 1, 0.1, -7], [0, 0, 1, -7], [0, 0, 0, 1.0]]),
    ),
}


def by_simpleitk(image: FloatArray, affine: Affine, shape: Shape, reference: Affine) -> FloatArray:
    """Linear resampling by SimpleITK, which may as well think in RAS as in LPS."""
    sitk = import_module("SimpleITK")

    def placed(array: FloatArray, place: Affine) -> object:
        found = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
        spacing = np.linalg.norm(place[:3, :3], axis=0)
        found.SetSpacing(spacing.tolist())
        found.SetOrigin(place[:3, 3].tolist())
        found.SetDirection((place[:3, :3] / spacing).ravel().tolist())
        return found

    grid = placed(np.zeros(shape, np.float32), reference)
    low = float(image.min())
    found = sitk.Resample(placed(image, affine), grid, sitk.Transform(), sitk.sitkLinear, low)
    return np.asarray(sitk.GetArrayFromImage(found), np.float32).T


@pytest.mark.parametrize("name", GRIDS)
def test_as_simpleitk_does_it(name: str) -> None:
    shape, reference = GRIDS[name]
    found = resample_to(NOISE, AFFINE, shape, reference)
    assert found.shape == shape
    assert found.dtype == np.float32
    seen = voxels_inside(SHAPE, AFFINE, shape, reference)
    assert seen.mean() > 0.2
    np.testing.assert_allclose(found, by_simpleitk(NOISE, AFFINE, shape, reference), atol=1e-4)
    assert (found[~seen] == NOISE.min()).all()


@pytest.mark.parametrize("name", GRIDS)
def test_a_ramp_stays_a_ramp(name: str) -> None:
    shape, reference = GRIDS[name]
    found = resample_to(ramp(SHAPE, AFFINE), AFFINE, shape, reference)
    inner = tuple(n - 2 for n in SHAPE)
    within = voxels_inside(
        (inner[0], inner[1], inner[2]), AFFINE @ moved(1, 1, 1), shape, reference
    )
    assert within.any()
    np.testing.assert_allclose(found[within], ramp(shape, reference)[within], atol=1e-4)


def test_the_same_grid_changes_no_bit() -> None:
    np.testing.assert_array_equal(resample_to(NOISE, AFFINE, SHAPE, AFFINE), NOISE)
    rounded = AFFINE.astype(np.float32).astype(np.float64)  # as two files of one grid differ
    np.testing.assert_array_equal(resample_to(NOISE, AFFINE, SHAPE, rounded), NOISE)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", [(), (0,), (1, 2), (0, 1, 2)])
def test_another_order_of_axes_is_a_copy(axes: tuple[int, ...], flips: tuple[int, ...]) -> None:
    expected, affine = np.flip(NOISE, flips), AFFINE.copy()
    for axis in flips:
        affine[:3, 3] += affine[:3, axis] * (SHAPE[axis] - 1)
        affine[:3, axis] *= -1
    affine[:3, :3] = affine[:3, list(axes)]
    i, j, k = (SHAPE[axis] for axis in axes)
    found = resample_to(NOISE, AFFINE, (i, j, k), affine)
    np.testing.assert_array_equal(found, expected.transpose(axes))


def test_a_part_of_the_grid_is_a_copy_and_beyond_it_is_the_darkest_value() -> None:
    found = resample_to(NOISE, AFFINE, (20, 5, 3), AFFINE @ moved(2, 3, 4))
    np.testing.assert_array_equal(found[:15], NOISE[2:, 3:8, 4:7])
    assert (found[15:] == NOISE.min()).all()


def test_half_a_voxel_beyond_the_last_centre_is_still_seen() -> None:
    line = np.array([1.0, 3, 5], np.float32).reshape(3, 1, 1)
    found = resample_to(line, np.eye(4), (9, 1, 1), np.diag([0.5, 1, 1, 1]) @ moved(-2, 0, 0))
    #   at -1, -0.5, 0, 0.5, ... 3
    assert found.ravel().tolist() == [1, 1, 1, 2, 3, 4, 5, 5, 1]


def test_a_thick_slice_is_the_mean_of_what_lies_in_it() -> None:
    """Noise of unit deviation in slices of 1 mm has a deviation of about 6 ** -0.5 in 6 mm."""
    noise = np.random.default_rng(0).normal(0, 1, (40, 40, 72)).astype(np.float32)
    thick = resample_to(
        noise, np.eye(4), (40, 40, 12), np.diag([1, 1, 6.0, 1]) @ moved(0, 0, 2.5 / 6)
    )
    assert thick.std() == pytest.approx(6**-0.5, rel=0.1)
    turn = resample_to(noise, np.eye(4), (40, 40, 72), np.eye(4))
    np.testing.assert_array_equal(turn, noise)


def test_stripes_finer_than_the_slices_do_not_alias() -> None:
    """Stripes of 4 mm sampled each 5 mm would show as stripes of 20 mm."""
    z = np.arange(200)
    stripes = np.tile(np.cos(2 * np.pi * z / 4).astype(np.float32), (2, 2, 1))
    coarse = resample_to(stripes, np.eye(4), (2, 2, 40), np.diag([1, 1, 5.0, 1]))
    assert np.abs(coarse[..., 2:-2]).max() < 0.2


def test_memory_layout_does_not_matter() -> None:
    shape, reference = GRIDS["oblique"]
    fortran = np.asfortranarray(NOISE)
    np.testing.assert_array_equal(
        resample_to(fortran, AFFINE, shape, reference),
        resample_to(NOISE, AFFINE, shape, reference),
    )


def test_empty_and_singular() -> None:
    assert resample_to(NOISE, AFFINE, (0, 3, 3), np.eye(4)).shape == (0, 3, 3)
    with pytest.raises(ValueError, match="empty"):
        resample_to(NOISE[:0], AFFINE, SHAPE, AFFINE)
    with pytest.raises(ValueError, match="singular"):
        resample_to(NOISE, np.zeros((4, 4)), SHAPE, AFFINE)


def test_the_share_of_the_head_that_is_seen() -> None:
    """A head of 10 x 10 x 10 voxels of which a series reaches to seven slices."""
    reference = np.zeros((20, 20, 20), np.float32)
    reference[5:15, 5:15, 5:15] = 100
    assert head_share((20, 20, 12), np.eye(4), reference, np.eye(4)) == pytest.approx(0.7)
    assert head_share((20, 20, 20), np.eye(4), reference, np.eye(4)) == 1
    assert head_share((20, 20, 20), moved(100, 0, 0), reference, np.eye(4)) == 0
    assert head_share((3, 3, 3), np.eye(4), np.zeros((4, 4, 4), np.float32), np.eye(4)) == 0
