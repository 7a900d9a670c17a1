"""Geometry: frames to one voxel grid, or the reason why they form none.

Slices are ordered by their position along the normal of their planes, never by number or name.
Between the first and the last they must lie evenly on a straight line: a gap, a second image at one
position, another size or a sheared stack are refused, because each would displace anatomy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine
from gliomask.errors import FormatError
from gliomask.formats.dicom.frame import Frame, check_count
from gliomask.formats.dicom.placement import Vector, spaced_alike
from gliomask.formats.limits import MAX_VOXELS

STEP_TOLERANCE = 0.02
"""How far a slice may lie from its even place along the normal, as a share of the step."""
ROUNDING_MM = 0.1
"""Slices may always lie so far from their even place: positions are rounded to one decimal at
worst, by up to half of this along each axis."""
SIDE_TOLERANCE = 0.05
"""Maximum distance of a slice from the line through the stack, as a fraction of the smallest voxel
side. As loose as the check that two images of a case lie on one grid."""
LEAN_DEGREES = 0.1
"""How far the line through the stack may lean from the normal (gantry tilt)."""
SAME_PLACE_MM = 1e-2
"""Slices nearer than this are at one position."""

_RAS_OF_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class SeriesGrid:
    """Grid of a series.

    Attributes:
        frames: along K.
        shape: (I = columns, J = rows, K = slices).
        affine: (4, 4) float64, voxel index to RAS+ millimetres.
    """

    frames: tuple[Frame, ...]
    shape: tuple[int, int, int]
    affine: Affine


def arrange(frames: Sequence[Frame]) -> SeriesGrid:
    """The grid that parallel frames form. One slice is as thick as its header has the step.

    Raises:
        FormatError: one slice without a step, frames that differ in size or spacing, and what this
            file says about their positions.
    """
    check_count(len(frames))
    first = frames[0]
    for frame in frames:
        _check_alike(frame, first)
    rows, columns = first.size
    if rows * columns * len(frames) > MAX_VOXELS:
        size, allowed = f"{columns} x {rows} x {len(frames)}", f"up to {MAX_VOXELS} voxels"
        raise FormatError("too large a volume", field="shape", found=size, allowed=allowed)
    normal = np.cross(first.along_row, first.along_column)
    positions = np.array([frame.position for frame in frames])
    order = np.argsort(positions @ normal, kind="stable")
    several = len(frames) > 1
    step = (
        _even_step(positions[order], normal, min(first.spacing))
        if several
        else _stated_step(first, normal)
    )
    affine = _affine(first, positions[order[0]], step)
    return SeriesGrid(tuple(frames[n] for n in order), (columns, rows, len(frames)), affine)


def _check_alike(frame: Frame, first: Frame) -> None:
    if frame.size != first.size:
        actual, allowed = f"{frame.size[0]} x {frame.size[1]}", f"{first.size[0]} x {first.size[1]}"
        raise FormatError(
            "slices differ in size", field="Rows x Columns", found=actual, allowed=allowed
        )
    if not spaced_alike(first, frame):
        actual, allowed = (
            _numbers_text(np.array(frame.spacing)),
            _numbers_text(np.array(first.spacing)),
        )
        raise FormatError(
            "slices differ in spacing", field="PixelSpacing", found=actual, allowed=allowed
        )


def _stated_step(frame: Frame, normal: Vector) -> Vector:
    if not frame.step or frame.step <= 0:
        raise FormatError(
            "a single slice is not a volume",
            field="slices",
            found=1,
            allowed="2 and more, or one with SpacingBetweenSlices",
            hint="give all slices of the series",
        )
    return np.asarray(frame.step * normal, np.float64)


def _even_step(places: npt.NDArray[np.float64], normal: Vector, in_plane: float) -> Vector:
    """The vector from a slice to the next, of positions (K, 3) in their order."""
    heights = places @ normal
    gaps = np.diff(heights)
    if (same := np.flatnonzero(gaps < SAME_PLACE_MM)).size:
        what = f"several images at one position, {same.size} too many"
        actual, allowed = _numbers_text(places[same[0]]), "one image at each"
        raise FormatError(what, field="ImagePositionPatient", found=actual, allowed=allowed)
    _check_gaps(gaps)
    step: Vector = (places[-1] - places[0]) / (len(places) - 1)
    along = float(step @ normal)
    lean = np.linalg.norm(step - along * normal)
    if math.degrees(math.atan2(lean, along)) > LEAN_DEGREES and (
        lean * len(gaps) > max(SIDE_TOLERANCE * in_plane, ROUNDING_MM)
    ):
        actual = f"{math.degrees(math.atan2(lean, along)):.2f} degrees"
        raise FormatError(
            "a sheared stack (gantry tilt)", field="lean", found=actual, allowed=f"{LEAN_DEGREES}"
        )
    _check_line(places - (places[0] + np.arange(len(places))[:, np.newaxis] * step), normal, step)
    return step


def _check_gaps(gaps: npt.NDArray[np.float64]) -> None:
    usual = float(np.median(gaps))
    if gaps.max() > 1.5 * usual:
        where = int(np.argmax(gaps))
        what = f"slices are missing between the {where + 1}. and the {where + 2}."
        gap, allowed = f"{gaps[where]:.4g} mm", f"{usual:.4g} mm"
        raise FormatError(what, field="step", found=gap, allowed=allowed)


def deviation_limits(step_mm: float) -> tuple[float, float]:
    """Maximum millimetres of a slice from its even place: along the normal, and aside."""
    return max(STEP_TOLERANCE * step_mm, ROUNDING_MM), max(SIDE_TOLERANCE * step_mm, ROUNDING_MM)


def _check_line(off: npt.NDArray[np.float64], normal: Vector, step: Vector) -> None:
    """``off``: (K, 3) how far each slice lies from its even place on a straight line."""
    along = np.abs(off @ normal)
    limit, limit_aside = deviation_limits(float(np.linalg.norm(step)))
    if along.max() > limit:
        deviation, allowed = f"{along.max():.3g} mm off", f"up to {limit:.3g} mm"
        raise FormatError(
            "uneven steps between slices", field="step", found=deviation, allowed=allowed
        )
    aside = np.linalg.norm(off - (off @ normal)[:, np.newaxis] * normal, axis=1)
    if aside.max() > limit_aside:
        deviation, allowed = f"{aside.max():.3g} mm off", f"up to {limit_aside:.3g} mm"
        what = "slice positions are not on a line"
        raise FormatError(what, field="position", found=deviation, allowed=allowed)


def _affine(first: Frame, origin: Vector, step: Vector) -> Affine:
    between_rows, between_columns = first.spacing
    lps = np.eye(4)
    lps[:3, 0] = first.along_row * between_columns
    lps[:3, 1] = first.along_column * between_rows
    lps[:3, 2] = step
    lps[:3, 3] = origin
    return _RAS_OF_LPS @ lps


def _numbers_text(numbers: npt.NDArray[np.float64]) -> str:
    return " ".join(f"{n:.5g}" for n in numbers)
