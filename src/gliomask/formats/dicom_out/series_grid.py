"""Assignment of a mask's voxels to the images of a series, by position in the patient.

Both have the same voxels, but readers stack images and axes in different orders. All 48 orders are
resolved with the affine; other grids are refused, not resampled.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine
from gliomask.errors import CaseError
from gliomask.formats.dicom.grid import deviation_limits
from gliomask.formats.dicom.placement import Vector
from gliomask.formats.dicom_out.referenced_series import Plane, ReferencedSeries
from gliomask.formats.dicom_out.segments import DrawnSegments, MaskArray

PLACE_TOLERANCE = 0.1
"""How far a voxel of the mask may lie from the pixel it belongs to, in sizes of the smallest
side of a voxel. A mask of another grid is off by far more. Images may also lie as far from their
even places as in a series that can be read."""
_LPS_OF_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def onto_series(drawn: DrawnSegments, series: ReferencedSeries) -> MaskArray:
    """The masks as (P, rows, columns, R) bool, in the order of ``series.planes``.

    Raises:
        CaseError: the masks are not on the grid of the series, each voxel on one of its pixels.
    """
    affine = _LPS_OF_RAS @ drawn.affine
    if not (np.isfinite(affine).all() and np.linalg.det(affine)):
        raise _apart("its affine is singular or not finite", series)
    first = series.planes[0]
    axes = _axes(affine, first)
    masks = drawn.masks.transpose(1 + axes[0], 1 + axes[1], 1 + axes[2], 0)
    affine = affine[:, [*axes, 3]]
    for axis, run in ((1, first.along_column), (2, first.along_row)):
        if affine[:3, axis] @ run < 0:
            masks = np.flip(masks, axis)
            affine = _reversed(affine, axis, masks.shape[axis])
    _check_shape(masks, series)
    return masks[_slices(affine, series)]


def _axes(affine: Affine, plane: Plane) -> tuple[int, int, int]:
    """Axes of the mask that correspond to planes, row index and column index."""
    steps = affine[:3, :3].T / np.linalg.norm(affine[:3, :3], axis=0)[:, np.newaxis]
    column = int(np.argmax(np.abs(steps @ plane.along_row)))
    strength = np.abs(steps @ plane.along_column)
    strength[column] = -1.0
    row = int(np.argmax(strength))
    return 3 - row - column, row, column


def _reversed(affine: Affine, axis: int, length: int) -> Affine:
    turned = affine.copy()
    turned[:3, 3] += (length - 1) * affine[:3, axis]
    turned[:3, axis] *= -1
    return turned


def _check_shape(masks: MaskArray, series: ReferencedSeries) -> None:
    shape, due = masks.shape[:3], (len(series.planes), *series.shape)
    if shape != due:
        raise CaseError(
            "the mask is not on the grid of the series",
            path=series.path,
            field="images x rows x columns",
            found=" x ".join(map(str, shape)),
            allowed=" x ".join(map(str, due)),
        )


def _slices(affine: Affine, series: ReferencedSeries) -> npt.NDArray[np.intp]:
    """Index of the slice of the mask on each plane."""
    step, origin = affine[:3, 0], affine[:3, 3]
    places = np.array([plane.position for plane in series.planes])
    index = np.rint((places - origin) @ step / (step @ step)).astype(np.intp)
    if not np.array_equal(np.sort(index), np.arange(len(places))):
        raise _apart("images don't lie one on each slice of the mask", series)
    limit = PLACE_TOLERANCE * np.linalg.norm(affine[:3, :3], axis=0).min()
    off = origin + index[:, np.newaxis] * step - places
    shift = off.mean(axis=0)  # of the whole mask; single slices may be uneven, as in the reader
    uneven = math.hypot(*deviation_limits(float(np.linalg.norm(step))))
    for distance, allowed in (
        (float(np.linalg.norm(shift)), limit),
        (float(np.linalg.norm(off - shift, axis=1).max()), max(limit, uneven)),
    ):
        if distance > allowed:
            raise _apart(f"a corner of the mask lies {distance:.3g} mm off", series)
    plane, (last_row, last_column) = series.planes[0], np.subtract(series.shape, 1)
    for row, column in ((0, last_column), (last_row, 0), (last_row, last_column)):
        image = pixel_place(plane, row, column) - plane.position
        away = np.linalg.norm(row * affine[:3, 1] + column * affine[:3, 2] - image)
        if away > limit:
            raise _apart(f"a corner of the mask lies {away:.3g} mm off", series)
    return index


def pixel_place(plane: Plane, row: float, column: float) -> Vector:
    """LPS mm of a pixel's centre (PS3.3 C.7.6.2.1.1)."""
    down, across = plane.spacing
    return plane.position + plane.along_column * (row * down) + plane.along_row * (column * across)


def _apart(what: str, series: ReferencedSeries) -> CaseError:
    hint = "write it on the series that the mask was made from"
    return CaseError(
        f"the mask is not on the grid of the series: {what}", path=series.path, hint=hint
    )
