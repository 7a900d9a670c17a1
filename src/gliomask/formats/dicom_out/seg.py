"""Masks as a DICOM Segmentation (PS3.3 A.51): binary, one segment for each region.

The object takes the patient, the study and the frame of reference of the series that it is drawn
on, and every frame lies on one of that series' images, so that no viewer must resample it. It is
read again and compared before it is renamed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import DA, DT, TM

from gliomask.core.atomic import atomic_path
from gliomask.core.regions import BRAIN, MORPHOLOGICALLY_ABNORMAL, Code, Region
from gliomask.errors import GliomaskError
from gliomask.formats.dicom_out.referenced_series import ReferencedSeries, read_referenced_series
from gliomask.formats.dicom_out.segments import DrawnSegments, Maker, MaskArray
from gliomask.formats.dicom_out.series_grid import onto_series
from gliomask.formats.dicom_out.source_images import (
    decimals,
    measures,
    position,
    slice_orientation,
    source_images,
)
from gliomask.formats.dicom_out.written_objects import (
    CHARACTER_SET,
    NAME,
    WrittenObject,
    created,
    creator_name,
    description,
    plain,
    serial_number,
    series_description,
    uid_maker,
)

_PREDECESSOR = Code("121322", "DCM", "Source image for image processing operation")
SERIES_NUMBER = 9001
"""High, so that viewers list it after the scanner's own series."""


def write_dicom_seg(
    path: Path, drawn: DrawnSegments, sources: Sequence[Path], maker: Maker
) -> WrittenObject:
    """Write masks as a DICOM Segmentation, atomically.

    Frames without a voxel are left out. If a segment has no voxel at all, every segment has a frame
    for each image that shows tumour, or for the middle image if none does: an object must have a
    frame, and OHIF 3.10 shows nothing of an object with a segment that has none. Explicit VR little
    endian, not compressed, zeros as preamble, UTF-8.

    Args:
        path: of the object; nothing of it comes from the sources.
        drawn: the masks on the grid of the series, its axes running in any way.
        sources: all files of the series: single-frame images in any order, or one multi-frame.
        maker: software that drew the masks.

    Raises:
        FormatError: the series can't be used, see ``read_referenced_series``; a single image that
            has neither a slice thickness nor a spacing between slices.
        CaseError: the masks are not on its grid.
        GliomaskError: the written file does not read back unchanged; it is removed.
    """
    series = read_referenced_series(sources)
    masks = onto_series(drawn, series)
    dataset = _segmentation(masks, drawn, series, maker)
    with atomic_path(path) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)
        _check(temporary, masks, series)
    return WrittenObject(
        str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), str(dataset.SeriesInstanceUID)
    )


