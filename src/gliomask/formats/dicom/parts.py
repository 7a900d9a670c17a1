"""Division of the frames of a series into volumes, and joining of divided volumes.

Frames of one volume share echo time, kind of image, stack, orientation and size. Yet some scanners
let the echo time or a flag of the kind differ between the slices of one volume: parts that share no
position and make one even stack together are one. Parts that lie between each other and don't are
refused, because each by itself would pass for a volume with half of its slices; so are parts of
another size that continue a stack, while those elsewhere (a localizer) are volumes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from gliomask.errors import FormatError
from gliomask.formats.dicom.frame import Frame
from gliomask.formats.dicom.grid import SAME_PLACE_MM, arrange
from gliomask.formats.dicom.placement import DIRECTION_TOLERANCE, spaced_alike, turned

MAX_PARTS = 64
"""Maximum number of echoes, kinds and orientations in a series."""
NEAR_ECHO_MS, NEAR_ECHO_SHARE = 1.0, 0.05
"""Echo times that differ by less than either of these make no other contrast."""
_ECHO_TOLERANCE = 0.05
_KIND = 3
"""Number of values of ImageType that define the kind of image; later ones describe corrections."""
_NEARLY_PARALLEL = 0.05
_UNEVEN = 0.1
"""Gaps that differ by less than this share are even, where slices are not to be read anyway."""
_ASIDE_MM = 1.0
"""Distance of the centre lines from which two stacks are separate volumes."""

Frames = list[Frame]


def volumes_of(frames: Iterable[Frame]) -> list[Frames]:
    """Frames by volume, in the order in which they first occur.

    Raises:
        FormatError: more than ``MAX_PARTS`` volumes; parts that lie between each other and don't
            make one volume.
    """
    parts = _apart(frames, _same)
    volumes: list[Frames] = []
    for alike in _apart((part[0] for part in parts), _near):
        volumes += _joined([part for part in parts if part[0] in alike])
    _refuse_interleaved(volumes)
    return volumes


def echo_times(frames: Iterable[Frame]) -> list[float]:
    """The echo times of frames that differ by more than rounding, in ascending order."""
    times: list[float] = []
    for time in sorted({frame.echo_time for frame in frames if frame.echo_time is not None}):
        if not times or time - times[-1] > _ECHO_TOLERANCE:
            times.append(time)
    return times


def _apart(frames: Iterable[Frame], alike: Callable[[Frame, Frame], bool]) -> list[Frames]:
    parts: list[Frames] = []
    for frame in frames:
        part = next((part for part in parts if alike(part[0], frame)), None)
        if part is not None:
            part.append(frame)
            continue
        if len(parts) == MAX_PARTS:
            count, allowed = f"more than {MAX_PARTS}", f"up to {MAX_PARTS}"
            what = "too many echoes, kinds or orientations"
            raise FormatError(what, field="parts", found=count, allowed=allowed)
        parts.append([frame])
    return parts


def _same(first: Frame, other: Frame) -> bool:
    """Return True if two frames differ only in their position."""
    return (
        (first.image_type, first.stack) == (other.image_type, other.stack)
        and _alike_in_plane(first, other)
        and _echo_apart(first, other) <= _ECHO_TOLERANCE
        and turned(first, other) <= DIRECTION_TOLERANCE
    )


def _alike_in_plane(first: Frame, other: Frame) -> bool:
    """Return True if two frames have the same size and spacing."""
    return first.size == other.size and spaced_alike(first, other)


def _near(first: Frame, other: Frame) -> bool:
    """Return True if two frames may belong to one volume that the scanner divided.

    What a header leaves out is no difference.
    """
    kinds, times = (first.image_type, other.image_type), (first.echo_time, other.echo_time)
    limit = max(NEAR_ECHO_MS, NEAR_ECHO_SHARE * (first.echo_time or 0.0))
    return (
        (not all(kinds) or kinds[0][:_KIND] == kinds[1][:_KIND])
        and (None in times or _echo_apart(first, other) <= limit)
        and turned(first, other) <= DIRECTION_TOLERANCE
    )


def _echo_apart(first: Frame, other: Frame) -> float:
    if first.echo_time is None or other.echo_time is None:
        return 0.0 if first.echo_time == other.echo_time else np.inf
    return abs(first.echo_time - other.echo_time)


def _joined(parts: list[Frames]) -> list[Frames]:
    """Parts that could be one volume: as one, if together they form an even stack."""
    if len(parts) < 2:
        return parts
    together = [frame for part in parts for frame in part]
    try:
        arrange(together)
    except FormatError:
        return parts
    return [together]


def _refuse_interleaved(volumes: Sequence[Frames]) -> None:
    for volume, other in combinations(volumes, 2):
        if not _alike_in_plane(volume[0], other[0]):
            if interleaved(volume, other) or _continues(volume, other):
                arrange([*volume, *other])  # raises: they differ in size or spacing
        elif interleaved(volume, other):
            raise FormatError(
                "its parts interleave and do not form an evenly spaced volume: "
                f"{len(volume)} and {len(other)} slices",
                field="differs",
                found=_difference(volume[0], other[0]),
                allowed="nothing",
            )


def interleaved(first_frames: Frames, other: Frames) -> bool:
    """Return True if slices of one part lie between those of the other, on one line."""
    if turned(first_frames[0], other[0]) > _NEARLY_PARALLEL:
        return False
    normal = np.cross(first_frames[0].along_row, first_frames[0].along_column)
    first, second = (np.array([frame.position for frame in part]) for part in (first_frames, other))
    between = second[0] - first[0]
    if np.linalg.norm(between - (between @ normal) * normal) > _ASIDE_MM:
        return False
    first_places, second_places = np.sort(first @ normal), np.sort(second @ normal)
    if first_places[-1] < second_places[0] or second_places[-1] < first_places[0]:
        return False
    return _nearest(first_places, second_places) >= SAME_PLACE_MM


def _continues(volume: Frames, other: Frames) -> bool:
    """Return True if parts of different size would be one even stack, but for their size."""
    first = volume[0]
    if not _near(first, other[0]):
        return False
    normal = np.cross(first.along_row, first.along_column)
    heights = np.sort([frame.position @ normal for frame in (*volume, *other)])
    gaps = np.diff(heights)
    return bool(len(gaps) > 1 and gaps.min() >= (1 - _UNEVEN) * gaps.max() > SAME_PLACE_MM)


def _nearest(
    first_places: npt.NDArray[np.float64], second_places: npt.NDArray[np.float64]
) -> float:
    """The least distance between two sets of heights in ascending order."""
    at = np.searchsorted(second_places, first_places)
    above = np.abs(second_places[np.minimum(at, len(second_places) - 1)] - first_places)
    below = np.abs(second_places[np.maximum(at - 1, 0)] - first_places)
    return float(np.minimum(above, below).min())


def _difference(first: Frame, other: Frame) -> str:
    """The fields that two frames differ in, and how far as far as that is short."""
    times = first.echo_time, other.echo_time
    differences = [f"EchoTime {times[0]} and {times[1]}"] if times[0] != times[1] else []
    differences += ["ImageType"] if first.image_type != other.image_type else []
    differences += ["StackID"] if first.stack != other.stack else []
    differences += ["ImageOrientationPatient"] if turned(first, other) > DIRECTION_TOLERANCE else []
    return ", ".join(differences)
