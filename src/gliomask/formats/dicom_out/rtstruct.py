"""Masks as a DICOM RT Structure Set (PS3.3 A.19): contours in millimetres on each image.

For planning systems and viewers that don't read segmentations. How a mask becomes contours is
described in ``formats.dicom_out.keyhole``: pixels whose centres lie in a contour are exactly the
mask. The object is read back and filled again before it gets its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, FileDataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ImplicitVRLittleEndian, RTStructureSetStorage
from pydicom.valuerep import DA, TM

from gliomask.core.atomic import atomic_path
from gliomask.core.regions import Code, Region
from gliomask.errors import GliomaskError
from gliomask.formats.dicom.placement import Vector
from gliomask.formats.dicom_out.keyhole import Curve, curves_of_mask, mask_of_curves
from gliomask.formats.dicom_out.referenced_series import (
    Plane,
    ReferencedSeries,
    read_referenced_series,
)
from gliomask.formats.dicom_out.segments import Correction, DrawnSegments, Maker, MaskArray
from gliomask.formats.dicom_out.series_grid import onto_series
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

SERIES_NUMBER = 9002
_DETACHED_STUDY = "1.2.840.10008.3.1.2.3.1"
_DECIMALS = 4


def write_rtstruct(
    path: Path, drawn: DrawnSegments, sources: Sequence[Path], maker: Maker
) -> WrittenObject:
    """Write masks as an RT Structure Set, atomically.

    One region of interest for each segment; an empty one has no contour. Points are given to
    0.1 micrometre. Implicit VR little endian, because a long contour doesn't fit into the explicit
    one; zeros as preamble, UTF-8. The clinical type of each region is left empty and the approval
    says ``UNAPPROVED``.

    Args:
        path: of the object; nothing of it comes from the sources.
        drawn: the masks on the grid of the series, its axes running in any way.
        sources: all files of the series: single-frame images in any order, or one multi-frame.
        maker: software that drew the masks.

    Raises:
        FormatError: the series can't be used, see ``read_referenced_series``.
        CaseError: the masks are not on its grid.
        GliomaskError: the written file does not read back unchanged; it is removed.
    """
    series = read_referenced_series(sources)
    masks = onto_series(drawn, series)
    uid = uid_maker("RTSTRUCT", masks, drawn, series, maker)
    dataset = _frame(series, maker, uid)
    _add_regions(dataset, drawn.segments, maker, str(series.common.FrameOfReferenceUID))
    dataset.ROIContourSequence = [
        _contours(masks[..., number], segment, number + 1, series)
        for number, segment in enumerate(drawn.segments)
    ]
    with atomic_path(path) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)
        if not np.array_equal(_filled(temporary, masks.shape, series), masks):
            raise GliomaskError("the written object differs when read again", path=path)
    return WrittenObject(str(RTStructureSetStorage), uid("instance"), uid("series"))


def _frame(series: ReferencedSeries, maker: Maker, uid: Callable[[str], UID]) -> FileDataset:
    """The object without its regions: patient, study, series, equipment, references."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = RTStructureSetStorage
    meta.MediaStorageSOPInstanceUID = uid("instance")
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    dataset.SpecificCharacterSet = CHARACTER_SET
    _take_over(dataset, series)
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTStructureSetStorage, uid("instance")
    dataset.SeriesInstanceUID, dataset.SeriesNumber = uid("series"), SERIES_NUMBER
    dataset.Modality, dataset.SeriesDescription = "RTSTRUCT", series_description(maker)
    dataset.OperatorsName, dataset.InstanceNumber = "", 1
    dataset.Manufacturer = dataset.ManufacturerModelName = NAME
    dataset.SoftwareVersions = plain(maker.version)
    dataset.DeviceSerialNumber = serial_number(maker)
    dataset.StructureSetLabel, dataset.StructureSetName = "TUMOUR", description(maker)
    dataset.ApprovalStatus = "UNAPPROVED"
    _date(dataset, created(maker, series))
    dataset.ReferencedFrameOfReferenceSequence = [_references(series)]
    if maker.correction is not None:
        dataset.OperatorsName = creator_name(maker)
        _refer_to_first(dataset, maker.correction)
    return dataset


def _refer_to_first(dataset: Dataset, first: Correction) -> None:
    if first.sop_instance:
        item = Dataset()
        item.ReferencedSOPClassUID = first.sop_class
        item.ReferencedSOPInstanceUID = first.sop_instance
        dataset.PredecessorStructureSetSequence = [item]


