"""On every series that the reader reads, masks can be written; exceptions have a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from gliomask.core.regions import REGIONS
from gliomask.errors import InputError
from gliomask.formats.dicom.series import survey_files
from gliomask.formats.dicom_out.referenced_series import read_referenced_series
from gliomask.formats.dicom_out.rtstruct import write_rtstruct
from gliomask.formats.dicom_out.seg import write_dicom_seg
from gliomask.formats.dicom_out.segments import DrawnSegments
from gliomask.formats.dicom_out.series_grid import onto_series
from tests.contract.dicom_cases import READ
from tests.contract.dicom_makers import PLAN, each, setting
from tests.formats.dicom.made import Plan, pixels, save, series
from tests.formats.dicom_series import MAKER

Make = Callable[[Path], Any]
OF_OTHER_IDENTITY = {
    "no SeriesInstanceUID": "SeriesInstanceUID",
    "no StudyInstanceUID": "StudyInstanceUID",
    "no SOPInstanceUID": "SOPInstanceUID",
    "one SOPInstanceUID for all": "SOPInstanceUID",
    "PatientID in capitals in half": "PatientID",
    "no PatientID in half": "PatientID",
    "another StudyInstanceUID in half": "StudyInstanceUID",
    "no Modality, FrameOfReferenceUID, SliceThickness, InstanceNumber": "FrameOfReferenceUID",
}
"""Series that an object can't refer to, or not of one patient and study: the attribute."""
UNSUPPORTED = {"frames with SpacingBetweenSlices": "PerFrameFunctionalGroupsSequence"}
"""Frames whose place is not stated for each: no object may refer to them."""
DIAGONAL = [0.577, 0.577, 0.577, 0.707, -0.707, 0]
NORMAL = np.cross(np.array([1, 1, 1]) / np.sqrt(3), np.array([1, -1, 0]) / np.sqrt(2))


def turn(k: int, dataset: Dataset) -> None:
    """By a tenth of a degree from one slice to the next and back."""
    dataset.ImageOrientationPatient = [1, 0.0018 * (k % 2), 0, -0.0018 * (k % 2), 1, 0]


def shift(k: int, dataset: Dataset) -> None:
    """By as much as the reader accepts of thick slices with small pixels."""
    x, y, z = PLAN.position(k)
    dataset.ImagePositionPatient = [x + 0.2 * (k == 2), y, z + 0.09 * (k == 3)]
    dataset.PixelSpacing = [0.5, 0.5]


def diagonal(folder: Path) -> None:
    """Directions of three decimals, whose lengths are 0.9994 and 0.99985."""
    slices = series(PLAN, pixels(PLAN))
    for k, dataset in enumerate(slices):
        dataset.ImageOrientationPatient = DIAGONAL
        dataset.ImagePositionPatient = [round(float(x), 6) for x in k * 5.0 * NORMAL]
    save(folder, slices)


HERE: dict[str, Make] = {
    "directions of three decimals": diagonal,
    "directions of length 2": setting(ImageOrientationPatient=[2, 0, 0, 0, 2, 0]),
    "directions that nearly make a right angle": setting(
        ImageOrientationPatient=[1, 0, 0, 0.0049, 0.999988, 0]
    ),
    "one slice with another spacing by rounding": setting(only=3, PixelSpacing=[0.9000001, 1.1]),
    "slices turned by rounding": each(turn),
    "slices aside by rounding": each(shift),
}
CASES: dict[str, Make] = {name: case.make for name, case in READ.items()} | HERE


def drawn_on(folder: Path) -> tuple[DrawnSegments, tuple[Path, ...]]:
    """A mask on the grid that the reader gives a series, and the files of the series."""
    survey = survey_files(sorted(path for path in folder.rglob("*") if path.is_file()))
    (volume,) = survey.series
    masks = np.random.default_rng(0).random((1, *volume.shape)) > 0.5
    return DrawnSegments(masks, (REGIONS["whole"],), volume.affine), volume.image.paths


@pytest.mark.parametrize("name", CASES)
def test_series(tmp_path: Path, name: str) -> None:
    CASES[name](tmp_path)
    drawn, paths = drawn_on(tmp_path)
    field = (OF_OTHER_IDENTITY | UNSUPPORTED).get(name)
    if field:
        with pytest.raises(InputError, match=field):
            read_referenced_series(paths)
        return
    series = read_referenced_series(paths)
    masks = onto_series(drawn, series)
    order = np.argsort(series.along_normal)
    assert np.array_equal(masks[order].transpose(3, 2, 1, 0), drawn.masks)


def test_there_are_few_exceptions() -> None:
    assert len(OF_OTHER_IDENTITY | UNSUPPORTED) <= 9


@pytest.mark.parametrize("name", [*HERE, "no preamble, no meta information", "one PixelSpacing"])
def test_objects_are_written(tmp_path: Path, name: str) -> None:
    """And read back unchanged, which the writers check."""
    CASES[name](tmp_path / "in")
    drawn, paths = drawn_on(tmp_path / "in")
    write_dicom_seg(tmp_path / "seg.dcm", drawn, paths, MAKER)
    write_rtstruct(tmp_path / "rt.dcm", drawn, paths, MAKER)
    shared = dcmread(tmp_path / "seg.dcm").SharedFunctionalGroupsSequence[0]
    directions = np.reshape(shared.PlaneOrientationSequence[0].ImageOrientationPatient, (2, 3))
    assert np.linalg.norm(directions.astype(float), axis=1) == pytest.approx([1, 1], abs=1e-9)
    assert len(shared.PixelMeasuresSequence[0].PixelSpacing) == 2


def test_contours_of_large_pictures_whose_directions_lean(tmp_path: Path) -> None:
    """The far corner then lies more than a pixel aside."""
    plan = Plan(slices=2, rows=250, columns=250, directions=(1, 0, 0, 0.0049, 0.999988, 0))
    save(
        tmp_path / "in", series(replace(plan, between_rows=1.0, between_columns=1.0), pixels(plan))
    )
    drawn, paths = drawn_on(tmp_path / "in")
    masks = np.zeros_like(drawn.masks)
    masks[:, 200:, 200:] = drawn.masks[:, 200:, 200:]
    write_rtstruct(tmp_path / "rt.dcm", replace(drawn, masks=masks), paths, MAKER)
