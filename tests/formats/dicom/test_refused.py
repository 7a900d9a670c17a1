"""Series that are no volume, or none that can be trusted: each is refused with its reason."""

from __future__ import annotations

import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
)

from gliomask.errors import FormatError
from gliomask.formats.dicom.read import read_series
from gliomask.formats.dicom.series import survey_files
from tests.formats.dicom.made import Plan, oblique, pixels, save, series

PLAN = Plan()
Change = Callable[[int, Dataset], None]


def plain(folder: Path, plan: Plan = PLAN, **tags: Any) -> None:
    save(folder, series(plan, pixels(plan), **tags))


def each(change: Change) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        datasets = series(PLAN, pixels(PLAN))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of values that may not be written
            for k, dataset in enumerate(datasets):
                change(k, dataset)
            save(folder, datasets)

    return make


def setting(keyword: str, value: Any, only: int | None = None) -> Callable[[Path], None]:
    """The value in all files, or only in one."""

    def change(k: int, dataset: Dataset) -> None:
        if only in (None, k):
            setattr(dataset, keyword, value)

    return each(change)


def lacking(keyword: str, only: int | None = None) -> Callable[[Path], None]:
    def change(k: int, dataset: Dataset) -> None:
        if only in (None, k):
            delattr(dataset, keyword)

    return each(change)


def without_slice(number: int) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        datasets = series(PLAN, pixels(PLAN))
        del datasets[number]
        save(folder, datasets)

    return make


def second_image_at_a_place(folder: Path) -> None:
    datasets = series(PLAN, pixels(PLAN))
    datasets[3].ImagePositionPatient = datasets[2].ImagePositionPatient
    save(folder, datasets)


def two_times(folder: Path) -> None:
    """As dynamic series are: every place twice."""
    plain(folder)
    later = series(PLAN, pixels(PLAN, 5))
    for dataset in later:
        dataset.SOPInstanceUID += "1"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    save(folder / "later", later)


def one_uid_for_two_images(folder: Path) -> None:
    plain(folder)
    other = series(PLAN, pixels(PLAN, 5))[0]
    save(folder / "other", [other])


def uneven(folder: Path) -> None:
    def move(k: int, dataset: Dataset) -> None:
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, float(z) + 0.3 * (k == 2)]

    each(move)(folder)


def askew(folder: Path) -> None:
    def move(k: int, dataset: Dataset) -> None:
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [float(x) + 0.5 * (k == 2), y, z]

    each(move)(folder)


def other_size(folder: Path) -> None:
    datasets = series(PLAN, pixels(PLAN))
    odd = replace(PLAN, rows=8)
    datasets[2] = series(odd, pixels(odd))[2]
    save(folder, datasets)


def turned_slice(folder: Path) -> None:
    """One slice by two degrees: it is no part of the others' volume, which then has a gap."""
    setting("ImageOrientationPatient", list(oblique(2)), only=2)(folder)


def lying_size(folder: Path) -> None:
    def lie(k: int, dataset: Dataset) -> None:
        dataset.Rows, dataset.Columns = 60000, 60000

    each(lie)(folder)


def lying_size_of_native_pixels(folder: Path) -> None:
    def lie(k: int, dataset: Dataset) -> None:
        dataset.Rows, dataset.Columns = 2000, 2000

    each(lie)(folder)


def deflated(folder: Path) -> None:
    save(folder, series(PLAN, pixels(PLAN)), syntax=DeflatedExplicitVRLittleEndian)


def lookup_table(folder: Path) -> None:
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [4001, 0, 16], "US"
    table.add_new("LUTData", "OW", (np.arange(4001) * 2).astype("<u2").tobytes())
    setting("ModalityLUTSequence", Sequence([table]))(folder)


def colour(folder: Path) -> None:
    def paint(k: int, dataset: Dataset) -> None:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
        dataset.PlanarConfiguration = 0
        dataset.PixelData = dataset.PixelData * 3

    each(paint)(folder)


