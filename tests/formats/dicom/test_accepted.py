"""Series as scanners and archives write them: each gives the right volume.

Three judges: the values that were written, the equation that the standard places a voxel with,
and dcm2niix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import Dataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from gliomask.formats.dicom.read import read_series, series_grid
from gliomask.formats.dicom.series import Series, survey_files
from tests.formats.dicom.made import (
    CORONAL,
    SAGITTAL,
    Plan,
    Stored,
    assert_same_in_world,
    by_dcm2niix,
    lossless_jpeg,
    oblique,
    pixels,
    save,
    series,
)

Made = tuple[Plan, npt.NDArray[Any]]
PLAN = Plan()


def plain(folder: Path, plan: Plan = PLAN, **tags: Any) -> Made:
    stored = pixels(plan)
    save(folder, series(plan, stored, **tags))
    return plan, stored


def changed(
    folder: Path, change: Callable[[int, Dataset], None], stored: Stored | None = None
) -> Made:
    stored = pixels(PLAN) if stored is None else stored
    datasets = series(PLAN, stored)
    for k, dataset in enumerate(datasets):
        change(k, dataset)
    save(folder, datasets)
    return PLAN, stored


def reversed_order(folder: Path) -> Made:
    stored = pixels(PLAN)
    save(folder, series(PLAN, stored)[::-1])
    return PLAN, stored


def downwards(folder: Path) -> Made:
    """Acquired from head to feet: the first slice is the highest."""
    plan = replace(PLAN, slices=6)
    stored = pixels(plan)
    datasets = series(plan, stored)[::-1]
    for n, dataset in enumerate(datasets):
        dataset.InstanceNumber = n + 1
    save(folder, datasets)
    return plan, stored


def without_numbers(folder: Path) -> Made:
    return changed(folder, lambda k, d: d.__delitem__("InstanceNumber"))


def equal_numbers(folder: Path) -> Made:
    return changed(folder, lambda k, d: setattr(d, "InstanceNumber", 1))


def jitter(folder: Path) -> Made:
    def move(k: int, dataset: Dataset) -> None:
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, round(z + (-1) ** k * 1e-4 * (0 < k < 5), 6)]

    return changed(folder, move)


def rounded_position(folder: Path) -> Made:
    """As some tools round: two decimals."""

    def move(k: int, dataset: Dataset) -> None:
        dataset.ImagePositionPatient = [round(float(n), 2) for n in dataset.ImagePositionPatient]

    return changed(folder, move)


def scaled_alike(folder: Path) -> Made:
    def scale(k: int, dataset: Dataset) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = 2, -10

    plan, stored = changed(folder, scale)
    return plan, stored * 2.0 - 10


def scaled_each(folder: Path) -> Made:
    def scale(k: int, dataset: Dataset) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = 0.5 + k, k

    plan, stored = changed(folder, scale)
    slopes = np.arange(6).reshape(6, 1, 1)
    return plan, stored * (0.5 + slopes) + slopes


def signed(folder: Path) -> Made:
    return changed(folder, lambda k, d: None, pixels(PLAN, low=-3000, high=3000) | 0)


def unsigned_high(folder: Path) -> Made:
    """Above 32767, where a signed reader turns negative."""
    return changed(folder, lambda k, d: None, pixels(PLAN, low=100, high=65000))


def eight_bits(folder: Path) -> Made:
    stored = pixels(PLAN, high=255)

    def narrow(k: int, dataset: Dataset) -> None:
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = stored[k].astype(np.uint8).tobytes()

    return changed(folder, narrow, stored)


def twelve_bits_with_garbage(folder: Path) -> Made:
    stored = pixels(PLAN, high=4095)

    def spoil(k: int, dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.PixelData = (stored[k] | 0xA000).astype("<u2").tobytes()

    return changed(folder, spoil, stored)


def signed_twelve_bits_with_garbage(folder: Path) -> Made:
    stored = pixels(PLAN, low=-2048, high=2047)

    def spoil(k: int, dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 1
        dataset.PixelData = ((stored[k] & 0x0FFF) | 0x5000).astype("<u2").tobytes()

    return changed(folder, spoil, stored)


def in_syntax(syntax: Any) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        stored = pixels(PLAN)
        save(folder, series(PLAN, stored), syntax=syntax)
        return PLAN, stored

    return make


def compressed(syntax: Any, **of_values: int) -> Callable[[Path], Made]:
    """Larger than others, because JPEG 2000 halves pictures five times."""
    plan = replace(PLAN, rows=40, columns=48)

    def make(folder: Path) -> Made:
        stored = pixels(plan, **of_values)
        datasets = series(plan, stored)
        for dataset in datasets:
            dataset.compress(syntax, generate_instance_uid=False)
        save(folder, datasets)
        return plan, stored

    return make


def in_lossless_jpeg(folder: Path) -> Made:
    made = plain(folder)
    for path in folder.iterdir():
        lossless_jpeg(path)
    return made


def without_suffix(folder: Path) -> Made:
    stored = pixels(PLAN)
    save(folder, series(PLAN, stored), ending="")
    return PLAN, stored


def without_preamble(folder: Path) -> Made:
    made = plain(folder)
    for path in folder.iterdir():
        content = path.read_bytes()
        meta = 132 + 12 + int.from_bytes(content[140:144], "little")
        path.write_bytes(content[meta:])
    return made


def with_junk(folder: Path) -> Made:
    made = plain(folder)
    (folder / "DICOMDIR").write_bytes(b"not looked at")
    (folder / "notes.txt").write_text("hello")
    (folder / "done").write_bytes(b"")
    (folder / "short.bin").write_bytes(b"\x08\x00\x05\x00")
    (folder / ".hidden.dcm").write_bytes(b"x" * 200)
    return made


def copied_file(folder: Path) -> Made:
    made = plain(folder)
    first = min(folder.iterdir())
    (folder / "copy.dcm").write_bytes(first.read_bytes())
    return made


def in_many_folders(folder: Path) -> Made:
    stored = pixels(PLAN)
    for k, dataset in enumerate(series(PLAN, stored)):
        save(folder / f"{k % 2}" / f"{k}", [dataset])
    return PLAN, stored


def with_other_series(folder: Path) -> Made:
    """Beside a secondary capture, which is refused without harm to the other."""
    made = plain(folder)
    other = series(PLAN, pixels(PLAN, 9), 2, SOPClassUID=SecondaryCaptureImageStorage)
    for dataset in other:
        del dataset.ImagePositionPatient
    save(folder, other)
    return made


ACCEPTED: dict[str, Callable[[Path], Made]] = {
    "axial": plain,
    "sagittal": lambda folder: plain(folder, replace(PLAN, directions=SAGITTAL)),
    "coronal": lambda folder: plain(folder, replace(PLAN, directions=CORONAL)),
    "oblique by 17 degrees": lambda folder: plain(folder, replace(PLAN, directions=oblique(17))),
    "oblique about another axis": lambda folder: plain(
        folder, replace(PLAN, directions=oblique(-31, 1))
    ),
    "oblique sagittal": lambda folder: plain(
        folder, replace(PLAN, directions=oblique(9, 2, SAGITTAL))
    ),
    "double oblique": lambda folder: plain(
        folder, replace(PLAN, directions=oblique(12, 0, oblique(23, 1)))
    ),
    "rows against the patient's left": lambda folder: plain(
        folder, replace(PLAN, directions=(-1, 0, 0, 0, -1, 0))
    ),
    "two slices": lambda folder: plain(folder, replace(PLAN, slices=2)),
    "overlapping slices": lambda folder: plain(folder, replace(PLAN, step=2.0)),
    "a fine step": lambda folder: plain(folder, replace(PLAN, step=0.5, slices=11)),
    "a lean of a hundredth of a degree": lambda folder: plain(
        folder, replace(PLAN, lean=(0.0009, 0, 0))
    ),
    "files in reverse": reversed_order,
    "numbered from head to feet": downwards,
    "no InstanceNumber": without_numbers,
    "equal InstanceNumbers": equal_numbers,
    "positions off by 1e-4": jitter,
    "positions rounded": rounded_position,
    "one scale": scaled_alike,
    "a scale for each slice": scaled_each,
    "signed": signed,
    "unsigned beyond 32767": unsigned_high,
    "8 bits": eight_bits,
    "12 bits, garbage above": twelve_bits_with_garbage,
    "12 bits signed, garbage above": signed_twelve_bits_with_garbage,
    "implicit VR": in_syntax(ImplicitVRLittleEndian),
    "big endian": in_syntax(ExplicitVRBigEndian),
    "RLE": compressed(RLELossless),
    "JPEG-LS": compressed(JPEGLSLossless),
    "JPEG 2000": compressed(JPEG2000Lossless),
    "JPEG 2000 signed": compressed(JPEG2000Lossless, low=-3000, high=3000),
    "lossless JPEG": in_lossless_jpeg,
    "no suffix": without_suffix,
    "no preamble": without_preamble,
    "among other files": with_junk,
    "a file twice": copied_file,
    "in many folders": in_many_folders,
    "beside another series": with_other_series,
}
NOT_FOR_DCM2NIIX = {
    "a scale for each slice": "it scales all slices by the first one's slope",
    "a lean of a hundredth of a degree": "it puts slices at right angles, 5 micrometres off",
}
"""Where the other reader is no judge, and why."""


def surveyed(folder: Path) -> Series:
    survey = survey_files(sorted(path for path in folder.rglob("*") if path.is_file()))
    (found,) = survey.series
    return found


@pytest.mark.parametrize("name", ACCEPTED)
def test_series(name: str, tmp_path: Path) -> None:
    plan, wanted = ACCEPTED[name](tmp_path / "in")
    found = surveyed(tmp_path / "in")
    array, affine = read_series(found.image.paths, found.image.channel)
    assert array.dtype == np.float32
    assert found.shape == array.shape == (plan.columns, plan.rows, plan.slices)
    assert np.array_equal(array, wanted.astype(np.float32).transpose(2, 1, 0))
    assert np.array_equal(affine, found.affine)
    tolerance = 0.006 if name == "positions rounded" else 2e-4
    i_last, j_last, k_last = plan.columns - 1, plan.rows - 1, plan.slices - 1
    for i, j, k in ((0, 0, 0), (i_last, 0, 1), (0, j_last, 1), (i_last, j_last, k_last)):
        assert np.allclose((affine @ (i, j, k, 1))[:3], plan.world(i, j, k), atol=tolerance)
    if name not in NOT_FOR_DCM2NIIX:
        (judged,) = by_dcm2niix(tmp_path / "in", tmp_path / "out")[:1]
        assert_same_in_world(array, affine, *judged)


def test_enough_are_tried() -> None:
    assert len(ACCEPTED) >= 38
    assert len(NOT_FOR_DCM2NIIX) <= 2


def test_the_files_are_in_the_order_of_the_slices(tmp_path: Path) -> None:
    reversed_order(tmp_path)
    found = surveyed(tmp_path)
    assert [frame.path for frame in found.frames] == list(found.image.paths)
    heights = [frame.position[2] for frame in found.frames]
    assert heights == sorted(heights)
    shuffled = found.image.paths[::2] + found.image.paths[1::2]
    assert series_grid(shuffled).frames[0].path == found.image.paths[0]


def test_a_copy_is_told(tmp_path: Path) -> None:
    copied_file(tmp_path)
    assert surveyed(tmp_path).notes == ("1 copies of files were left out",)


def test_junk_is_counted(tmp_path: Path) -> None:
    with_junk(tmp_path)
    survey = survey_files(list(tmp_path.iterdir()))
    assert survey.skipped == 5
    assert not survey.refused
