"""Source images for highdicom, rebuilt from validated attributes.

highdicom copies attributes without checks. The files may contain values that the standard does not
allow, meaningless orders and numbers with too many digits.
"""

from __future__ import annotations

from collections.abc import Sequence

import highdicom as hd
from pydicom import Dataset
from pydicom.valuerep import DSfloat, format_number_as_ds

from gliomask.errors import FormatError
from gliomask.formats.dicom.placement import Vector
from gliomask.formats.dicom_out.referenced_series import Plane, ReferencedSeries


def source_images(series: ReferencedSeries) -> list[Dataset]:
    """Create the source images for highdicom from validated attributes."""
    if series.multi_frame:
        header = _header(series, series.planes[0])
        header.NumberOfFrames = len(series.planes)
        shared, frames = Dataset(), [Dataset() for _ in series.planes]
        shared.PlaneOrientationSequence = [slice_orientation(series.planes[0])]
        shared.PixelMeasuresSequence = [measures(series)]
        for frame, plane in zip(frames, series.planes, strict=True):
            frame.PlanePositionSequence = position(plane)
        header.SharedFunctionalGroupsSequence = [shared]
        header.PerFrameFunctionalGroupsSequence = frames
        return [header]
    headers = [_header(series, plane) for plane in series.planes]
    for header, plane in zip(headers, series.planes, strict=True):
        header.ImagePositionPatient = decimals(plane.position)
        header.update(slice_orientation(series.planes[0]))
        header.update(measures(series))
    return headers


def _header(series: ReferencedSeries, plane: Plane) -> Dataset:
    header = Dataset()
    header.update({e.tag: e for e in series.common if e.keyword != "PatientName"})
    header.PatientName = ""  # highdicom warns of names of one component, which studies often bear
    header.SOPClassUID, header.SOPInstanceUID = plane.sop_class, plane.sop_instance
    header.Rows, header.Columns = series.shape
    return header


def slice_orientation(plane: Plane) -> Dataset:
    """The item of a plane orientation sequence."""
    item = Dataset()
    item.ImageOrientationPatient = decimals([*plane.along_row, *plane.along_column])
    return item


def measures(series: ReferencedSeries) -> Dataset:
    """The item of a pixel measures sequence.

    The spacing of all slices is stated here, because those with a mask may have gaps.

    Raises:
        FormatError: a single image without slice thickness and spacing between slices.
    """
    item, first, spacing = Dataset(), series.planes[0], series.slice_spacing
    item.PixelSpacing = decimals(first.spacing)
    if spacing is not None:
        item.SpacingBetweenSlices = decimals([spacing])[0]
    thickness = first.thickness or spacing
    if thickness is None:
        what = "a single image needs SliceThickness or SpacingBetweenSlices"
        raise FormatError(what, path=series.path, field="SliceThickness")
    item.SliceThickness = decimals([thickness])[0]
    return item


def position(plane: Plane) -> hd.PlanePositionSequence:
    """Position of a plane as an object of highdicom."""
    return hd.PlanePositionSequence(hd.CoordinateSystemNames.PATIENT, list(plane.position))


def decimals(numbers: Sequence[float] | Vector) -> list[DSfloat]:
    """Numbers as decimal strings of up to 16 characters."""
    return [DSfloat(format_number_as_ds(float(number))) for number in numbers]
