"""The referenced series of a mask: patient, study, and position of each image.

The order of the files is not used: each image must state its position; images without one, or from
another series, are refused with the missing attribute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydicom import Dataset

from gliomask.errors import FormatError
from gliomask.formats.dicom.content import decoding
from gliomask.formats.dicom.placement import (
    DIRECTION_TOLERANCE,
    Placement,
    Vector,
    placement,
    spaced_alike,
    turned,
)
from gliomask.formats.dicom.values import number
from gliomask.formats.dicom_out.source_header import needed, patient_and_study, read_header
from gliomask.formats.limits import MAX_PICTURES, MAX_VOXELS

_ALL_ALIKE = (
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Rows",
    "Columns",
)
_PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")


@dataclass(frozen=True, eq=False)
class Plane(Placement):
    """One image of the series, or one frame of a multi-frame one; see ``Placement``.

    Attributes:
        sop_class: of the file that it is in.
        sop_instance: likewise.
        frame: its number from 1 in a multi-frame file, None in others.
        thickness: of the slice in mm, None if unknown.
        step: mm to the next slice by the header, None if not stated.
    """

    sop_class: str
    sop_instance: str
    frame: int | None
    thickness: float | None
    step: float | None


@dataclass(frozen=True, eq=False)
class ReferencedSeries:
    """Properties of a series that objects referring to it need.

    Attributes:
        path: of its first file, for errors.
        common: the patient's and the study's attributes, valid, text as Unicode; those that may
            be empty are there. Also the series' UID, frame of reference and compression.
        planes: its images along the normal that they share, or the frames of one image in their
            own order. All have one size, orientation and spacing.
        shape: (rows, columns) of each.
        multi_frame: all planes are frames of one file.
    """

    path: Path
    common: Dataset
    planes: tuple[Plane, ...]
    shape: tuple[int, int]
    multi_frame: bool

    @property
    def along_normal(self) -> Vector:
        """(P,) mm of each plane along the normal of all."""
        normal = np.cross(self.planes[0].along_row, self.planes[0].along_column)
        return np.array([plane.position @ normal for plane in self.planes])

    @property
    def slice_spacing(self) -> float | None:
        """Mean mm between neighbouring planes; of a single one what its header states, or None."""
        count = len(self.planes)
        return float(np.ptp(self.along_normal)) / (count - 1) if count > 1 else self.planes[0].step


def read_referenced_series(paths: Sequence[Path]) -> ReferencedSeries:
    """The series of some files: single-frame images in any order, or one multi-frame image.

    Of the patient and the study, what is missing or isn't allowed by the standard (a sex of
    ``X``, a birth date of ``unknown``) becomes empty where it may be and is left out otherwise.

    Args:
        paths: all files of the series.

    Raises:
        FormatError: no file, one that isn't DICOM, files of several series, studies, frames of
            reference, patients, sizes or orientations, or without a required attribute (named).
    """
    if not 0 < len(paths) <= MAX_PICTURES:
        allowed = f"1 to {MAX_PICTURES}"
        raise FormatError("not a series", field="files", found=len(paths), allowed=allowed)
    headers = [read_header(path) for path in paths]
    first, multi_frame = headers[0], _has_frames(headers[0])
    if multi_frame and len(headers) > 1:
        what = "one file is due where images have many frames"
        raise FormatError(what, path=paths[1], field="files", found=len(paths), allowed="1")
    for path, header in zip(paths[1:], headers[1:], strict=True):
        _check_alike(first, header, path)
    planes = [
        plane
        for path, header in zip(paths, headers, strict=True)
        for plane in (_frames(header, path) if multi_frame else [_image(header, path)])
    ]
    shape = int(first.Rows), int(first.Columns)
    _check_planes(planes, shape, paths[0])
    planes = [_like(planes[0], plane) for plane in planes]
    if not multi_frame:
        normal = np.cross(planes[0].along_row, planes[0].along_column)
        planes.sort(key=lambda plane: (float(plane.position @ normal), plane.sop_instance))
    return ReferencedSeries(paths[0], patient_and_study(first), tuple(planes), shape, multi_frame)


def _has_frames(header: Dataset) -> bool:
    count = int(header.get("NumberOfFrames") or 1)
    return count > 1 or "PerFrameFunctionalGroupsSequence" in header


def _check_alike(first: Dataset, header: Dataset, path: Path) -> None:
    if _has_frames(header):
        raise FormatError("a multi-frame image in a series of single ones", path=path)
    for keyword in _ALL_ALIKE:
        value, due = header.get(keyword), first.get(keyword)
        if value != due:
            what = "not of the same series as the first file"
            raise FormatError(what, path=path, field=keyword, found=value, allowed=str(due))


def _image(header: Dataset, path: Path) -> Plane:
    return _plane(header, (header, header, header), None, path)


def _frames(header: Dataset, path: Path) -> Iterator[Plane]:
    """The planes of a multi-frame image; shared attributes apply to all frames."""
    shared = header.get("SharedFunctionalGroupsSequence") or [Dataset()]
    frames = header.get("PerFrameFunctionalGroupsSequence") or []
    count = int(header.get("NumberOfFrames") or 1)
    if len(frames) != count:
        what, allowed = "frames without a place", str(count)
        field = "PerFrameFunctionalGroupsSequence"
        raise FormatError(what, path=path, field=field, found=len(frames), allowed=allowed)
    names = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
    for n, frame in enumerate(frames, 1):
        groups = []
        for name in names:
            group = frame.get(name) or shared[0].get(name)
            if not group:
                raise FormatError("a required attribute is missing", path=path, field=name)
            groups.append(group[0])
        yield _plane(header, (groups[0], groups[1], groups[2]), n, path)


def _plane(
    header: Dataset, groups: tuple[Dataset, Dataset, Dataset], frame: int | None, path: Path
) -> Plane:
    for group, keyword in zip(groups, _PLACE, strict=True):
        needed(group, keyword, path)
    with decoding(path):
        place = placement(*groups)
    return Plane(
        **vars(place),
        sop_class=str(header.SOPClassUID),
        sop_instance=str(header.SOPInstanceUID),
        frame=frame,
        thickness=_length(groups[2], "SliceThickness"),
        step=_length(groups[2], "SpacingBetweenSlices"),
    )


def _length(measures: Dataset, keyword: str) -> float | None:
    length = number(measures, keyword)
    return length if length is not None and length > 0 else None


def _like(first: Plane, plane: Plane) -> Plane:
    """A plane with the directions and the spacing of the first, as the reader's grid has them."""
    return replace(
        plane,
        along_row=first.along_row,
        along_column=first.along_column,
        spacing=first.spacing,
    )


def _check_planes(planes: Sequence[Plane], shape: tuple[int, int], path: Path) -> None:
    first = planes[0]
    if len(planes) * shape[0] * shape[1] > MAX_VOXELS:
        size = f"{len(planes)} x {shape[0]} x {shape[1]}"
        raise FormatError("too large", path=path, field="voxels", found=size)
    names = [(plane.sop_instance, plane.frame) for plane in planes]
    if len(set(names)) < len(names):
        twice = next(name for n, (name, _) in enumerate(names) if names[n] in names[:n])
        what = "two images of one UID"
        raise FormatError(what, path=path, field="SOPInstanceUID", found=twice)
    what = "images of one series differ"
    for plane in planes:
        if turned(first, plane) > DIRECTION_TOLERANCE:
            actual, due = (
                [*p.along_row.tolist(), *p.along_column.tolist()] for p in (plane, first)
            )
            field = "ImageOrientationPatient"
            raise FormatError(what, path=path, field=field, found=actual, allowed=str(due))
        if not spaced_alike(first, plane):
            actual, due = list(plane.spacing), list(first.spacing)
            field = "PixelSpacing"
            raise FormatError(what, path=path, field=field, found=actual, allowed=str(due))
