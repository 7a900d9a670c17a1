"""Conversion of the mask of a slice to closed curves, and back.

A curve runs halfway between the centres of a pixel in the mask and its neighbour outside, so the
pixels whose centres it contains are exactly the mask. Corners are cut: a lone pixel is a diamond of
half its area. Each island is one curve. A hole in it is joined to its outside by a channel of no
width that is run through twice, as PS3.3 C.8.8.6.3 requires for closed planar contours; readers
that fill by parity and such that fill by winding see the same.

Everything is counted in half pixels while curves are made, in which all of it is whole.
"""

from __future__ import annotations

from itertools import pairwise

import contourpy
import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float64]
_Half = npt.NDArray[np.int64]


def curves_of_mask(mask: npt.NDArray[np.bool_]) -> list[Curve]:
    """The islands of a mask (H, W), each as (N, 2) columns and rows of its corners.

    The centre of the first pixel is (0, 0). Curves are closed, the first point isn't repeated at
    the end, and none of them lies on a straight line between its neighbours.
    """
    if not mask.any():
        return []
    ring = np.pad(mask, 1).astype(np.float64)  # so that no curve ends at the border
    tracer = contourpy.contour_generator(
        z=ring, name="serial", fill_type=contourpy.FillType.OuterOffset
    )
    curves = []
    for points, offsets in zip(*tracer.filled(0.5, 2.0), strict=True):
        half = np.rint((points - 1.0) * 2).astype(np.int64)
        outer, *holes = (half[start : end - 1] for start, end in pairwise(offsets))
        curves.append(_without_straights(_joined(outer, holes)) / 2.0)
    return curves


def mask_of_curves(curves: list[Curve], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The pixels (H, W) whose centres lie within an odd number of turns of the curves."""
    turns = np.zeros((shape[0], shape[1] + 1), np.int64)
    for curve in curves:
        start, end = curve, np.roll(curve, -1, axis=0)
        low = np.ceil(np.minimum(start[:, 1], end[:, 1])).astype(np.int64)
        high = np.ceil(np.maximum(start[:, 1], end[:, 1])).astype(np.int64)
        edge = np.repeat(np.arange(len(curve)), high - low)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(high - low) - high, high - low)
        run = (end[edge] - start[edge]).T
        column = start[edge, 0] + (row - start[edge, 1]) * run[0] / run[1]
        inside = (row >= 0) & (row < shape[0])
        first = np.clip(np.ceil(column), 0, shape[1]).astype(np.int64)
        np.add.at(turns, (row[inside], first[inside]), 1)
    odd: npt.NDArray[np.bool_] = np.cumsum(turns, axis=1)[:, :-1] % 2 == 1
    return odd


def _joined(outer: _Half, holes: list[_Half]) -> _Half:
    """One curve of an outline and its holes, the leftmost hole first.

    Each channel runs to the left from a corner of the hole that lies between two rows, so it
    never touches a pixel's centre; what it meets first has been joined before.
    """
    entries = [(hole, _entry(hole)) for hole in holes]
    for hole, entry in sorted(entries, key=lambda pair: int(pair[0][pair[1], 0])):
        turned = np.roll(hole, -entry, axis=0)
        after, meeting = _first_to_the_left(outer, turned[0])
        there_and_back = [meeting[np.newaxis], turned, turned[:1], meeting[np.newaxis]]
        outer = np.concatenate([outer[: after + 1], *there_and_back, outer[after + 1 :]])
    return outer


def _entry(hole: _Half) -> int:
    between_rows = np.flatnonzero(hole[:, 1] % 2 == 1)
    return int(between_rows[np.argmin(hole[between_rows, 0])])


def _first_to_the_left(curve: _Half, point: _Half) -> tuple[int, _Half]:
    """The edge of the curve that a line to the left meets first, by its start, and the place."""
    start, end = curve, np.roll(curve, -1, axis=0)
    column, row = point
    met = (np.minimum(start[:, 1], end[:, 1]) <= row) & (np.maximum(start[:, 1], end[:, 1]) >= row)
    height = np.where(met & (start[:, 1] != end[:, 1]), end[:, 1] - start[:, 1], 1)
    where = start[:, 0] + (end[:, 0] - start[:, 0]) * (row - start[:, 1]) // height
    where = np.where(met & (start[:, 1] != end[:, 1]) & (where < column), where, np.iinfo(int).min)
    edge = int(np.argmax(where))
    return edge, np.array([where[edge], row])


def _without_straights(curve: _Half) -> _Half:
    """The curve without doubled points and without those on a straight way through."""
    curve = curve[(curve != np.roll(curve, 1, axis=0)).any(axis=1)]
    before, after = curve - np.roll(curve, 1, axis=0), np.roll(curve, -1, axis=0) - curve
    crossed = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    back = (before * after).sum(axis=1) < 0
    corners: _Half = curve[(crossed != 0) | back]
    return corners
