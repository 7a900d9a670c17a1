"""Masks as a DICOM Segmentation (PS3.3 A.51): binary, one segment for each region.

The object takes the patient, the study and the frame of reference of the series that it is drawn
on, and every frame lies on one of that series' images, so that no viewer must resample it. It is
read back and compared before it gets its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import DA, DT, TM, DSfloat, format_number_as_ds

from gliomask.core.atomic import atomic_path
from gliomask.errors import FormatError, GliomaskError
from gliomask.formats.referenced_series import Plane, ReferencedSeries, read_series
from gliomask.formats.segments import (
    BRAIN,
    MORPHOLOGICALLY_ABNORMAL,
    Code,
    DrawnSegments,
    Maker,
    MaskArray,
    Segment,
)
from gliomask.formats.series_grid import onto_series
from gliomask.formats.source_header import Vector
from gliomask.formats.written_objects import (
    CHARACTER_SET,
    NAME,
    SERIES_DESCRIPTION,
    WrittenObject,
    created,
    description,
    plain,
    serial_number,
    uid_maker,
)

SERIES_NUMBER = 9001
"""High, so that viewers list it after the scanner's own series."""


def write_dicom_seg(
    path: Path, drawn: DrawnSegments, sources: Sequence[Path], made: Maker
) -> WrittenObject:
    """Writes masks as a DICOM Segmentation, whole or not at all.

    Frames without a voxel are left out; a segment without any is described and has no frame. When
    no segment has any ("no tumour"), the middle image gets an empty frame for each, because an
    object must have one. Explicit VR little endian, not compressed, zeros as preamble, UTF-8.

    Args:
        path: of the object; nothing of it comes from the sources.
        drawn: the masks on the grid of the series, its axes running in any way.
        sources: all files of the series: single-frame images in any order, or one multi-frame.
        made: what drew the masks.

    Raises:
        FormatError: the series can't be used, see ``read_series``; a single image that doesn't
            tell its thickness.
        CaseError: the masks are not on its grid.
        GliomaskError: what was written doesn't read back as it was given; nothing is left.
    """
    series = read_series(sources)
    masks = onto_series(drawn, series)
    dataset = _segmentation(masks, drawn, series, made)
    with atomic_path(path) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)
        _check(temporary, masks, series)
    return WrittenObject(
        str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), str(dataset.SeriesInstanceUID)
    )


def _segmentation(
    masks: MaskArray, drawn: DrawnSegments, series: ReferencedSeries, made: Maker
) -> hd.seg.Segmentation:
    uid, when = uid_maker("SEG", masks, drawn, series, made), created(made, series)
    shown = np.flatnonzero(masks.any(axis=(1, 2, 3)))
    if not len(shown):
        shown = np.array([_middle(series)])
    dataset = hd.seg.Segmentation(
        source_images=_headers(series),
        pixel_array=masks[shown].astype(np.uint8),
        plane_positions=[_position(series.planes[n]) for n in shown],
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        omit_empty_frames=bool(masks.any()),
        segment_descriptions=_descriptions(drawn.segments, made),
        series_instance_uid=uid("series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid("instance"),
        instance_number=1,
        manufacturer=NAME,
        manufacturer_model_name=NAME,
        software_versions=plain(made.version),
        device_serial_number=serial_number(made),
        content_label="TUMOUR",
        content_description=description(made),
        content_creator_name=f"{NAME}^",
        series_description=SERIES_DESCRIPTION,
        specific_character_set=CHARACTER_SET,
        content_date=when.date(),
        content_time=when.time(),
    )
    dataset.PatientName = series.common.PatientName
    if "TimezoneOffsetFromUTC" in series.common:
        dataset.TimezoneOffsetFromUTC = series.common.TimezoneOffsetFromUTC
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = DA(when.date()), TM(when.time())
    for equipment in dataset.ContributingEquipmentSequence:
        equipment.ContributionDateTime = DT(when.replace(tzinfo=None))
    _name_dimensions(dataset, uid("dimensions"))
    return dataset


def _descriptions(segments: Sequence[Segment], made: Maker) -> list[hd.seg.SegmentDescription]:
    algorithm = hd.AlgorithmIdentificationSequence(
        name=NAME,
        family=codes.cid7162.ArtificialIntelligence,
        version=plain(made.version),
        source=NAME,
        parameters={"model": plain(made.model), "weights": plain(made.weights) or "not recorded"},
    )
    return [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=plain(segment.label),
            segmented_property_category=_code(MORPHOLOGICALLY_ABNORMAL),
            segmented_property_type=_code(segment.type),
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=algorithm,
            anatomic_regions=[_code(BRAIN)],
            display_color=hd.color.CIELabColor.from_rgb(*segment.colour),
        )
        for number, segment in enumerate(segments, 1)
    ]