def truncated(folder: Path) -> None:
    plain(folder)
    path = min(folder.iterdir())
    path.write_bytes(path.read_bytes()[:-200])


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "one slice": (lambda f: plain(f, replace(PLAN, slices=1)), "a single slice is not a volume"),
    "a missing slice": (
        without_slice(3),
        "slices are missing between the 3. and the 4. (step=10 mm",
    ),
    "a second image at a place": (second_image_at_a_place, "several images at one position, 1"),
    "every place twice": (two_times, "several images at one position, 6 too many"),
    "one UID, two images": (one_uid_for_two_images, "several images at one position, 1 too many"),
    "uneven steps": (uneven, "uneven steps between slices (step=0.3 mm off, allowed up to 0.1"),
    "a slice aside": (askew, "slice positions are not on a line (position=0.5 mm off"),
    "a tilt of 5 degrees": (
        lambda f: plain(f, replace(PLAN, lean=(0, 5 * np.tan(np.radians(5)), 0))),
        "a sheared stack (gantry tilt) (lean=5.00 degrees, allowed 0.1)",
    ),
    "a turned slice": (turned_slice, "5 and 1 slices (differs=ImageOrientationPatient"),
    "another size": (other_size, "slices differ in size (Rows x Columns=8 x 12, allowed 10 x 12)"),
    "another spacing": (
        setting("PixelSpacing", [0.9, 1.2], only=4),
        "slices differ in spacing (PixelSpacing=0.9 1.2, allowed 0.9 1.1)",
    ),
    "no position": (lacking("ImagePositionPatient", 2), "ImagePositionPatient=nothing"),
    "no orientation": (lacking("ImageOrientationPatient"), "ImageOrientationPatient=nothing"),
    "no spacing": (lacking("PixelSpacing"), "PixelSpacing=nothing"),
    "no spacing in one": (lacking("PixelSpacing", 1), "1 of 6 files can't be used"),
    "spacing of 0": (
        setting("PixelSpacing", [0, 1]),
        "impossible spacing (PixelSpacing=[0.0, 1.0]",
    ),
    "negative spacing": (setting("PixelSpacing", [1, -1]), "allowed more than 0"),
    "two of a position": (setting("ImagePositionPatient", [1, 1]), "allowed 3 finite numbers"),
    "NaN position": (
        setting("ImagePositionPatient", ["NaN", "0", "0"], only=3),
        "unusable (ImagePositionPatient=[nan, 0.0, 0.0]",
    ),
    "infinite position": (setting("ImagePositionPatient", ["inf", "0", "0"]), "allowed 3 finite"),
    "directions of no length": (
        setting("ImageOrientationPatient", [0, 0, 0, 0, 0, 0]),
        "not an orientation (ImageOrientationPatient=",
    ),
    "directions not at a right angle": (
        setting("ImageOrientationPatient", [1, 0, 0, 0.6, 0.8, 0]),
        "allowed two directions at a right angle",
    ),
    "a size that lies": (lying_size, "too large (Rows x Columns=60000 x 60000 x 1"),
    "more pixels than bytes": (lying_size_of_native_pixels, "bytes can't hold 8000000 of pixels"),
    "no rows": (setting("Rows", 0), "unusable (Rows=0, allowed 1 to 65535)"),
    "two numbers of rows": (setting("Rows", [10, 10]), "unusable (Rows=[10, 10]"),
    "no columns told": (lacking("Columns"), "a field is missing (Columns=nothing)"),
    "a table of intensities": (lookup_table, "intensities with a lookup table"),
    "colour": (colour, "not a greyscale image (PhotometricInterpretation=RGB, 3 samples"),
    "24 bits": (setting("BitsAllocated", 24), "BitsAllocated=24, allowed 8, 16, 32"),
    "no bits": (setting("BitsStored", 0), "BitsStored=0, allowed 1 to 64"),
    "a mosaic": (
        setting("ImageType", ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]),
        "a mosaic: many slices in one picture",
    ),
    "several frames": (
        setting("NumberOfFrames", 3),
        "several frames without positions (NumberOfFrames=3",
    ),
    "CT": (setting("SOPClassUID", CTImageStorage), "not an MR image (SOPClassUID=CT Image Storage"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_series(name: str, tmp_path: Path) -> None:
    make, reason = REFUSED[name]
    make(tmp_path)
    survey = survey_files(sorted(path for path in tmp_path.rglob("*") if path.is_file()))
    assert not survey.series
    reasons = [one.reason for one in survey.refused]
    assert any(reason in told for told in reasons), reasons
    assert all("\n" not in told for told in reasons)
    with pytest.raises(FormatError):
        read_series([path for one in survey.refused for path in one.files])


def test_enough_are_tried() -> None:
    assert len(REFUSED) >= 32


def test_a_truncated_file_is_told_when_it_is_read(tmp_path: Path) -> None:
    truncated(tmp_path)
    survey = survey_files(sorted(tmp_path.iterdir()))
    (found,) = survey.series
    with pytest.raises(FormatError, match=r"003-1\.dcm: .*length|truncated"):
        read_series(found.image.paths)


def test_a_deflated_bomb_is_not_inflated(tmp_path: Path) -> None:
    """Beyond what a header may have. Nor is one without preamble, whose meta information stands at
    the very beginning."""
    deflated(tmp_path)
    path = min(tmp_path.iterdir())
    content = path.read_bytes()
    meta = content[132 : 144 + int.from_bytes(content[140:144], "little")]
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(bytes(4_000_000)) + packer.flush()
    for start in (content[:132] + meta, meta):
        path.write_bytes(start + bomb)
        tracemalloc.start()
        (refused,) = survey_files([path]).refused
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert "a field is missing (BitsAllocated=nothing" in refused.reason
        assert peak < 2_000_000


def test_a_deflated_bomb_of_pixels_is_not_inflated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gliomask.formats.dicom.inflate.FREE_BYTES", 100)
    monkeypatch.setattr("gliomask.formats.dicom.inflate.MAX_RATIO", 1)
    deflated(tmp_path)
    (found,) = survey_files(sorted(tmp_path.iterdir())).series
    with pytest.raises(FormatError, match=r"003-1\.dcm: inflates too far \(bytes=more than"):
        read_series(found.image.paths)


def test_a_deflated_file_that_is_cut_off(tmp_path: Path) -> None:
    deflated(tmp_path)
    path = min(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FormatError, match=r"003-1\.dcm: truncated: the deflated data set ends"):
        read_series(sorted(tmp_path.iterdir()))
