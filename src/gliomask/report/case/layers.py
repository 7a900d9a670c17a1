"""Layers of the viewer: images on one grid, small enough to be embedded in a page.

The grid is the input's, turned to RAS+ by swapping and reversing axes and cropped to the head, both
of which are exact. Intensities become 8 bit within a window; masks stay as they are. A layer is a
gzipped NIfTI file in base64. In too large volumes, every second voxel along the finest axes is
kept, with a note on the page.
"""

from __future__ import annotations

import base64
import gzip
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import Element, Orientation, orientation, spacing_mm, to_reading
from gliomask.core.intensity import tissue_level
from gliomask.core.labels import LabelArray
from gliomask.core.volume import Affine, FloatArray, Volume

CLIP = (0.1, 99.9)
"""Percentiles for clipping of intensities: the lower one of all voxels, the upper one of the
head."""
SHOWN = (0.5, 99.5)
"""Percentiles of the initial window."""
_STRAY = 0.01
"""Fraction of the maximum tissue per plane, up to which a plane is air."""
_MARGIN = 3
_LEVELS = 255
_SAMPLE, _WINDOW_SAMPLE = 100_000, 250_000
"""Approximate numbers of voxels that the extent of the head and the window are estimated from."""
_BUDGET = 40_000_000
"""Voxels of all sequences together; half a byte each, and a third more in base64."""
_LABEL_INTENT = "label"
_GZIP_LEVEL = 3
"""Level 6 takes 1.7 times as long for 3 % less."""

Triple = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class LayerGrid:
    """The grid of the layers.

    Attributes:
        turn: of the input into the reading frame.
        start: (x, y, z) of the first kept voxel in the whole RAS+ grid.
        step: (x, y, z): 1 where all voxels are kept, 2 for every second, and so on.
        shape: (X, Y, Z) kept.
        whole: (X, Y, Z) before the crop.
        to_input: (4, 4), a kept voxel's index to that of the input.
        affine: (4, 4), a kept voxel's index to RAS+ mm.
        levels: C intensities above which a voxel of each sequence is tissue.
    """

    turn: Orientation
    start: Triple
    step: Triple
    shape: Triple
    whole: Triple
    to_input: Affine
    affine: Affine
    levels: tuple[float, ...]

    def take(self, array: npt.NDArray[Element]) -> npt.NDArray[Element]:
        """An array of the input (I, J, K), as a view (X, Y, Z) on this grid."""
        spans = zip(self.start, self.step, self.shape, strict=True)
        cropped = tuple(slice(first, first + step * size, step) for first, step, size in spans)
        return _to_ras(array, self.turn)[cropped]


@dataclass(frozen=True)
class ViewerLayer:
    """An encoded layer.

    Attributes:
        data: gzipped NIfTI in base64.
        low, high: range of its values.
        black, white: initial window.
    """

    data: str
    low: float
    high: float
    black: float
    white: float


