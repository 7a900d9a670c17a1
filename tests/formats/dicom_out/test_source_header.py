"""Values of a header that the standard doesn't allow: none is copied, no mask is lost to them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from gliomask.errors import FormatError
from gliomask.formats.dicom_out.referenced_series import read_referenced_series
from gliomask.formats.dicom_out.rtstruct import write_rtstruct
from gliomask.formats.dicom_out.seg import write_dicom_seg
from gliomask.formats.dicom_out.source_images import measures
from gliomask.formats.dicom_out.written_objects import created
from tests.formats.dicom_series import MAKER, Grid, drawn, nested, write_enhanced, write_series

GRID = Grid(shape=(3, 4, 5))
OMITTED: list[tuple[str, str, Any]] = [
    *(
        ("TimezoneOffsetFromUTC", "SH", offset)
        for offset in (
            *("UTC", "Z", "+9999", "0200", "+02:00", "+0260", "-1201", "+1401", "+02", ""),
            ["+0200", "+0100"],
        )
    ),
    ("TimezoneOffsetFromUTC", "LO", "+0200"),
    ("StudyDate", "DA", "20200231"),
    ("StudyDate", "DA", "20200100"),
    ("StudyDate", "DA", "20200101-20200103"),
    ("StudyDate", "DA", ["20200101", "20200102"]),
    ("StudyTime", "TM", "1011-1012"),
    ("StudyTime", "TM", "246199"),
    ("PatientBirthDate", "DA", "19700230"),
    ("PatientName", "PN", ["Phantom^Test", "Other^Name"]),
    ("PatientName", "LO", "Phantom^Test"),
    ("PatientID", "LO", ["P1", "P2"]),
    ("PatientID", "LO", "P1\x07"),
    ("PatientSex", "CS", ["M", "F"]),
    ("PatientSex", "CS", "X"),
    ("PatientWeight", "DS", [70, 80]),
    ("PatientIdentityRemoved", "CS", "MAYBE"),
    ("StudyDescription", "LO", ["a", "b"]),
    ("PositionReferenceIndicator", "LO", ["a", "b"]),
]
"""(keyword, VR, value) of what a written object must not have."""


def with_elements(folder: Path, *elements: tuple[str, str, Any], grid: Grid = GRID) -> list[Path]:
    """A series all of whose images have some elements, whatever pydicom thinks of them."""

    def edit(_: int, image: Dataset) -> None:
        for element in elements:
            image.add_new(*element)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return write_series(folder, grid, edit=edit)


def written(folder: Path, sources: list[Path], grid: Grid = GRID) -> tuple[Dataset, Dataset]:
    made = drawn(nested(grid.shape)[:1], grid.affine(), ("whole",))
    write_dicom_seg(folder / "seg.dcm", made, sources, MAKER)
    write_rtstruct(folder / "rt.dcm", made, sources, MAKER)
    return dcmread(folder / "seg.dcm"), dcmread(folder / "rt.dcm")


@pytest.mark.parametrize("element", OMITTED)
def test_what_is_not_allowed_is_omitted(tmp_path: Path, element: tuple[str, str, Any]) -> None:
    series = read_referenced_series(with_elements(tmp_path, element))
    assert not series.common.get(element[0])
    assert created(MAKER, series).isoformat() == "2024-05-06T07:08:09+00:00"


def test_masks_are_written_on_a_header_of_such_values(tmp_path: Path) -> None:
    elements = {keyword: (keyword, vr, value) for keyword, vr, value in OMITTED}
    thickness = ("SliceThickness", "DS", [3, 4])
    for made in written(tmp_path, with_elements(tmp_path / "s", *elements.values(), thickness)):
        assert not [keyword for keyword in elements if made.get(keyword)]


@pytest.mark.parametrize("value", ["", "YES", ["01", "00"]])
def test_a_compression_that_is_not_allowed(tmp_path: Path, value: Any) -> None:
    sources = with_elements(tmp_path, ("LossyImageCompression", "CS", value))
    assert "LossyImageCompression" not in read_referenced_series(sources).common


@pytest.mark.parametrize("offset", ["-1200", "-1130", "+0000", "+0545", "+1359", "+1400"])
def test_offsets_that_are_allowed(tmp_path: Path, offset: str) -> None:
    series = read_referenced_series(
        with_elements(tmp_path, ("TimezoneOffsetFromUTC", "SH", offset))
    )
    assert series.common.TimezoneOffsetFromUTC == offset
    assert f"{created(MAKER, series):%z}" == offset
    assert created(MAKER, series) == MAKER.created


@pytest.mark.parametrize("value", [[3, 4], 0, -1])
def test_a_thickness_that_is_none(tmp_path: Path, value: Any) -> None:
    """The distance of the slices stands for it."""
    series = read_referenced_series(with_elements(tmp_path, ("SliceThickness", "DS", value)))
    assert series.planes[0].thickness is None
    assert measures(series).SliceThickness == GRID.spacing[0]


def test_a_thickness_that_is_none_in_a_multi_frame_image(tmp_path: Path) -> None:
    source = write_enhanced(tmp_path / "e.dcm", GRID)
    image = dcmread(source)
    (group,) = image.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    group.SliceThickness = [3, 4]
    image.save_as(source)
    assert measures(read_referenced_series([source])).SliceThickness == GRID.spacing[0]


def test_a_single_image_with_a_step_needs_no_thickness(tmp_path: Path) -> None:
    """The reader takes it for a volume of this step."""
    grid = Grid(shape=(1, 4, 5), changes={"SliceThickness": None, "SpacingBetweenSlices": 5})
    sources = write_series(tmp_path / "s", grid)
    made = drawn(np.ones((1, 1, 4, 5), np.bool_), grid.affine(), ("whole",))
    write_dicom_seg(tmp_path / "a.dcm", made, sources, MAKER)
    (group,) = dcmread(tmp_path / "a.dcm").SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert (group.SliceThickness, group.SpacingBetweenSlices) == (5, 5)


@pytest.mark.parametrize("keyword", ["Rows", "SOPClassUID", "FrameOfReferenceUID"])
def test_several_values_of_a_required_attribute(tmp_path: Path, keyword: str) -> None:
    vr, value = ("US", [8, 8]) if keyword == "Rows" else ("UI", ["1.2.3", "1.2.4"])
    sources = with_elements(tmp_path, (keyword, vr, value))
    with pytest.raises(FormatError, match=f"missing or not valid .*{keyword}"):
        read_referenced_series(sources)