def _take_over(dataset: Dataset, series: ReferencedSeries) -> None:
    image_only = ("Modality", "SeriesInstanceUID")
    for element in series.common:
        if element.keyword not in image_only and not element.keyword.startswith("Lossy"):
            dataset.add(element)
    if "PositionReferenceIndicator" not in dataset:
        dataset.PositionReferenceIndicator = ""


def _date(dataset: Dataset, when: datetime) -> None:
    day, time = DA(when.date()), TM(when.time())
    dataset.InstanceCreationDate = dataset.StructureSetDate = day
    dataset.InstanceCreationTime = dataset.StructureSetTime = time


def _references(series: ReferencedSeries) -> Dataset:
    of_series, of_study, of_frame = Dataset(), Dataset(), Dataset()
    of_series.SeriesInstanceUID = series.common.SeriesInstanceUID
    of_series.ContourImageSequence = [_image(plane) for plane in series.planes]
    of_study.ReferencedSOPClassUID = _DETACHED_STUDY
    of_study.ReferencedSOPInstanceUID = series.common.StudyInstanceUID
    of_study.RTReferencedSeriesSequence = [of_series]
    of_frame.FrameOfReferenceUID = series.common.FrameOfReferenceUID
    of_frame.RTReferencedStudySequence = [of_study]
    return of_frame


def _image(plane: Plane) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = plane.sop_class, plane.sop_instance
    if plane.frame is not None:
        item.ReferencedFrameNumber = plane.frame
    return item


def _add_regions(
    dataset: Dataset, segments: Sequence[Region], maker: Maker, frame_of_reference: str
) -> None:
    regions, observations = [], []
    for number, segment in enumerate(segments, 1):
        region, observation = Dataset(), Dataset()
        region.ROINumber, region.ROIName = number, plain(segment.label)
        region.ReferencedFrameOfReferenceUID = frame_of_reference
        region.ROIGenerationAlgorithm = "AUTOMATIC" if maker.correction is None else "SEMIAUTOMATIC"
        region.ROIGenerationDescription = description(maker)
        observation.ObservationNumber = observation.ReferencedROINumber = number
        observation.RTROIIdentificationCodeSequence = [_coded(segment.code)]
        observation.RTROIInterpretedType = observation.ROIInterpreter = ""
        regions.append(region)
        observations.append(observation)
    dataset.StructureSetROISequence = regions
    dataset.RTROIObservationsSequence = observations


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = code.value, code.scheme
    item.CodeMeaning = code.meaning
    return item


def _contours(
    masks: npt.NDArray[np.bool_], segment: Region, number: int, series: ReferencedSeries
) -> Dataset:
    """The contours of one region; ``masks`` are (P, rows, columns)."""
    item, contours = Dataset(), []
    for plane, mask in zip(series.planes, masks, strict=True):
        for curve in curves_of_mask(mask):
            contour = Dataset()
            contour.ContourImageSequence = [_image(plane)]
            contour.ContourGeometricType = "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(curve)
            places = _places(curve, plane).round(_DECIMALS).reshape(-1)
            contour.ContourData = [f"{place:.{_DECIMALS}f}" for place in places]
            contours.append(contour)
    item.ReferencedROINumber, item.ROIDisplayColor = number, list(segment.rgb)
    if contours:
        item.ContourSequence = contours
    return item


def _places(curve: Curve, plane: Plane) -> Vector:
    """(N, 3) LPS mm of points given as columns and rows."""
    return np.asarray(plane.position + curve @ _runs(plane))


def _filled(path: Path, shape: tuple[int, ...], series: ReferencedSeries) -> MaskArray:
    """The masks of an object (P, rows, columns, R), each contour on the image that it names."""
    named = {(p.sop_instance, p.frame): n for n, p in enumerate(series.planes)}
    masks = np.zeros(shape, np.bool_)
    for region in dcmread(path).ROIContourSequence:
        for contour in region.get("ContourSequence", []):
            image = contour.ContourImageSequence[0]
            number = named[image.ReferencedSOPInstanceUID, image.get("ReferencedFrameNumber")]
            curve = _pixels(np.reshape(contour.ContourData, (-1, 3)), series.planes[number])
            layer = masks[number, :, :, region.ReferencedROINumber - 1]
            layer ^= mask_of_curves([curve], series.shape)
    return masks


def _pixels(places: Vector, plane: Plane) -> Curve:
    """(N, 2) columns and rows of points given in LPS mm."""
    away = places.astype(np.float64) - plane.position
    return np.asarray(away @ np.linalg.pinv(_runs(plane)))


def _runs(plane: Plane) -> Vector:
    """(2, 3) mm from a pixel to the next column, and to the next row."""
    down, across = plane.spacing
    return np.stack([plane.along_row * across, plane.along_column * down])