def grid_of(volume: Volume, mask: LabelArray) -> LayerGrid:
    """Grid that contains the head in all sequences and the complete mask (I, J, K)."""
    turn = orientation(volume.affine)
    levels = tuple(tissue_level(image, _SAMPLE) for image in volume.array)
    head = mask > 0
    for image, level in zip(volume.array, levels, strict=True):
        head |= image > level
    turned, marked = _to_ras(head, turn), _to_ras(mask > 0, turn)
    spans = [_span(turned, marked, axis) for axis in range(3)]
    start = (spans[0][0], spans[1][0], spans[2][0])
    x, y, z = (stop - first for first, stop in spans)
    to_input = _index_map(turn, volume.shape, start)
    spacing = spacing_mm(volume.affine @ to_input)
    step = _steps((x, y, z), spacing, _BUDGET // len(volume.array))
    to_input = to_input @ np.diag([*step, 1.0])
    affine = volume.affine @ to_input
    shape = _thinned((x, y, z), step)
    return LayerGrid(turn, start, step, shape, turned.shape, to_input, affine, levels)


def image_layer(image: FloatArray, grid: LayerGrid, level: float) -> ViewerLayer:
    """One sequence (I, J, K), in 255 steps within ``CLIP``.

    Args:
        image: the sequence.
        grid: of the layers.
        level: number of its level of the grid.
    """
    cropped = grid.take(image).astype(np.float32)
    sample = cropped.ravel("K")[:: max(1, cropped.size // _WINDOW_SAMPLE)]
    head = sample[sample > level]
    low, black = (float(p) for p in np.percentile(sample, (CLIP[0], SHOWN[0])))
    bright = np.percentile(head if head.size else sample, (SHOWN[1], CLIP[1]))
    white, high = (float(p) for p in bright)
    high = max(high, low + 1e-6)
    return ViewerLayer(
        _scaled(cropped, low, high, grid), low, high, black, max(white, black + 1e-6)
    )


def map_layer(values: npt.NDArray[np.floating], grid: LayerGrid, top: float = 1.0) -> ViewerLayer:
    """A map (I, J, K) of values in [0, top], in 255 steps."""
    cropped = grid.take(values).astype(np.float32)
    return ViewerLayer(_scaled(cropped, 0.0, top, grid), 0.0, top, 0.02 * top, top)


def mask_layer(mask: LabelArray, grid: LayerGrid) -> ViewerLayer:
    """A mask (I, J, K), exact."""
    top = float(mask.max())
    return ViewerLayer(
        _nifti(grid.take(mask).astype(np.uint8), grid, (1.0, 0.0), True), 0, top, 0, top
    )


def largest_slice(mask: LabelArray, grid: LayerGrid) -> Triple:
    """Initial position (x, y, z): in the axial slice with the largest mask area.

    It is the mask voxel closest to the centre of the mask in that slice. For an empty mask it is
    the centre of the grid.
    """
    cropped = grid.take(mask) > 0
    if not cropped.any():
        x, y, z = (size // 2 for size in grid.shape)
        return x, y, z
    level = int(np.argmax(cropped.sum(axis=(0, 1))))
    marked = np.argwhere(cropped[:, :, level])
    nearest = np.argmin(((marked - marked.mean(axis=0)) ** 2).sum(axis=1))
    return int(marked[nearest, 0]), int(marked[nearest, 1]), level


def _to_ras(array: npt.NDArray[Element], turn: Orientation) -> npt.NDArray[Element]:
    """(I, J, K) as a view (X, Y, Z): the reading frame (S, P, L) the other way round."""
    return to_reading(array, turn).transpose(2, 1, 0)[::-1, ::-1]


def _thinned(shape: Triple, step: Triple) -> Triple:
    x, y, z = (-(-size // each) for size, each in zip(shape, step, strict=True))
    return x, y, z


def _steps(shape: Triple, spacing: tuple[float, float, float], budget: int) -> Triple:
    """The finest axis is thinned first, again and again until the budget is met."""
    step = [1, 1, 1]
    while math.prod(_thinned(shape, (step[0], step[1], step[2]))) > budget:
        fine = [size * each for size, each in zip(spacing, step, strict=True)]
        step[fine.index(min(fine))] *= 2
    return step[0], step[1], step[2]


def _index_map(turn: Orientation, shape: Triple, start: Triple) -> Affine:
    """Index on the cropped RAS+ grid to index of the input."""
    matrix = np.eye(4)
    matrix[:3, :3] = 0
    # x and y run against columns and rows of the reading frame, z along its slices.
    backwards = (not turn.flips[2], not turn.flips[1], turn.flips[0])
    for world, voxel, against in zip(range(3), reversed(turn.axes), backwards, strict=True):
        matrix[voxel, world] = -1 if against else 1
        matrix[voxel, 3] = shape[voxel] - 1 - start[world] if against else start[world]
    return matrix


def _span(head: npt.NDArray[np.bool_], mask: npt.NDArray[np.bool_], axis: int) -> tuple[int, int]:
    """First and last plane (exclusive) with more head than stray voxels, or with mask; widened."""
    others = tuple(other for other in range(3) if other != axis)
    profile = head.sum(axis=others)
    cropped = np.flatnonzero((profile > _STRAY * profile.max()) | mask.any(axis=others))
    if cropped.size == 0:
        return 0, profile.size
    return max(0, int(cropped[0]) - _MARGIN), min(profile.size, int(cropped[-1]) + 1 + _MARGIN)


def _scaled(values: FloatArray, low: float, high: float, grid: LayerGrid) -> str:
    step = (high - low) / _LEVELS
    levels = values - low
    levels /= step
    np.clip(np.rint(levels, out=levels), 0, _LEVELS, out=levels)
    return _nifti(levels.astype(np.uint8), grid, (step, low), False)


def _nifti(
    levels: npt.NDArray[np.uint8], grid: LayerGrid, slope: tuple[float, float], labels: bool
) -> str:
    """A NIfTI file in memory, gzipped without a date, in base64."""
    import nibabel as nib

    image = nib.Nifti1Image(np.asfortranarray(levels), grid.affine)
    image.header.set_slope_inter(*slope)
    image.header.set_xyzt_units("mm")
    if labels:
        image.header.set_intent(_LABEL_INTENT)
    packed = gzip.compress(image.to_bytes(), _GZIP_LEVEL, mtime=0)
    return base64.b64encode(packed).decode("ascii")