def _code(code: Code) -> hd.sr.CodedConcept:
    return hd.sr.CodedConcept(code.value, code.scheme, code.meaning)


def _headers(series: ReferencedSeries) -> list[Dataset]:
    """The source images as highdicom wants to see them, made of what was found to be valid."""
    if series.multi_frame:
        header = _header(series, series.planes[0])
        header.NumberOfFrames = len(series.planes)
        shared, frames = Dataset(), [Dataset() for _ in series.planes]
        shared.PlaneOrientationSequence = [_orientation(series.planes[0])]
        shared.PixelMeasuresSequence = [_measures(series)]
        for frame, plane in zip(frames, series.planes, strict=True):
            frame.PlanePositionSequence = _position(plane)
        header.SharedFunctionalGroupsSequence = [shared]
        header.PerFrameFunctionalGroupsSequence = frames
        return [header]
    headers = [_header(series, plane) for plane in series.planes]
    for header, plane in zip(headers, series.planes, strict=True):
        header.ImagePositionPatient = _decimals(plane.position)
        header.update(_orientation(series.planes[0]))
        header.update(_measures(series))
    return headers


def _header(series: ReferencedSeries, plane: Plane) -> Dataset:
    header = Dataset()
    header.update({e.tag: e for e in series.common if e.keyword != "PatientName"})
    header.PatientName = ""  # highdicom warns of names of one component, which studies often bear
    header.SOPClassUID, header.SOPInstanceUID = plane.sop_class, plane.sop_instance
    header.Rows, header.Columns = series.shape
    return header


def _orientation(plane: Plane) -> Dataset:
    item = Dataset()
    item.ImageOrientationPatient = _decimals([*plane.rows_run, *plane.columns_run])
    return item


def _measures(series: ReferencedSeries) -> Dataset:
    """The spacing of all slices is told here, because those with a mask may have gaps."""
    item, first, spacing = Dataset(), series.planes[0], series.slice_spacing
    item.PixelSpacing = _decimals(first.spacing)
    if spacing is not None:
        item.SpacingBetweenSlices = _decimals([spacing])[0]
    thickness = first.thickness or spacing
    if thickness is None:
        what = "a single image must tell its thickness"
        raise FormatError(what, path=series.path, field="SliceThickness")
    item.SliceThickness = _decimals([thickness])[0]
    return item


def _position(plane: Plane) -> hd.PlanePositionSequence:
    return hd.PlanePositionSequence(hd.CoordinateSystemNames.PATIENT, list(plane.position))


def _decimals(numbers: Sequence[float] | Vector) -> list[DSfloat]:
    return [DSfloat(format_number_as_ds(float(number))) for number in numbers]


def _middle(series: ReferencedSeries) -> int:
    return int(np.argsort(series.along_normal)[len(series.planes) // 2])


def _name_dimensions(dataset: Dataset, uid: str) -> None:
    """highdicom draws this UID by chance; with ours, the same result makes the same bytes."""
    dataset.DimensionOrganizationSequence[0].DimensionOrganizationUID = uid
    for item in dataset.DimensionIndexSequence:
        item.DimensionOrganizationUID = uid


def _check(path: Path, masks: MaskArray, series: ReferencedSeries) -> None:
    """Reads the object as a stranger would and compares each voxel and each place."""
    back = hd.seg.segread(path)
    shared = back.SharedFunctionalGroupsSequence[0]
    found = [
        *shared.PlaneOrientationSequence[0].ImageOrientationPatient,
        *shared.PixelMeasuresSequence[0].PixelSpacing,
    ]
    due = [*_orientation(series.planes[0]).ImageOrientationPatient, *_measures(series).PixelSpacing]
    if found != due or not np.array_equal(_placed(back, masks.shape, series), masks):
        raise GliomaskError("the object doesn't read back as it was written", path=path)


def _placed(
    back: hd.seg.Segmentation, shape: tuple[int, ...], series: ReferencedSeries
) -> npt.NDArray[np.bool_]:
    """The masks of an object (P, rows, columns, R), each frame where its position says."""
    plane_at = {tuple(_decimals(p.position)): n for n, p in enumerate(series.planes)}
    masks = np.zeros(shape, np.bool_)
    frames: Any = back.pixel_array.reshape(-1, *series.shape)
    shared = back.SharedFunctionalGroupsSequence[0]
    for frame, groups in zip(frames, back.PerFrameFunctionalGroupsSequence, strict=True):
        named = groups.get("SegmentIdentificationSequence") or shared.SegmentIdentificationSequence
        place = plane_at.get(tuple(groups.PlanePositionSequence[0].ImagePositionPatient))
        if place is None:
            raise GliomaskError("a frame was written where no image of the series lies")
        masks[place, :, :, named[0].ReferencedSegmentNumber - 1] = frame
    return masks
