"""What goes into the reading frame comes back to the voxel that it came from."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gliomask.core.geometry import to_reading
from gliomask.core.intensity import CLIP, foreground_level, normalise
from gliomask.core.slices import place, to_slices, uncrop
from gliomask.core.volume import Affine, Volume


def head(
    shape: tuple[int, int, int] = (40, 44, 12),
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]]:
    """A ball of noise in air."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij"))
    inside = (grid**2).sum(axis=0) < 0.5
    noise = np.random.default_rng(3).normal(100, 20, shape)
    return np.where(inside, noise, 0).astype(np.float32)


def volume(affine: Affine | None = None) -> Volume:
    image = head()
    return Volume(
        np.stack([image, image**2]), np.eye(4) if affine is None else affine, ("t1", "t2")
    )


def test_stack_has_slices_first_and_is_cropped_to_the_head() -> None:
    stack = to_slices(volume())
    slices, channels, height, width = stack.array.shape
    assert (slices, channels) == (12, 2)
    assert height < 44
    assert width < 40
    assert stack.sequences == ("t1", "t2")
    assert stack.array.dtype == np.float32


@pytest.mark.parametrize("signs", list(itertools.product((1.0, -1.0), repeat=3)))
def test_a_mask_returns_to_its_voxels(signs: tuple[float, float, float]) -> None:
    record = to_slices(volume(np.diag([*signs, 1.0]))).record
    mask = np.zeros((40, 44, 12), np.uint8)
    mask[15:22, 20:30, 4:7] = 5
    whole = to_reading(mask, record.turn)
    cropped = whole[:, *record.window]
    assert cropped.shape < whole.shape
    np.testing.assert_array_equal(uncrop(cropped, record), whole)
    np.testing.assert_array_equal(place(cropped, record), mask)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_placed_maps_lie_in_memory_as_the_slices_do(axes: tuple[int, int, int]) -> None:
    affine = np.eye(4)
    affine[:3, :3] = affine[:3, axes]
    record = to_slices(volume(affine)).record
    height, width = (side.stop - side.start for side in record.window)
    maps = np.arange(2.0 * record.shape[record.turn.axes[0]] * height * width)
    maps = maps.reshape(2, -1, height, width)
    placed = place(maps, record)
    assert placed.shape == (2, *record.shape)
    whole = to_reading(placed, record.turn)
    np.testing.assert_array_equal(whole[..., *record.window], maps)
    assert [abs(step) for step in whole.strides] == sorted(map(abs, whole.strides))[::-1]
    assert min(placed.strides) > 0  # torch takes no others


def test_what_the_crop_took_is_background() -> None:
    record = to_slices(volume()).record
    top, bottom, left, right = record.box
    ones = np.ones((12, bottom - top, right - left), bool)
    placed = place(ones, record)
    assert placed.shape == (40, 44, 12)
    assert placed.sum() == ones.sum()
    assert not placed[0].any()


def test_the_same_head_in_any_orientation_gives_the_same_slices() -> None:
    plain = volume()
    flipped = Volume(
        np.ascontiguousarray(plain.array[:, ::-1].transpose(0, 3, 1, 2)),
        np.array([[0, -1, 0, 39], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]]),
        plain.sequences,
    )
    np.testing.assert_array_equal(to_slices(flipped).array, to_slices(plain).array)


def test_normalised_head_has_no_mean_and_unit_deviation() -> None:
    image = head()
    normal = normalise(image)
    inside = normal[image > foreground_level(image)]
    assert inside.mean() == pytest.approx(0, abs=0.01)
    assert inside.std() == pytest.approx(1, abs=0.01)
    assert np.abs(normal).max() <= CLIP


def test_normalising_does_not_know_the_scanner_s_units() -> None:
    image = head()
    np.testing.assert_allclose(normalise(image), normalise(image * 37), atol=0.01)


def test_values_are_of_half_precision_so_that_the_store_keeps_them_exactly() -> None:
    array = to_slices(volume()).array
    np.testing.assert_array_equal(array, array.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_image_is_refused(value: float) -> None:
    flat = Volume(np.full((1, 8, 8, 4), value, np.float32), np.eye(4), ("flair",))
    with pytest.raises(ValueError, match=r"flair: .*constant"):
        to_slices(flat)