def _segmentation(
    masks: MaskArray, drawn: DrawnSegments, series: ReferencedSeries, maker: Maker
) -> hd.seg.Segmentation:
    uid = uid_maker("SEG", masks, drawn, series, maker)
    frames = np.flatnonzero(masks.any(axis=(1, 2, 3)))
    if not len(frames):
        frames = np.array([_middle(series)])
    dataset = hd.seg.Segmentation(
        source_images=source_images(series),
        pixel_array=masks[frames].astype(np.uint8),
        plane_positions=[position(series.planes[n]) for n in frames],
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        omit_empty_frames=bool(masks.any(axis=(0, 1, 2)).all()),
        segment_descriptions=_descriptions(drawn.segments, maker),
        series_instance_uid=uid("series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid("instance"),
        instance_number=1,
        manufacturer=NAME,
        manufacturer_model_name=NAME,
        software_versions=plain(maker.version),
        device_serial_number=serial_number(maker),
        content_label="TUMOUR",
        content_description=description(maker),
        content_creator_name=creator_name(maker),
        series_description=series_description(maker),
        specific_character_set=CHARACTER_SET,
    )
    dataset.PatientName = series.common.PatientName
    if "TimezoneOffsetFromUTC" in series.common:
        dataset.TimezoneOffsetFromUTC = series.common.TimezoneOffsetFromUTC
    _settle(dataset, created(maker, series), uid("dimensions"))
    _refer_to_first(dataset, maker)
    return dataset


def _refer_to_first(dataset: Dataset, maker: Maker) -> None:
    """Add references to the corrected object, as a source.

    They follow the series of images, because viewers use the first series as the background.
    """
    first = maker.correction
    if first is None or not first.sop_instance:
        return
    reference, source, of_series = Dataset(), Dataset(), Dataset()
    for item in (reference, source):
        item.ReferencedSOPClassUID = first.sop_class
        item.ReferencedSOPInstanceUID = first.sop_instance
    source.PurposeOfReferenceCodeSequence = [_code(_PREDECESSOR)]
    dataset.SourceImageSequence = [source]
    of_series.SeriesInstanceUID = first.series
    of_series.ReferencedInstanceSequence = [reference]
    dataset.ReferencedSeriesSequence = [*dataset.ReferencedSeriesSequence, of_series]


def _settle(dataset: Dataset, when: datetime, dimensions: str) -> None:
    """Replace the times and the UID that highdicom generates, so that the same result at the same
    time has the same bytes."""
    day, time = DA(when.date()), TM(when.time())
    dataset.InstanceCreationDate = dataset.ContentDate = day
    dataset.InstanceCreationTime = dataset.ContentTime = time
    for equipment in dataset.ContributingEquipmentSequence:
        equipment.ContributionDateTime = DT(when.replace(tzinfo=None))
    dataset.DimensionOrganizationSequence[0].DimensionOrganizationUID = dimensions
    for item in dataset.DimensionIndexSequence:
        item.DimensionOrganizationUID = dimensions


def _descriptions(segments: Sequence[Region], maker: Maker) -> list[hd.seg.SegmentDescription]:
    algorithm = hd.AlgorithmIdentificationSequence(
        name=NAME,
        family=codes.cid7162.ArtificialIntelligence,
        version=plain(maker.version),
        source=NAME,
        parameters={"model": plain(maker.model), "weights": plain(maker.weights) or "not recorded"},
    )
    types = hd.seg.SegmentAlgorithmTypeValues
    how = types.AUTOMATIC if maker.correction is None else types.SEMIAUTOMATIC
    return [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=plain(segment.label),
            segmented_property_category=_code(MORPHOLOGICALLY_ABNORMAL),
            segmented_property_type=_code(segment.code),
            algorithm_type=how,
            algorithm_identification=algorithm,
            anatomic_regions=[_code(BRAIN)],
            display_color=hd.color.CIELabColor.from_rgb(*segment.rgb),
        )
        for number, segment in enumerate(segments, 1)
    ]


def _code(code: Code) -> hd.sr.CodedConcept:
    return hd.sr.CodedConcept(code.value, code.scheme, code.meaning)


def _middle(series: ReferencedSeries) -> int:
    return int(np.argsort(series.along_normal)[len(series.planes) // 2])


def _check(path: Path, masks: MaskArray, series: ReferencedSeries) -> None:
    """Read the object like an independent reader, and compare each voxel and position."""
    back = hd.seg.segread(path)
    shared = back.SharedFunctionalGroupsSequence[0]
    positions = [
        *shared.PlaneOrientationSequence[0].ImageOrientationPatient,
        *shared.PixelMeasuresSequence[0].PixelSpacing,
    ]
    due = [
        *slice_orientation(series.planes[0]).ImageOrientationPatient,
        *measures(series).PixelSpacing,
    ]
    if positions != due or not np.array_equal(_placed(back, masks.shape, series), masks):
        raise GliomaskError("the written object differs when read again", path=path)


def _placed(
    back: hd.seg.Segmentation, shape: tuple[int, ...], series: ReferencedSeries
) -> npt.NDArray[np.bool_]:
    """The masks of an object (P, rows, columns, R), each frame where its position says."""
    plane_at = {tuple(decimals(p.position)): n for n, p in enumerate(series.planes)}
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
