"""The layers of the viewer: exact places, few bytes."""

from __future__ import annotations

import base64
import gzip
from itertools import permutations

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest

from gliomask.core.geometry import PICTURE_AFFINE
from gliomask.core.volume import Volume
from gliomask.report.case import layers
from gliomask.report.case.layers import (
    ViewerLayer,
    grid_of,
    image_layer,
    largest_slice,
    map_layer,
    mask_layer,
)
from tests.fakes import HEAD_AFFINE, head_labels, head_volume, world_points

ORDERS = [(axes, flips) for axes in permutations(range(3)) for flips in ((), (0,), (1, 2))]


def opened(layer: ViewerLayer) -> nib.Nifti1Image:
    """By nibabel, which applies the scaling itself."""
    return nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(layer.data)))


def values(layer: ViewerLayer) -> npt.NDArray[np.float64]:
    return np.asarray(opened(layer).get_fdata())


@pytest.mark.parametrize(("axes", "flips"), ORDERS)
def test_the_mask_stays_where_it_is_in_the_world(
    axes: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    volume, mask = head_volume(axes, flips), head_labels(axes, flips)
    image = opened(mask_layer(mask, grid_of(volume, mask)))
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    # A NIfTI header holds an affine in single precision.
    found, meant = (
        sorted(world_points(*one))
        for one in ((image.get_fdata() > 0, image.affine), (mask, volume.affine))
    )
    assert np.allclose(found, meant, atol=1e-4)


@pytest.mark.parametrize(("axes", "flips"), ORDERS)
def test_each_voxel_knows_its_index_in_the_input(
    axes: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    volume, mask = head_volume(axes, flips), head_labels(axes, flips)
    grid = grid_of(volume, mask)
    kept = grid.take(volume.array[1])
    for voxel in ((0, 0, 0), (3, 1, 2), tuple(size - 1 for size in grid.shape)):
        i, j, k, _ = np.rint(grid.to_input @ (*voxel, 1)).astype(int)
        assert volume.array[1, i, j, k] == kept[voxel]
        assert np.allclose(grid.affine @ (*voxel, 1), volume.affine @ (i, j, k, 1))


def test_a_large_volume_is_thinned_along_its_finest_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    volume, mask = head_volume(), head_labels()
    # 24 x 20 x 8 voxels of 1 x 1.2 x 3 mm in two sequences: first x, then y, then x again.
    for budget, step in (
        (7680, (1, 1, 1)),
        (7679, (2, 1, 1)),
        (3839, (2, 2, 1)),
        (1919, (4, 2, 1)),
    ):
        monkeypatch.setattr(layers, "_BUDGET", budget)
        grid = grid_of(volume, mask)
        assert grid.step == step
        assert grid.shape == (24 // step[0], 20 // step[1], 8)
        image = opened(mask_layer(mask, grid))
        kept = image.get_fdata() > 0
        assert kept.any()
        every = mask[:: step[0], :: step[1]] > 0
        assert np.array_equal(kept, every)
        assert np.allclose(
            image.affine @ (3, 2, 1, 1), HEAD_AFFINE @ (3 * step[0], 2 * step[1], 1, 1)
        )
        assert np.rint(grid.to_input @ (3, 2, 1, 1)).tolist() == [3 * step[0], 2 * step[1], 1, 1]


def test_the_air_is_cut_off() -> None:
    # The head spans i 3..20 and j 3..16 of (24, 20, 8), all slices; the margin is 3.
    grid = grid_of(head_volume(), head_labels())
    assert grid.start == (0, 0, 0)
    assert grid.shape == (24, 20, 8)
    wide = np.pad(head_volume().array, ((0, 0), (10, 0), (0, 20), (0, 0)))
    volume = Volume(wide, np.eye(4), ("t1", "flair"))
    grid = grid_of(volume, np.zeros(volume.shape, np.uint8))
    assert (grid.start, grid.shape) == ((10, 0, 0), (24, 20, 8))
    assert grid.whole == (34, 40, 8)


def test_a_mask_beyond_the_head_is_kept() -> None:
    wide = np.pad(head_volume().array, ((0, 0), (30, 0), (0, 0), (0, 0)))
    volume = Volume(wide, np.eye(4), ("t1", "flair"))
    mask = np.zeros(volume.shape, np.uint8)
    mask[1, 1, 1] = 2
    grid = grid_of(volume, mask)
    assert grid.start == (0, 0, 0)
    assert values(mask_layer(mask, grid)).sum() == 2


def test_an_empty_image_is_kept_whole() -> None:
    volume = Volume(np.zeros((1, 4, 5, 6), np.float32), np.eye(4), ("t1",))
    grid = grid_of(volume, np.zeros(volume.shape, np.uint8))
    assert grid.shape == (4, 5, 6)
    layer = image_layer(volume.array[0], grid, grid.levels[0])
    assert values(layer).max() == pytest.approx(0, abs=1e-5)
    assert layer.white > layer.black


def test_intensities_are_within_half_a_step() -> None:
    volume, mask = head_volume(), head_labels()
    grid = grid_of(volume, mask)
    layer = image_layer(volume.array[1], grid, grid.levels[1])
    clipped = np.clip(grid.take(volume.array[1]), layer.low, layer.high)
    step = (layer.high - layer.low) / 255
    assert np.abs(values(layer) - clipped).max() <= 0.5 * step * 1.001
    assert opened(layer).get_data_dtype() == np.uint8
    assert layer.low <= layer.black < layer.white <= layer.high


def test_a_map_keeps_probabilities() -> None:
    volume, mask = head_volume(), head_labels()
    grid = grid_of(volume, mask)
    probability = np.linspace(0, 1, mask.size, dtype=np.float32).reshape(mask.shape)
    layer = map_layer(probability, grid)
    assert np.abs(values(layer) - grid.take(probability)).max() <= 0.5 / 255 + 1e-6
    assert (layer.low, layer.high) == (0, 1)


def test_opens_at_the_largest_slice_of_the_mask() -> None:
    volume, mask = head_volume(), np.zeros((24, 20, 8), np.uint8)
    mask[5:8, 5:8, 2] = 1
    mask[10:15, 5:10, 6] = 1
    assert largest_slice(mask, grid_of(volume, mask)) == (12, 7, 6)


def test_opens_in_the_middle_of_an_empty_mask() -> None:
    volume, mask = head_volume(), np.zeros((24, 20, 8), np.uint8)
    assert largest_slice(mask, grid_of(volume, mask)) == (12, 10, 4)


def test_opens_on_the_mask_even_if_it_is_hollow() -> None:
    volume, mask = head_volume(), np.zeros((24, 20, 8), np.uint8)
    mask[5:16, 5:16, 3] = 1
    mask[6:15, 6:15, 3] = 0
    grid = grid_of(volume, mask)
    assert grid.take(mask)[largest_slice(mask, grid)] == 1


def test_pictures_keep_their_rows_and_columns() -> None:
    array = np.arange(2 * 3, dtype=np.float32).reshape(1, 2, 3, 1)
    volume = Volume(array, PICTURE_AFFINE, ("flair",), has_world=False)
    grid = grid_of(volume, np.ones((2, 3, 1), np.uint8))
    # Columns run to the left and rows to the back: both against R and A.
    assert np.array_equal(grid.take(array[0]), array[0, ::-1, ::-1])


def test_the_same_bytes_every_time() -> None:
    volume, mask = head_volume(), head_labels()
    grid = grid_of(volume, mask)
    assert mask_layer(mask, grid) == mask_layer(mask, grid)
