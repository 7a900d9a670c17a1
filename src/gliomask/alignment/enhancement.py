"""Detection of the post-contrast series among two T1 series, from enhancement.

An agent brightens vessels, sinuses, the choroid plexus and tumour where its barrier leaks. These
are few voxels, brighter than those that were as bright as they before. So each series is predicted
from the other, by the median for each level of grey, and voxels that are much brighter than
predicted are counted in both directions. The medians take up what differs everywhere: scaling,
field and protocol. Only voxels deep in the head count: fat beneath the scalp is bright or dark by
the protocol. ``benchmarks/accuracy/contrast_pairs.py`` measured it; the
figures are in ``docs/reference/dicom.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gliomask.core.intensity import foreground_level
from gliomask.core.volume import FloatArray
from gliomask.jobs.control import SILENT, Control

InjectionVerdict = Literal["after", "before", "unclear"]

CLEAR = 0.8
"""A score from here on is a verdict. On one half of the patients the largest score for the wrong
order was 0.69."""
DEEP_MM = 16.0
"""How far within the head a voxel must lie to count."""
_BRIGHT = 3.0
"""How many robust standard deviations above its prediction a voxel must lie to count."""
_FLOOR = 1e-3
"""Added to both shares: fewer than one voxel in a thousand is noise."""
_LEAST_VOXELS = 2000
_GRID_MM = 2.0
"""Both series are averaged to voxels of about this size first (thicker slices stay)."""
_LEVELS = 64
_NORMAL = 1.4826
"""Standard deviation of a normal distribution in median absolute deviations."""

_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Brightening:
    """Differences between two series of the same head.

    Attributes:
        second: share of the voxels deep in the head that are much brighter in the second series
            than the first one leads to expect.
        first: the same the other way round.
    """

    second: float
    first: float

    @property
    def score(self) -> float:
        """Positive if the second was made after the agent, negative if the first was."""
        return math.log((self.second + _FLOOR) / (self.first + _FLOOR))

    @property
    def verdict(self) -> InjectionVerdict:
        """Contrast state of the second series relative to the first."""
        if abs(self.score) < CLEAR:
            return "unclear"
        return "after" if self.score > 0 else "before"


def brightening(
    first: FloatArray,
    second: FloatArray,
    spacing_mm: tuple[float, float, float],
    control: Control = SILENT,
) -> Brightening | None:
    """Compares two T1 series on one grid.

    Args:
        first, second: (I, J, K), registered, neither constant.
        spacing_mm: of their voxels along I, J and K.
        control: a stop ends it between its steps.

    Returns:
        the shares; None if fewer than 2000 voxels (of about 2 mm) lie deep in the head.
    """
    factors = tuple(max(1, round(_GRID_MM / mm)) for mm in spacing_mm)
    before, other = _averaged(first, factors), _averaged(second, factors)
    spacing = tuple(f * mm for f, mm in zip(factors, spacing_mm, strict=True))
    levels = foreground_level(before), foreground_level(other)
    control.check()
    inner = _depth((before > levels[0]) | (other > levels[1]), spacing) > DEEP_MM
    inner &= (before > levels[0]) & (other > levels[1])
    if inner.sum() < _LEAST_VOXELS:
        return None
    control.check()
    a, b = before[inner], other[inner]
    return Brightening(_share_brighter(a, b), _share_brighter(b, a))


def _averaged(image: FloatArray, factors: tuple[int, ...]) -> FloatArray:
    """The means of blocks; voxels that fill no whole block are left out."""
    i, j, k = (n // f for n, f in zip(image.shape, factors, strict=True))
    fi, fj, fk = factors
    blocks = image[: i * fi, : j * fj, : k * fk].reshape(i, fi, j, fj, k, fk)
    return np.asarray(blocks.mean(axis=(1, 3, 5)), np.float32)


def _depth(head: _Mask, spacing: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Depth in mm of each voxel below the surface of the head; where the head is cut off by the
    volume's edge is no surface of it."""
    from scipy import ndimage

    along = int(np.argmax(spacing))
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in np.moveaxis(head, along, 0)])
    filled = np.moveaxis(filled, 0, along)
    parts, count = ndimage.label(filled)
    if count > 1:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        filled = parts == sizes.argmax()
    depth = np.zeros(filled.shape, np.float64)
    for box in ndimage.find_objects(filled.view(np.uint8)):
        # With a layer of air around it, wherever the volume has one.
        near = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)
        padded = np.pad(filled[near], 1, mode="edge")
        depth[near] = ndimage.distance_transform_edt(padded, sampling=spacing)[1:-1, 1:-1, 1:-1]
    return depth


def _share_brighter(reference: FloatArray, image: FloatArray) -> float:
    """Share of voxels (N,) that are much brighter in ``image`` than ``reference`` predicts."""
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, _LEVELS + 1)))
    level = np.clip(np.searchsorted(edges, reference, side="right") - 1, 0, max(len(edges) - 2, 0))
    order = np.argsort(level, kind="stable")
    groups = np.split(image[order], np.flatnonzero(np.diff(level[order])) + 1)
    predicted = np.empty_like(image)
    predicted[order] = np.concatenate([np.full(len(g), np.median(g), g.dtype) for g in groups])
    above = image - predicted
    scale = _NORMAL * float(np.median(np.abs(above)))
    return float((above > _BRIGHT * scale).mean()) if scale > 0 else 0.0
