"""A frame: a slice with its position in the patient, from a single-frame or multi-frame file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydicom import Dataset

from gliomask.errors import FormatError
from gliomask.formats.dicom.pixel_format import PixelFormat
from gliomask.formats.dicom.placement import Placement, placement
from gliomask.formats.dicom.scaling import KEYWORDS as SCALING
from gliomask.formats.dicom.scaling import scaling
from gliomask.formats.dicom.values import has, number
from gliomask.formats.limits import MAX_FRAMES

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


@dataclass(frozen=True, eq=False)
class Frame(Placement):
    """One slice; see ``Placement`` for where it lies.

    Attributes:
        path, number: the file, and which frame of it, from 0.
        image_type: of the frame, in capitals.
        echo_time: milliseconds, None if unknown.
        stack: within a file of many frames, the stack that it belongs to.
        size: (rows, columns).
        step: millimetres to the next slice in the header, None if not stated.
        scaling: (slope, intercept): intensity = slope * stored + intercept.
    """

    path: Path
    number: int
    image_type: tuple[str, ...]
    echo_time: float | None
    stack: str
    size: tuple[int, int]
    step: float | None
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
    return Frame(
        **vars(placement(place.position, place.orientation, place.measures)),
        path=path,
        number=kind.number,
        image_type=kind.image_type,
        echo_time=kind.echo_time,
        stack=kind.stack,
        size=(pixels.rows, pixels.columns),
        step=number(place.measures, "SpacingBetweenSlices"),
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
        FormatError: more than ``MAX_FRAMES``.
    """
    if frames > MAX_FRAMES:
        allowed = f"up to {MAX_FRAMES}"
        raise FormatError("too many frames", field="frames", found=frames, allowed=allowed)
