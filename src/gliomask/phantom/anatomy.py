"""A healthy brain for each patient, by deformation of nilearn's MNI152 tissue maps.

The maps are an average of many brains: blurred, and exactly symmetric, so that on them any tumour
would stand out as the only asymmetry. Each patient gets an individual warp that differs from left
to right, ventricles and sulci of its own width, and tissue borders that are made crisp again.
The maps are loaded from the installed nilearn; no copy of them is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gliomask.core.volume import FloatArray
from gliomask.phantom.fields import PhantomGrid, VoxelRegion
from gliomask.phantom.tissues import Tissue

_DEPTH_STEP = 3
"""mm between samples of the distance maps, which are smooth."""
_DEPTH_PAD = 14
"""Samples of padding around the brain, so that the scalp lies within."""
_CLOSING_MM = 9.0
"""Clefts narrower than twice this are bridged by the inner table of the skull."""
_VENTRICLES = (0.0, -12.0, 16.0)
"""About the middle of the lateral ventricles in the template, RAS+ mm."""
_VENTRICLES_REACH = 24.0
"""Standard deviation in mm of how far around there the ventricles' width makes itself felt."""
_SHARPNESS = 2.2
"""Power of the probabilities: 1 is as blurred as the average, more is crisper."""


@dataclass(frozen=True, eq=False)
class Template:
    """The average brain.

    Attributes:
        maps: GM, WM and mask, each (197, 233, 189) uint8, 255 for certainty, 1 mm voxels.
        origin: (3,) world position of the maps' first voxel, RAS+ mm.
        depth: mm beneath the brain's surface, on a padded coarse grid, see ``depth_mm``.
        vault: the same beneath the surface with its clefts closed: the inside of the skull.
    """

    maps: tuple[npt.NDArray[np.uint8], ...]
    origin: FloatArray
    depth: FloatArray
    vault: FloatArray

    def tissues(self, points: FloatArray) -> FloatArray:
        """(3, ...) probability of CSF, GM, WM at points (3, ...) in mm; their sum is the mask."""
        index = points - self.origin.reshape(3, *[1] * (points.ndim - 1))
        gm, wm, mask = (_sample(image, index) / np.float32(255) for image in self.maps)
        return np.stack([np.clip(mask - gm - wm, 0, 1), gm, wm])

    def depth_mm(self, points: FloatArray) -> FloatArray:
        """(...) mm beneath the brain's surface at points (3, ...), negative outside."""
        return _sample(self.depth, self._coarse_index(points))

    def vault_mm(self, points: FloatArray) -> FloatArray:
        """(...) mm beneath the inside of the skull at points (3, ...), negative outside."""
        return _sample(self.vault, self._coarse_index(points))

    def _coarse_index(self, points: FloatArray) -> FloatArray:
        origin = self.origin.reshape(3, *[1] * (points.ndim - 1))
        return (points - origin) / np.float32(_DEPTH_STEP) + np.float32(_DEPTH_PAD)


@cache
def load_template() -> Template:
    """nilearn's maps, once per process (importing nilearn takes seconds)."""
    from nilearn.datasets import (
        load_mni152_brain_mask,
        load_mni152_gm_template,
        load_mni152_wm_template,
    )

    gm, wm = load_mni152_gm_template(resolution=1), load_mni152_wm_template(resolution=1)
    images = (gm, wm, load_mni152_brain_mask(resolution=1))
    maps = tuple(np.rint(np.asarray(i.dataobj, np.float32) * 255).astype(np.uint8) for i in images)
    coarse = np.pad(maps[2][::_DEPTH_STEP, ::_DEPTH_STEP, ::_DEPTH_STEP] > 0, _DEPTH_PAD)
    depth = _signed_distance(coarse)
    vault = _signed_distance(depth > -_CLOSING_MM) - np.float32(_CLOSING_MM)
    return Template(maps, np.asarray(gm.affine[:3, 3], np.float32), depth, vault)


