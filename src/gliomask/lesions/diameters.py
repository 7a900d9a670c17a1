"""The two diameters of a lesion according to RANO.

RANO (Wen et al., J Clin Oncol 28 (2010) 1963-1972; kept for two dimensions by RANO 2.0, Wen et
al., J Clin Oncol 41 (2023) 5187-5199) measures the longest diameter of a lesion in an axial slice
and the longest one perpendicular to it in the same slice. The criteria do not define
outlines that bend inwards. Here a diameter is a straight line that never leaves the lesion, as in
AutoRANO (Chang et al., Neuro-Oncology 21 (2019) 1412-1422, and its open code in
QTIM-Lab/DeepNeuro): neither across a notch nor across a hole. As there, the two need not cross.

* The slice is one of the reading frame: the plane of the voxel grid that is nearest to axial, also
  of oblique volumes. Nothing is resampled; lengths and the right angle are those of the affine.
* The ends lie on the outline, half-way between the last pixel inside and the first outside.
  Between the outermost corners of pixels a tilted lesion would come out too long, between
  centres too short: of digitised ellipses, the longest diameter is off by up to 1.3, 1.6 and,
  here, 0.9 pixels.
* The longest diameter joins two points where the outline crosses a row or column of the grid; no
  longer one does. Its perpendicular is exact, and searched through each of these points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import orientation
from gliomask.core.volume import Affine
from gliomask.lesions.lesions import Mask, Point
from gliomask.lesions.outline import Outline, Points

_SAME = 1e-6
"""mm. Lengths that differ by less are equal."""
_TIES = 8
"""Longest lines of one length whose perpendiculars are compared."""
_GLANCES = ((20_000, 8), (1_000, 64))
"""(lines at once, points of each) checked before a line is followed pixel by pixel."""


@dataclass(frozen=True)
class Segment:
    """A straight line between two points of an outline.

    Attributes:
        length_mm: between its ends.
        voxels: its ends as voxel indices (i, j, k); whole numbers are centres of voxels.
        mm: its ends in RAS+ mm.
    """

    length_mm: float
    voxels: tuple[Point, Point]
    mm: tuple[Point, Point]


@dataclass(frozen=True)
class Diameters:
    """The bidimensional measurement of one lesion.

    Attributes:
        axis: the voxel axis that runs through the slices.
        slice_index: of the slice measured in, along that axis, from 0.
        slices: number of slices with any of the lesion.
        slice_mm: distance between the planes of neighbouring slices.
        long: the longest diameter.
        short: the longest one perpendicular to it.
    """

    axis: int
    slice_index: int
    slices: int
    slice_mm: float
    long: Segment
    short: Segment

    @property
    def product_mm2(self) -> float:
        """The product of both, in mm²."""
        return self.long.length_mm * self.short.length_mm


@dataclass(frozen=True, eq=False)
class _Plane:
    """The slices of a lesion's box, and millimetres on them.

    Attributes:
        axes: the voxel axes that are slices, rows and columns.
        affine: of the volume.
        first: the voxel of the volume with which the box begins.
    """

    axes: tuple[int, int, int]
    affine: Affine
    first: tuple[int, ...]

    @property
    def metric(self) -> Points:
        """(2, 2): what turns a step in (rows, columns) into mm, in some frame of the plane."""
        sides = self.affine[:3, self.axes[1:]]
        return np.linalg.qr(sides).R

    @property
    def slice_mm(self) -> float:
        area = np.linalg.norm(np.cross(*self.affine[:3, self.axes[1:]].T))
        return float(abs(np.linalg.det(self.affine[:3, :3])) / area)

    def segment(self, ends: tuple[Points, Points], index: int) -> Segment:
        """A line of slice ``index``, given by (row, column) indices."""
        length = float(np.linalg.norm(self.metric @ (ends[1] - ends[0])))
        (start, other), (one_mm, other_mm) = zip(
            *(self._placed(end, index) for end in ends), strict=True
        )
        return Segment(length, (start, other), (one_mm, other_mm))

    def _placed(self, end: Points, index: int) -> tuple[Point, Point]:
        voxel = np.array(self.first, float)
        voxel[list(self.axes)] += index, *end
        return _point(voxel), _point(self.affine[:3, :3] @ voxel + self.affine[:3, 3])


def measure_diameters(
    mask: Mask, affine: Affine, first: tuple[int, int, int] = (0, 0, 0)
) -> Diameters | None:
    """The diameters of a lesion (I, J, K); None if it is empty.

    Of slices with equally long diameters that one is taken whose outermost points lie furthest
    apart, then the larger one, then the first from the feet; of equally long ones in a slice that
    with the longest perpendicular.

    Args:
        mask: of one lesion, bool.
        affine: (4, 4), voxel index of the volume to RAS+ mm.
        first: the voxel of the volume with which the mask begins, if it is cut out of one.

    Raises:
        ValueError: the affine is singular or not finite.
    """
    from scipy.ndimage import find_objects

    turn = orientation(affine)
    boxes = find_objects(mask.view(np.uint8))
    if not boxes:
        return None
    plane = _Plane(
        turn.axes, affine, tuple(n + side.start for n, side in zip(first, boxes[0], strict=True))
    )
    slices = mask[boxes[0]].transpose(turn.axes)
    slices_with_tumour = np.flatnonzero(slices.any(axis=(1, 2)))
    upwards = slices_with_tumour[::-1] if turn.flips[0] else slices_with_tumour
    index, ties = _longest_of_all(slices, upwards, plane.metric)
    short, long = _with_perpendicular(Outline(slices[index]), ties, plane.metric)
    return Diameters(
        axis=turn.axes[0],
        slice_index=plane.first[turn.axes[0]] + index,
        slices=len(slices_with_tumour),
        slice_mm=plane.slice_mm,
        long=plane.segment(long, index),
        short=plane.segment(short, index),
    )


Line = tuple[Points, Points]


def _by_bound(
    slices: Mask, labelled_slices: npt.NDArray[np.intp], metric: Points
) -> Iterator[tuple[float, int]]:
    """(length that no line of a slice exceeds, its index), the longest first, then the largest.

    A bound is worked out once the diagonal of the slice's box, which is not shorter, comes first.
    """
    queue = [
        (-_diagonal(slices[index], metric) - _SAME, 0, n, 0.0)
        for n, index in enumerate(labelled_slices)
    ]
    heapify(queue)
    while queue:
        _, size, n, bound = heappop(queue)
        index = int(labelled_slices[n])
        if size:
            yield bound, index
            continue
        bound = _bound(slices[index], metric)
        heappush(queue, (-round(bound, 6), -int(slices[index].sum()), n, bound))


def _diagonal(mask: npt.NDArray[np.bool_], metric: Points) -> float:
    """The longer diagonal of the box around a slice in mm; no line inside is longer."""
    sides = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    height, width = (float(side[-1] - side[0] + 1) for side in sides)
    corners = np.array([[height, width], [height, -width]])
    return float(np.linalg.norm(corners @ metric.T, axis=1).max())


def _bound(mask: npt.NDArray[np.bool_], metric: Points) -> float:
    """The longest distance between any two points of the outline: its ends are on the hull."""
    points = Outline(mask).points @ metric.T
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import pdist

    corners: Points = points[ConvexHull(points).vertices]
    return float(pdist(corners).max())


def _longest_of_all(
    slices: Mask, slice_indices: npt.NDArray[np.intp], metric: Points
) -> tuple[int, list[Line]]:
    """The slice with the longest line inside, and all such lines of it."""
    best, best_mm = (-1, list[Line]()), 0.0
    for bound, index in _by_bound(slices, slice_indices, metric):
        if bound < best_mm - _SAME:
            break
        shortest = best_mm + _SAME if best[1] else 0.0
        diameters = _longest(Outline(slices[index]), metric, shortest)
        if diameters:
            best, best_mm = (index, diameters), _length(diameters[0], metric)
    return best


def _longest(outline: Outline, metric: Points, shortest: float) -> list[Line]:
    """The longest lines inside, all of one length; none if no one reaches ``shortest``."""
    ties: list[Line] = []
    for start, end in _candidates(outline, metric, shortest):
        if ties and _length((start, end), metric) < _length(ties[0], metric) - _SAME:
            break
        if outline.contains_line(start, end):
            ties.append((start, end))
            if len(ties) == _TIES:
                break
    return ties


def _candidates(outline: Outline, metric: Points, shortest: float) -> Iterator[Line]:
    """Lines that may be inside, the longest first: glances at some of their points are passed."""
    from scipy.spatial.distance import pdist

    points = outline.points
    lengths = pdist(points @ metric.T)
    first, second = np.triu_indices(len(points), 1)
    long_enough = np.flatnonzero(lengths >= shortest)
    long_enough = long_enough[np.argsort(-lengths[long_enough], kind="stable")]
    yield from _seen(outline, points[first[long_enough]], points[second[long_enough]], _GLANCES)


def _seen(
    outline: Outline, starts: Points, ends: Points, glances: tuple[tuple[int, int], ...]
) -> Iterator[Line]:
    """The lines that pass each glance, in their order, no more of them checked than requested."""
    if not glances:
        yield from zip(starts, ends, strict=True)
        return
    (size, count), *others = glances
    for begin in range(0, len(starts), size):
        batch = slice(begin, begin + size)
        inside = outline.glance(starts[batch], ends[batch], count)
        yield from _seen(outline, starts[batch][inside], ends[batch][inside], tuple(others))


def _with_perpendicular(outline: Outline, lines: list[Line], metric: Points) -> list[Line]:
    """The line with the longest perpendicular, and that perpendicular, the shorter one first.

    The ends of the perpendicular need not be on a row or column: in a disc it may be the longer.
    """
    pairs = [(line, _perpendicular(outline, line, metric)) for line in lines]
    best = max(pairs, key=lambda pair: _length(pair[1], metric))
    return sorted(best, key=lambda line: _length(line, metric))


def _perpendicular(outline: Outline, line: Line, metric: Points) -> Line:
    """The longest line inside at a right angle (in mm) to another one.

    Between two neighbouring points of the outline the ends of a line that is moved sideways run
    along straight lines, so it is longest where it goes through such a point.
    """
    along = metric @ (line[1] - line[0])
    across = np.linalg.solve(metric, np.array([-along[1], along[0]]))
    across /= np.linalg.norm(across)
    bounds = outline.reaches(across) * np.linalg.norm(metric @ across)
    best = (outline.points[0], outline.points[0])
    for number in np.argsort(-bounds, kind="stable").tolist():
        if bounds[number] < _length(best, metric):
            break
        best = max(
            best,
            outline.reach(outline.points[number], across),
            key=lambda ends: _length(ends, metric),
        )
    return best


def _length(line: Line, metric: Points) -> float:
    return float(np.linalg.norm(metric @ (line[1] - line[0])))


def _point(values: npt.NDArray[np.float64]) -> Point:
    i, j, k = values.tolist()
    return i, j, k
