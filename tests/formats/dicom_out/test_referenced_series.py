"""Which series can carry a mask; the others are refused with the attribute that they lack."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from gliomask.core.regions import REGIONS
from gliomask.errors import CaseError, FormatError
from gliomask.formats.dicom_out.referenced_series import read_referenced_series
from gliomask.formats.dicom_out.seg import write_dicom_seg
from gliomask.formats.dicom_out.segments import DrawnSegments, Maker
from tests.formats.dicom_series import Grid, write_enhanced, write_series

REQUIRED = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
)
MAY_BE_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


def changed(paths: list[Path], number: int, keyword: str, value: Any) -> list[Path]:
    """One image with another value, or without it; what pydicom thinks of it is kept quiet."""
    image = dcmread(paths[number])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if value is None:
            del image[keyword]
        else:
            image.add_new(keyword, image[keyword].VR, value)
        image.save_as(paths[number])
    return paths


def test_the_grid_of_a_series(tmp_path: Path) -> None:
    grid = Grid(shape=(3, 4, 5))
    series = read_referenced_series(write_series(tmp_path, grid)[::-1])
    assert (series.shape, series.multi_frame, series.slice_spacing) == ((4, 5), False, 3.0)
    assert [p.position.tolist() for p in series.planes] == [grid.position(n) for n in (0, 1, 2)]
    assert (series.planes[0].spacing, series.planes[0].thickness) == ((0.9, 1.1), 3.0)


def test_the_frames_of_one_image(tmp_path: Path) -> None:
    grid = Grid(shape=(3, 4, 5))
    series = read_referenced_series([write_enhanced(tmp_path / "e.dcm", grid, order=[2, 0, 1])])
    assert series.multi_frame
    assert [p.frame for p in series.planes] == [1, 2, 3]
    assert [p.position.tolist() for p in series.planes] == [grid.position(n) for n in (2, 0, 1)]


@pytest.mark.parametrize("keyword", REQUIRED)
def test_a_required_attribute_that_is_missing_is_named(tmp_path: Path, keyword: str) -> None:
    paths = changed(write_series(tmp_path, Grid()), 2, keyword, None)
    with pytest.raises(FormatError, match=f"002.dcm: .*missing or not valid.*{keyword}"):
        read_referenced_series(paths)


@pytest.mark.parametrize("keyword", MAY_BE_EMPTY)
def test_a_missing_attribute_that_may_be_empty_is_empty(tmp_path: Path, keyword: str) -> None:
    paths = write_series(tmp_path / "s", Grid(changes={keyword: None}))
    _write(tmp_path / "a.dcm", paths)
    assert not dcmread(tmp_path / "a.dcm")[keyword].value


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientSex", "X"),
        ("PatientBirthDate", "unknown"),
        ("StudyDate", "2020-01-02 or so"),
        ("StudyTime", "noon"),
        ("StudyID", "far longer than 16 characters"),
    ],
)
def test_a_value_that_is_not_allowed_becomes_empty(
    tmp_path: Path, keyword: str, value: str
) -> None:
    paths = write_series(tmp_path / "s", Grid())
    for number in range(len(paths)):
        changed(paths, number, keyword, value)
    _write(tmp_path / "a.dcm", paths)
    assert not dcmread(tmp_path / "a.dcm")[keyword].value


def test_numbers_of_too_many_digits_are_rounded(tmp_path: Path) -> None:
    """Writers give more than the 16 characters of a decimal string; highdicom would refuse."""
    paths = write_series(tmp_path / "s", Grid())
    for number in range(len(paths)):
        path = paths[number]
        old, new = b"-101.5\\87.25\\", b"-101.50000000000001\\87.25\\"
        content = path.read_bytes()
        start = content.index(old) - 2
        length = int.from_bytes(content[start : start + 2], "little")
        grown = (length + len(new) - len(old) + 1).to_bytes(2, "little")
        end = start + 2 + length
        value = new + content[start + 2 + len(old) : end] + b" "
        path.write_bytes(content[:start] + grown + value + content[end:])
    _write(tmp_path / "a.dcm", paths)
    frame = dcmread(tmp_path / "a.dcm").PerFrameFunctionalGroupsSequence[0]
    assert frame.PlanePositionSequence[0].ImagePositionPatient[0] == pytest.approx(-101.5)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientID", "P2"),
        ("SeriesInstanceUID", "1.2.3.1"),
        ("StudyInstanceUID", "1.2.3.2"),
        ("FrameOfReferenceUID", "1.2.3.3"),
        ("ImageOrientationPatient", [0, 1, 0, 0, 0, -1]),
        ("PixelSpacing", [0.9, 1.2]),
    ],
)
def test_images_that_do_not_belong_together(tmp_path: Path, keyword: str, value: Any) -> None:
    paths = changed(write_series(tmp_path, Grid()), 3, keyword, value)
    with pytest.raises(FormatError, match=keyword):
        read_referenced_series(paths)


@pytest.mark.parametrize(
    ("keyword", "value", "reason"),
    [
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], "not an orientation"),
        ("ImageOrientationPatient", [0, 0, 0, 0, 2, 0], "not an orientation"),
        ("ImageOrientationPatient", [1, 0, 0], "unusable"),
        ("PixelSpacing", [0, 1], "impossible spacing"),
        ("ImagePositionPatient", [1, 2], "unusable"),
    ],
)
def test_places_that_can_not_be(
    tmp_path: Path, keyword: str, value: list[float], reason: str
) -> None:
    paths = write_series(tmp_path, Grid(changes={keyword: value}))
    with pytest.raises(FormatError, match=f"000.dcm: {reason} .*{keyword}"):
        read_referenced_series(paths)


def test_no_files_twice_one_and_no_dicom(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "s", Grid())
    with pytest.raises(FormatError, match=r"not a series \(files=0"):
        read_referenced_series([])
    with pytest.raises(FormatError, match="two images of one UID"):
        read_referenced_series([*paths, paths[0]])
    (tmp_path / "text").write_text("no DICOM")
    with pytest.raises(FormatError, match=re.escape(f"{tmp_path / 'text'}: can't be read")):
        read_referenced_series([tmp_path / "text"])
    with pytest.raises(FormatError, match="no such file"):
        read_referenced_series([tmp_path / "absent"])


def test_multi_frame_images_that_can_not_be_used(tmp_path: Path) -> None:
    one = write_enhanced(tmp_path / "1.dcm", Grid())
    two = write_enhanced(tmp_path / "2.dcm", Grid())
    with pytest.raises(FormatError, match="one file is due where images have many frames"):
        read_referenced_series([one, two])
    image = dcmread(one)
    image.PerFrameFunctionalGroupsSequence = image.PerFrameFunctionalGroupsSequence[:2]
    image.save_as(one)
    with pytest.raises(FormatError, match=r"frames without a place .*=2, allowed 6"):
        read_referenced_series([one])
    del image.PerFrameFunctionalGroupsSequence
    image.save_as(one)
    with pytest.raises(FormatError, match=r"frames without a place .*=0, allowed 6"):
        read_referenced_series([one])


def test_two_images_at_one_place_are_refused(tmp_path: Path) -> None:
    def move(number: int, image: Dataset) -> None:
        image.ImagePositionPatient = Grid().position(max(number, 1))

    paths = write_series(tmp_path / "s", Grid(), edit=move)
    with pytest.raises(CaseError, match="images don't lie one on each slice"):
        _write(tmp_path / "a.dcm", paths)


def test_a_single_image_needs_its_thickness(tmp_path: Path) -> None:
    grid = Grid(shape=(1, 4, 5), changes={"SliceThickness": None})
    paths = write_series(tmp_path / "s", grid)
    drawn = DrawnSegments(np.ones((1, 1, 4, 5), np.bool_), (REGIONS["whole"],), grid.affine())
    with pytest.raises(FormatError, match="SliceThickness"):
        write_dicom_seg(tmp_path / "a.dcm", drawn, paths, Maker("demo", "0.1.0"))


def _write(path: Path, paths: list[Path]) -> None:
    grid = Grid()
    masks = np.ones((1, *grid.shape), np.bool_)
    drawn = DrawnSegments(masks, (REGIONS["whole"],), grid.affine())
    write_dicom_seg(path, drawn, paths, Maker("demo", "0.1.0"))
