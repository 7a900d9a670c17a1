"""What no head can be is said, and what a head can be is let alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gliomask.core.intensity import normalise
from gliomask.core.plausibility import (
    doubtful_shades,
    doubtful_size,
    implausible,
    implausible_notes,
)
from gliomask.core.prediction import Prediction
from gliomask.core.volume import Volume


@pytest.mark.parametrize(
    ("shape", "mm"),
    [
        ((240, 240, 155), (1, 1, 1)),
        ((512, 512, 24), (0.43, 0.43, 6)),
        ((256, 256, 1), (0.9, 0.9, 5)),  # one slice
        ((256, 512, 200), (1.0, 1.0, 1.0)),  # head and neck, sagittal
        ((40, 48, 12), (4, 4, 12)),
    ],
)
def test_scans_of_heads(shape: tuple[int, ...], mm: tuple[float, ...]) -> None:
    assert doubtful_size(shape, np.diag([*mm, 1.0])) is None


@pytest.mark.parametrize("scale", [1000.0, 10.0, 0.1, 0.001])
def test_units_that_were_mixed_up(scale: float) -> None:
    affine = np.diag([2 * scale, 2 * scale, 6 * scale, 1.0])
    told = doubtful_size((96, 112, 24), affine)
    assert told is not None
    assert f"{192 * scale:.3g} x {224 * scale:.3g} x {144 * scale:.3g} mm" in told


def volume_of(mm: float, shades: int) -> Volume:
    array = np.arange(2 * 30**3, dtype=np.float32).reshape(2, 30, 30, 30) % shades
    array[1] = array[1, ::-1, ::-1, ::-1]
    return Volume(array, np.diag([mm, mm, mm, 1.0]), ("t1", "flair"))


def predicted(volume: Volume, voxels: int) -> Prediction:
    mask = np.zeros(volume.shape, np.uint8)
    mask.reshape(-1)[:voxels] = 1
    return Prediction(
        "p1", mask, ("whole",), None, volume.affine, volume.has_world, {"whole": voxels},
        volume.sequences, (), "made",
    )  # fmt: skip


def test_a_copy_of_another_sequence() -> None:
    volume = volume_of(6.0, 1000)
    array = np.stack([volume.array[0], volume.array[1], volume.array[0]])
    copied = replace(volume, array=array, sequences=("t1", "t2", "flair"))
    [reason] = implausible(predicted(copied, 0), copied)
    assert reason.level == "red"
    assert reason.text == "flair is a copy of t1: one of them is not an image of that sequence"
    assert implausible_notes(copied) == (f"implausible: {reason.text}",)


def test_a_ct() -> None:
    volume = volume_of(6.0, 1000)
    ct = volume.array.copy()
    ct[1, :4] = -1000  # 4 of 30 planes are air
    [reason] = implausible(predicted(volume, 0), replace(volume, array=ct))
    assert reason.text.startswith("flair: much of it is at -1000")
    ct[1, :2] = 0
    assert not list(implausible(predicted(volume, 0), replace(volume, array=ct)))


def test_reasons() -> None:
    fine = volume_of(6.0, 1000)  # 18 cm; a voxel of 0.216 ml
    assert not list(implausible(predicted(fine, 4629), fine))  # 999.9 ml
    [reason] = implausible(predicted(fine, 4630), fine)
    assert (reason.level, reason.code) == ("red", "implausible_volume")
    assert "1,000 ml" in reason.text
    metres = volume_of(6000.0, 1000)
    codes = [reason.code for reason in implausible(predicted(metres, 0), metres)]
    assert codes == ["implausible_size"]
    mask = volume_of(6.0, 4)
    codes = [reason.code for reason in implausible(predicted(mask, 0), mask)]
    assert codes == ["implausible_intensities"] * 2
    assert len(implausible_notes(mask)) == 2
    assert not implausible_notes(fine)


def test_pictures_have_no_size() -> None:
    array = volume_of(1.0, 1000)
    picture = Volume(array.array, array.affine, array.sequences, has_world=False)
    assert not list(implausible(predicted(picture, 27_000), picture))


def test_sixteen_shades_are_an_image() -> None:
    image = np.arange(4096, dtype=np.float32).reshape(16, 16, 16)
    assert doubtful_shades(image % 16) is None
    assert doubtful_shades(image % 15) == (
        "only 15 different intensities: a mask, or an image that lost its contrast"
    )


@pytest.mark.parametrize("power", [-110, -45, 45, 100])
def test_intensities_that_can_not_be_squared(power: int) -> None:
    """Intensities are in arbitrary units: a multiple is the same image, to the bit."""
    image = np.random.default_rng(0).gamma(2.0, 100.0, (20, 20, 20)).astype(np.float32)
    assert np.array_equal(normalise(np.ldexp(image, power)), normalise(image))
