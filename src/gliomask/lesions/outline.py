"""Outline of a lesion in a slice, and straight lines inside it.

The outline runs half-way between the last pixel inside and the first outside, in steps from one
such point to the next (marching squares at 0.5; pixels that touch by a corner hang together). So a
single pixel is one pixel wide whichever way it is measured along the grid, and n pixels in a row
are n pixels long.

Coordinates here are (row, column) indices: pixel centres are whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

MOST_POINTS = 3000
"""Maximum number of points, because the time grows with their square. A disc of 150 mm has 1200 at
0.5 mm a pixel."""
_HAIR = 1e-6
"""Pixels. A line along the outline counts as inside."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A lesion in one slice.

    Attributes:
        mask: (H, W) bool.
    """

    mask: npt.NDArray[np.bool_]

    @cached_property
    def points(self) -> Points:
        """(P, 2): where the outline crosses a row or a column, half-way between two pixels.

        Every corner of the outline is one of them. Those around holes are among them. Of more than
        ``MOST_POINTS`` every second, third ... is left: such outlines are noise, not lesions.
        """
        padded = self._padded
        across = np.argwhere(padded[1:, :] != padded[:-1, :]) + np.array([0.5, 0.0])
        along = np.argwhere(padded[:, 1:] != padded[:, :-1]) + np.array([0.0, 0.5])
        every = -(-(len(across) + len(along)) // MOST_POINTS)
        points: Points = np.concatenate([across, along])[::every] - 1.0
        return points

    @property
    def size(self) -> float:
        """No two points inside are further apart, in pixels."""
        return float(np.hypot(*self.mask.shape))

    def reaches(self, direction: Points) -> Points:
        """(P,): what the line through each point of the outline can't be longer than, in pixels.

        Args:
            direction: (2,), not zero.
        """
        step = direction / np.linalg.norm(direction)
        count = int(self.size) + 1
        bound = np.zeros(len(self.points))
        for way in (step, -step):
            walk = self.points[:, None] + np.arange(count)[:, None] * way
            near = self.near(walk.reshape(-1, 2)).reshape(-1, count)
            bound += np.logical_and.accumulate(near, axis=1).sum(axis=1)
        return np.minimum(bound, self.size)

    def holds(self, points: Points) -> npt.NDArray[np.bool_]:
        """True for those of the points (N, 2) that lie inside.

        Four neighbouring centres make a square. Its four corners are cut off by the outline of the
        diamond between the middles of its sides. A corner belongs to its pixel; the diamond to
        the lesion if three of the four pixels or two opposite ones do, and half of it if two
        neighbours do.
        """
        padded = self._padded
        moved = np.clip(points + 1.0, 0.0, np.array(padded.shape) - 1.0)
        low = np.minimum(moved.astype(np.intp), np.array(padded.shape) - 2)
        rest = moved - low
        near = rest > 0.5
        row, column = (low + near).T
        nearest = padded[row, column]
        in_diamond = np.abs(rest - near).sum(axis=1) > 0.5
        corners = self._squares[low[:, 0], low[:, 1]]
        inside: npt.NDArray[np.bool_] = np.where(
            in_diamond & (corners != _HALF), corners == _ALL, nearest
        )
        return inside

    def near(self, points: Points) -> npt.NDArray[np.bool_]:
        """True for the points (N, 2) that may lie inside: quick, with some false positives.

        Points further than a pixel beyond the mask are not.
        """
        rows, columns = np.floor(points).astype(np.intp).T + 1
        height, width = self._around.shape
        beyond = (rows < 0) | (columns < 0) | (rows >= height) | (columns >= width)
        nearby = self._around[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
        nearby_points: npt.NDArray[np.bool_] = nearby & ~beyond
        return nearby_points

    def glance(self, starts: Points, ends: Points, count: int) -> npt.NDArray[np.bool_]:
        """True for lines (N, 2) to (N, 2) that are inside at so many points between their ends.

        All that stay inside are, and some others.
        """
        share = (np.arange(count) + 0.5) / count
        steps = ends - starts
        points = (starts[:, None] + share[:, None] * steps[:, None]).reshape(-1, 2)
        maybe: npt.NDArray[np.bool_] = np.logical_and.reduce(
            self.near(points).reshape(-1, count), axis=1
        )
        turned = np.stack([-steps[:, 1], steps[:, 0]], axis=1)
        aside = turned * (_HAIR / np.linalg.norm(steps, axis=1))[:, None]
        moves = np.repeat(aside[maybe], count, axis=0)
        left = points.reshape(-1, count, 2)[maybe].reshape(-1, 2)
        inside = self.holds(left + moves) | self.holds(left - moves)
        maybe[maybe] = inside.reshape(-1, count).all(axis=1)
        return maybe

    def contains_line(self, start: Points, end: Points) -> bool:
        """Return True if the line between two points is inside or on the outline."""
        _, inside = self._pieces(start, end)
        return bool(inside.all())

    def reach(self, through: Points, direction: Points) -> tuple[Points, Points]:
        """The ends of the longest line inside that goes through a point of the outline.

        Args:
            through: (2,), a point of the outline.
            direction: (2,), not zero.
        """
        size = self.size / float(np.linalg.norm(direction))
        start, end = through - size * direction, through + size * direction
        cuts, inside = self._pieces(start, end)
        here = int(np.argmin(np.abs(cuts - 0.5)))
        first = last = here
        while first > 0 and inside[first - 1]:
            first -= 1
        while last < len(inside) and inside[last]:
            last += 1
        return start + cuts[first] * (end - start), start + cuts[last] * (end - start)

    def _pieces(self, start: Points, end: Points) -> tuple[Points, npt.NDArray[np.bool_]]:
        """A line in pieces that are each wholly inside or outside: N + 1 cuts in [0, 1], N bools.

        Where the outline may turn, a row, a column or a diagonal is at a whole or a half number.
        """
        step = end - start
        cuts = [np.array([0.0, 0.5, 1.0])]
        for weights in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, -1.0)):
            first, change = float(start @ weights), float(step @ weights)
            if abs(change) > _HAIR:
                low, high = sorted((2 * first, 2 * (first + change)))
                halves = np.arange(np.ceil(low), np.floor(high) + 1) / 2
                cuts.append((halves - first) / change)
        joined = np.unique(np.clip(np.concatenate(cuts), 0.0, 1.0))
        length = float(np.linalg.norm(step))
        joined = joined[np.append(np.diff(joined) * length > _HAIR, True)]
        middles = start + ((joined[:-1] + joined[1:]) / 2)[:, None] * step
        aside = np.array([-step[1], step[0]]) * (_HAIR / length)
        inside = self.holds(middles + aside) | self.holds(middles - aside)
        return joined, inside

    @cached_property
    def _padded(self) -> npt.NDArray[np.bool_]:
        return np.pad(self.mask, 1)

    @cached_property
    def _around(self) -> npt.NDArray[np.bool_]:
        """Mask of the corners with any of four neighbouring pixels inside."""
        padded = self._padded
        upper, lower = padded[:-1], padded[1:]
        around: npt.NDArray[np.bool_] = upper[:, :-1] | upper[:, 1:] | lower[:, :-1] | lower[:, 1:]
        return around

    @cached_property
    def _squares(self) -> npt.NDArray[np.int8]:
        """Position of the diamond of each four neighbouring pixels: inside, outside or halved."""
        padded = self._padded.astype(np.int8)
        count = padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]
        opposite = (count == 2) & (padded[:-1, :-1] == padded[1:, 1:])
        kinds = np.select([(count >= 3) | opposite, count <= 1], [_ALL, _NONE], _HALF)
        return kinds.astype(np.int8)


_NONE, _HALF, _ALL = 0, 1, 2
