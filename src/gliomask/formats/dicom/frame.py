"""A frame: one slice and its place in the patient, be it a file of its own or one of many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from gliomask.errors import FormatError
from gliomask.formats.dicom.pixel_format import PixelFormat
from gliomask.formats.dicom.values import has, number, numbers
from gliomask.formats.limits import MAX_FRAMES

Vector = npt.NDArray[np.float64]

KEYWORDS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "NumberOfFrames",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
)
"""The elements that ``classic_frame`` reads, and those that distinguish frames and files."""
UNIT_TOLERANCE = 5e-3
"""How far the length of a direction may be from 1, and the cosine between rows and columns from 0.
Headers round directions to three decimals at worst."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice.

    Attributes:
        path, number: the file, and which frame of it, from 0.
        image_type: of the frame, in capitals.
        echo_time: milliseconds, None if unknown.
        stack: within a file of many frames, the stack that it belongs to.
        size: (rows, columns).
        spacing: millimetres between (rows, columns).
        along_row, along_column: (3,) unit vectors in LPS: where the column, the row index grows.
        position: (3,) the centre of the first voxel in LPS millimetres.
        scaling: (slope, intercept): intensity = slope * stored + intercept.
    """

    path: Path
    number: int
    image_type: tuple[str, ...]
    echo_time: float | None
    stack: str
    size: tuple[int, int]
    spacing: tuple[float, float]
    along_row: Vector
    along_column: Vector
    position: Vector
    scaling: tuple[float, float]


@dataclass(frozen=True)
class PlacementTags:
    """The parts of a header that place a slice: one data set, or one for each functional group."""

    position: Dataset
    orientation: Dataset
    measures: Dataset
    transformation: Dataset


@dataclass(frozen=True)
class FrameKind:
    """Attributes that distinguish the frames of a file, see ``Frame``."""

    number: int
    image_type: tuple[str, ...]
    echo_time: float | None
    stack: str = ""


def frame(path: Path, pixels: PixelFormat, place: PlacementTags, kind: FrameKind) -> Frame:
    """A frame from its part of the header.

    Raises:
        FormatError: a position, orientation, spacing or scaling that is missing or can't be true.
    """
    along_row, along_column = _directions(place.orientation)
    between_rows, between_columns = numbers(place.measures, "PixelSpacing", 2)
    if min(between_rows, between_columns) <= 0:
        spacing = [between_rows, between_columns]
        raise FormatError("no size", field="PixelSpacing", found=spacing, allowed="more than 0")
    return Frame(
        path=path,
        number=kind.number,
        image_type=kind.image_type,
        echo_time=kind.echo_time,
        stack=kind.stack,
        size=(pixels.rows, pixels.columns),
        spacing=(between_rows, between_columns),
        along_row=along_row,
        along_column=along_column,
        position=np.array(numbers(place.position, "ImagePositionPatient", 3)),
        scaling=_scaling(place.transformation),
    )


def classic_frame(
    path: Path, dataset: Dataset, pixels: PixelFormat, image_type: tuple[str, ...]
) -> Frame:
    """The frame of a file that holds only one; see ``frame``."""
    if pixels.frames != 1:
        count, allowed = pixels.frames, "1 unless the file is an Enhanced MR Image"
        raise FormatError("several frames", field="NumberOfFrames", found=count, allowed=allowed)
    place = PlacementTags(dataset, dataset, dataset, dataset)
    return frame(path, pixels, place, FrameKind(0, image_type, number(dataset, "EchoTime")))


def check_count(frames: int) -> None:
    """Check the number of frames.

    Raises:
        FormatError: they are.
    """
    if frames > MAX_FRAMES:
        allowed = f"up to {MAX_FRAMES}"
        raise FormatError("too many frames", field="frames", found=frames, allowed=allowed)


def _directions(dataset: Dataset) -> tuple[Vector, Vector]:
    directions = np.array(numbers(dataset, "ImageOrientationPatient", 6)).reshape(2, 3)
    lengths = np.linalg.norm(directions, axis=1)
    lean = abs(float(directions[0] @ directions[1]))
    if max(abs(lengths - 1).max(), lean) > UNIT_TOLERANCE:
        raise FormatError(
            "no orientation",
            field="ImageOrientationPatient",
            found=directions.ravel().tolist(),
            allowed="two unit vectors at a right angle",
        )
    along_row, along_column = directions / lengths[:, np.newaxis]
    return along_row, along_column


def _scaling(dataset: Dataset) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where neither is told."""
    if has(dataset, "ModalityLUTSequence"):
        what = "intensities with a lookup table, which MR images do not have"
        raise FormatError(what, field="ModalityLUTSequence", found="present", allowed="absent")
    scalings = has(dataset, "RescaleSlope"), has(dataset, "RescaleIntercept")
    slope = numbers(dataset, "RescaleSlope", 1)[0] if scalings[0] else 1.0
    intercept = numbers(dataset, "RescaleIntercept", 1)[0] if scalings[1] else 0.0
    if slope == 0:
        raise FormatError("no scale", field="RescaleSlope", found=slope, allowed="not 0")
    return slope, intercept
