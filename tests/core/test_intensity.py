"""What counts as head: whole heads in noisy air, brains in exact zeros, brains in noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from gliomask.core.geometry import to_reading
from gliomask.core.intensity import foreground_level, normalise, tissue_level
from gliomask.core.slices import to_slices
from gliomask.core.volume import FloatArray, Volume
from gliomask.phantom.options import PatientOptions
from gliomask.phantom.patient import synthetic_patient

Mask = npt.NDArray[np.bool_]

STRIPPED = PatientOptions(matrix=48, slices=20, slice_mm=10.0, field_mm=320.0)
"""From beneath the skull's base, with neck and face, to above the head; air on all sides."""
WHOLE = replace(STRIPPED, skull=True)


@pytest.fixture(scope="module")
def heads() -> tuple[Volume, Volume]:
    """A patient as a whole head and with the same brain cut out."""
    return synthetic_patient(0, WHOLE)[0], synthetic_patient(0, STRIPPED)[0]


def brain_of(stripped: Volume) -> Mask:
    found: Mask = stripped.array[0] > 0
    return found


def surely_air(shape: tuple[int, ...]) -> Mask:
    """The rim of the field of view, 27 mm wide: no head of the phantom gets there."""
    air = np.ones(shape, bool)
    air[4:-4, 4:-4] = False
    return air


def in_noise(image: FloatArray, share: float) -> FloatArray:
    """An image with noisy air, the noise a share of its median tissue."""
    noise = np.random.default_rng(0).rayleigh(share * np.median(image[image > 0]), image.shape)
    return np.where(image > 0, image, noise).astype(np.float32)


def test_whole_heads_are_head_and_the_air_around_is_not(
    heads: tuple[Volume, Volume],
) -> None:
    whole, stripped = heads
    brain, air = brain_of(stripped), surely_air(whole.shape)
    for image in whole.array:
        assert image[air].std() > 0  # the air of the phantom is noise
        head = image > foreground_level(image)
        assert head[brain].mean() > 0.85  # fluid is dark in some sequences
        assert head[air].mean() < 0.03
        assert head[~brain].sum() > 0.5 * brain.sum()  # scalp, face and neck


def test_a_brain_in_zeros_has_no_air_in_it(heads: tuple[Volume, Volume]) -> None:
    _, stripped = heads
    brain = brain_of(stripped)
    for image in stripped.array:
        head = image > foreground_level(image)
        assert head[brain].mean() > 0.9
        assert not head[~brain].any()


@pytest.mark.parametrize("share", [0.01, 0.02])
def test_noise_around_a_cut_out_brain_stays_out(heads: tuple[Volume, Volume], share: float) -> None:
    _, stripped = heads
    brain = brain_of(stripped)
    for image in stripped.array:
        noisy = in_noise(image, share)
        head = noisy > foreground_level(noisy)
        assert head[brain].mean() > 0.9
        assert head[~brain].mean() < 0.05
        inside = np.abs(normalise(noisy)[brain] - normalise(image)[brain])
        assert inside.mean() < 0.1


def test_the_level_goes_with_the_scale_and_the_offset_of_the_scanner(
    heads: tuple[Volume, Volume],
) -> None:
    image = np.rint(heads[0].array[3])
    for level in (foreground_level, tissue_level):
        head = image > level(image)
        np.testing.assert_array_equal(2 * image + 500 > level(2 * image + 500), head)
        np.testing.assert_array_equal(image - 2000 > level(image - 2000), head)


def test_the_crop_holds_the_whole_head_and_leaves_the_air(
    heads: tuple[Volume, Volume],
) -> None:
    whole, stripped = heads
    record = to_slices(whole).record
    top, bottom, left, right = record.box
    brain = to_reading(brain_of(stripped), record.turn)
    brain[:, top:bottom, left:right] = False
    assert not brain.any()
    assert (bottom - top) * (right - left) < 0.75 * 48 * 48
    inner = to_slices(stripped).record.box
    assert top <= inner[0] < inner[1] <= bottom
    assert left <= inner[2] < inner[3] <= right


def test_the_noise_of_air_stays_below_the_level_of_tissue(
    heads: tuple[Volume, Volume],
) -> None:
    whole, stripped = heads
    for image in whole.array:
        assert (image > tissue_level(image))[surely_air(whole.shape)].mean() < 1e-3
        assert (image > tissue_level(image))[brain_of(stripped)].mean() > 0.7


def test_a_part_is_normalised_by_the_whole() -> None:
    image = np.random.default_rng(1).normal(100, 30, (12, 10, 8)).astype(np.float32)
    kept = (slice(None), slice(2, 7), slice(3, 5))
    np.testing.assert_array_equal(normalise(image, kept), normalise(image)[kept])
