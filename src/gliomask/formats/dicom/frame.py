"""A frame: a slice with its position in the patient, from a single-frame or multi-frame file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from gliomask.errors import FormatError
from gliomask.formats.dicom.pixel_format import PixelFormat
from gliomask.formats.dicom.scaling import KEYWORDS as SCALING
from gliomask.formats.dicom.scaling import scaling
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
    "SpacingBetweenSlices",
    "FrameIncrementPointer",
    *SCALING,
)
"""The elements that ``classic_frames`` reads, and those that distinguish frames and files."""
LEAN_TOLERANCE = 5e-3
"""Maximum cosine between rows and columns. Headers round directions to at least three decimals;
their lengths are ignored, as by other readers."""
_SHORTEST = 1e-3
"""The least length of a direction."""


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
        step: millimetres to the next slice in the header, None if not stated.
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
    step: float | None
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
    between_rows, between_columns = _spacing(place.measures)
    if min(between_rows, between_columns) <= 0:
        spacing = [between_rows, between_columns]
        raise FormatError(
            "impossible spacing", field="PixelSpacing", found=spacing, allowed="more than 0"
        )
    return Frame(
        path=path,
        number=kind.number,
        image_type=kind.image_type,
        echo_time=kind.echo_time,
        stack=kind.stack,
        size=(pixels.rows, pixels.columns),
        spacing=(between_rows, between_columns),
        step=number(place.measures, "SpacingBetweenSlices"),
        along_row=along_row,
        along_column=along_column,
        position=np.array(numbers(place.position, "ImagePositionPatient", 3)),
        scaling=scaling(place.transformation),
    )


def classic_frames(
    path: Path, dataset: Dataset, pixels: PixelFormat, image_type: tuple[str, ...]
) -> tuple[Frame, ...]:
    """The frame of a file without functional groups; see ``frame``. Several frames are slices that
    follow each other along the normal, where the header says at which step."""
    place = PlacementTags(dataset, dataset, dataset, dataset)
    first = frame(path, pixels, place, FrameKind(0, image_type, number(dataset, "EchoTime")))
    if pixels.frames == 1:
        return (first,)
    if (first.step or 0.0) <= 0 or has(dataset, "FrameIncrementPointer"):
        raise FormatError(
            "several frames without positions",
            field="NumberOfFrames",
            found=pixels.frames,
            allowed="1, or slices with SpacingBetweenSlices, or an Enhanced MR Image",
            hint="export the series as single slices or as Enhanced MR Image",
        )
    step = (first.step or 0.0) * np.cross(first.along_row, first.along_column)
    check_count(pixels.frames)
    return tuple(
        replace(first, number=n, position=first.position + n * step) for n in range(pixels.frames)
    )


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
    if (
        lengths.min() < _SHORTEST
        or abs(directions[0] @ directions[1]) > LEAN_TOLERANCE * lengths.prod()
    ):
        raise FormatError(
            "not an orientation",
            field="ImageOrientationPatient",
            found=directions.ravel().tolist(),
            allowed="two directions at a right angle",
        )
    along_row, along_column = directions / lengths[:, np.newaxis]
    return along_row, along_column


def _spacing(dataset: Dataset) -> tuple[float, float]:
    """Between rows and between columns; a single number stands for both."""
    if number(dataset, "PixelSpacing") is not None:
        (side,) = numbers(dataset, "PixelSpacing", 1)
        return side, side
    between_rows, between_columns = numbers(dataset, "PixelSpacing", 2)
    return between_rows, between_columns