def _signed_distance(inside: npt.NDArray[np.bool_]) -> FloatArray:
    """mm to the border, positive inside, smoothed over one sample."""
    edt = ndimage.distance_transform_edt
    distance = (edt(inside) - edt(~inside)) * _DEPTH_STEP
    return np.asarray(ndimage.gaussian_filter(distance, 0.8), np.float32)


def _sample(image: npt.NDArray[np.generic], index: FloatArray) -> FloatArray:
    """Linear interpolation at voxel indices (3, ...); beyond the edge the edge is repeated."""
    sampled: FloatArray = ndimage.map_coordinates(
        image, index, output=np.float32, order=1, mode="nearest"
    )
    return sampled


def bend(rng: np.random.Generator, grid: PhantomGrid) -> FloatArray:
    """(3, I, J, K, parts): for each place in the patient, the place in the template that is there.

    A small turn and scaling of the whole head, a broad random displacement that differs from left
    to right, and ventricles pulled wide or narrow.
    """
    turn = _rotation(rng.normal(0, (3.0, 2.0, 4.0)))
    size = rng.normal(1.0, (0.03, 0.035, 0.03))
    matrix = (turn / size).astype(np.float32)
    points = np.tensordot(matrix, grid.points(), axes=1)
    points += np.stack([grid.smooth(rng, 70.0) for _ in range(3)]) * np.float32(3.5)
    return _widen(points, rng.uniform(-0.2, 0.3))


def crumple(
    rng: np.random.Generator, region: VoxelRegion, points: FloatArray, vault: FloatArray
) -> FloatArray:
    """``points`` (3, N, parts) displaced finely, so that each patient's gyri lie elsewhere.

    The displacement fades towards the skull, ``vault`` (N, parts) mm away: heads have smooth
    outlines.
    """
    fade = np.clip(vault / 10, 0, 1)
    moved = points.copy()
    for axis in range(3):
        moved[axis] += fade * (2.2 * region.smooth(rng, 28.0) + 0.8 * region.smooth(rng, 13.0))
    return moved


def _widen(points: FloatArray, share: float) -> FloatArray:
    """Points drawn towards the ventricles by a share, so that those appear larger."""
    offset = points - np.reshape(np.array(_VENTRICLES, np.float32), (3, 1, 1, 1, 1))
    near = np.exp(-np.sum(offset**2, axis=0) / np.float32(2 * _VENTRICLES_REACH**2))
    return np.asarray(points - offset * (near * np.float32(share)))


def _rotation(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turns about the three axes, one after the other."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        step = np.eye(3)
        first_axis, second_axis = (axis + 1) % 3, (axis + 2) % 3
        step[first_axis, first_axis] = step[second_axis, second_axis] = np.cos(angle)
        step[first_axis, second_axis], step[second_axis, first_axis] = -np.sin(angle), np.sin(angle)
        matrix = step @ matrix
    return matrix


def brain(rng: np.random.Generator, region: VoxelRegion, prior: FloatArray) -> FloatArray:
    """(3, N, parts) fractions of CSF, GM, WM with the crisp borders of one brain.

    The average's probabilities are raised to a power, which sharpens them, after smooth random
    fields have favoured one tissue or the other: so each brain has individual sulci and cortex.

    Args:
        rng: source of random numbers.
        region: N voxels.
        prior: (3, N, parts) of ``Template.tissues``; its sum, the share of brain, is kept.
    """
    favour = np.zeros_like(prior)
    favour[Tissue.CSF] = rng.normal(0.9, 0.35) + 0.6 * region.smooth(rng, 9.0)
    favour[Tissue.GM] = 0.35 * region.smooth(rng, 8.0)
    odds = ((prior + np.float32(0.01)) * np.exp(favour)) ** np.float32(_SHARPNESS)
    return np.asarray(odds / odds.sum(axis=0) * prior.sum(axis=0), np.float32)
