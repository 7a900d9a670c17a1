"""Surface distances of two masks: HD95, ASSD and surface Dice.

The surface of a mask consists of its voxels that share a face with a voxel outside it or with the
border of the array. Distances are between voxel centres, and each surface voxel counts once. Edges
are computed with SciPy's erosion and distances with its k-d tree, as in MONAI, and all values are
equal to those of its ``compute_hausdorff_distance(percentile=95)``,
``compute_average_surface_distance(symmetric=True)`` and ``compute_surface_dice``; empty masks
follow the policy of gliomask. Tools that weight the surface by its area (DeepMind's
surface-distance, BraTS 2023) differ from this by fractions of a voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gliomask.metrics.boxes import bounding_box
from gliomask.metrics.overlap_counts import Mask
from gliomask.metrics.policy import POLICY, Score

Unit = Literal["mm", "px"]
"""Unit of lengths: millimetres, or pixels without millimetres."""
_Lengths = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SurfaceScore:
    """Distances between two surfaces.

    Attributes:
        hd95: the larger of two 95th percentiles: of the distances from the reference's surface to
            the prediction's, and vice versa (robust form of Huttenlocher 1993), in ``unit``.
        assd: mean of all these distances in both directions (Heimann 2009), in ``unit``.
        nsd_1, nsd_2: normalised surface Dice, the fraction of both surfaces within 1 or 2 ``unit``
            of the other (Nikolov 2018), in [0, 1].
        unit: unit of lengths and tolerances. With ``px`` the distance between slices is one pixel,
            because it is unknown.
        in_plane: measured within each slice, and pooled.
    """

    hd95: Score
    assd: Score
    nsd_1: Score
    nsd_2: Score
    unit: Unit
    in_plane: bool = False


@dataclass(frozen=True, eq=False)
class Distances:
    """Distances of the surface voxels of both masks to the nearest one of the other.

    Attributes:
        to_predicted: distances from the reference's surface; inf if the other is empty.
        to_reference: distances from the prediction's surface.
    """

    to_predicted: _Lengths
    to_reference: _Lengths

    def hd95(self, farthest: float) -> float:
        """95th percentile of the worse direction; distances are limited to ``farthest``."""
        ways = (self.to_predicted, self.to_reference)
        return max(float(np.percentile(np.minimum(way, farthest), 95)) for way in ways)

    def assd(self, farthest: float) -> float:
        """Mean over both directions; distances are limited to ``farthest``."""
        return float(np.minimum(self._all(), farthest).mean())

    def share_within(self, tolerance: float) -> float:
        """Fraction of both surfaces that is at most ``tolerance`` away."""
        return float((self._all() <= tolerance).mean())

    def _all(self) -> _Lengths:
        return np.concatenate((self.to_predicted, self.to_reference))


def score_surface(
    reference: Mask,
    predicted: Mask,
    spacing_mm: Sequence[float] | None = None,
    *,
    in_plane: bool = False,
) -> SurfaceScore:
    """Measure two masks of the same shape, (H, W) or (S, H, W).

    Args:
        reference, predicted: bool.
        spacing_mm: voxel size along each axis in mm; None for pixels of side 1.
        in_plane: measure each slice separately and pool the distances, for slices that are not
            adjacent. If one mask of a slice is empty, each surface pixel counts with the diagonal
            of the slice.

    Raises:
        ValueError: the shapes differ.
    """
    if reference.shape != predicted.shape:
        raise ValueError(f"masks of shapes {reference.shape} and {predicted.shape}")
    spacing = tuple(spacing_mm) if spacing_mm is not None else (1.0,) * reference.ndim
    first = 1 if in_plane else 0
    farthest = diagonal(reference.shape[first:], spacing[first:])
    voxels = int(np.count_nonzero(reference)), int(np.count_nonzero(predicted))
    if all(voxels):
        measure = _within_slices if in_plane else distances
        measured = measure(reference, predicted, spacing)
    else:
        measured = Distances(np.empty(0), np.empty(0))
    return SurfaceScore(
        hd95=POLICY.settle_distance(*voxels, lambda: measured.hd95(farthest), farthest),
        assd=POLICY.settle_distance(*voxels, lambda: measured.assd(farthest), farthest),
        nsd_1=POLICY.settle(*voxels, lambda: measured.share_within(1.0)),
        nsd_2=POLICY.settle(*voxels, lambda: measured.share_within(2.0)),
        unit="px" if spacing_mm is None else "mm",
        in_plane=in_plane,
    )


def diagonal(shape: Sequence[int], spacing: Sequence[float]) -> float:
    """Diagonal of an array: the largest distance between two of its voxels."""
    return float(np.linalg.norm(np.multiply(shape, spacing)))


def distances(reference: Mask, predicted: Mask, spacing: Sequence[float]) -> Distances:
    """Distances between two surfaces of non-empty masks, in any number of dimensions."""
    box = bounding_box(reference | predicted)  # nothing is outside it: no edge changes
    reference_surface, predicted_surface = (
        _surface(mask[box]) * np.asarray(spacing) for mask in (reference, predicted)
    )
    return Distances(
        to_predicted=_nearest(reference_surface, predicted_surface),
        to_reference=_nearest(predicted_surface, reference_surface),
    )


def _within_slices(reference: Mask, predicted: Mask, spacing: Sequence[float]) -> Distances:
    """Surface distances within each slice of (S, H, W), pooled."""
    occupied = np.flatnonzero((reference | predicted).any(axis=(1, 2)))
    slices = [_one_slice(reference[s], predicted[s], spacing[1:]) for s in occupied]
    return Distances(
        np.concatenate([slice_distances.to_predicted for slice_distances in slices]),
        np.concatenate([slice_distances.to_reference for slice_distances in slices]),
    )


def _one_slice(reference: Mask, predicted: Mask, spacing: Sequence[float]) -> Distances:
    if reference.any() and predicted.any():
        return distances(reference, predicted, spacing)
    return Distances(*(np.full(len(_surface(mask)), np.inf) for mask in (reference, predicted)))


def _surface(mask: Mask) -> npt.NDArray[np.int64]:
    """Indices (N, D) of the surface voxels of a mask."""
    from scipy.ndimage import binary_erosion

    return np.argwhere(mask & ~binary_erosion(mask))


def _nearest(points: _Lengths, others: _Lengths) -> _Lengths:
    """Distance of each point (N, D) from the nearest of the others (M, D)."""
    from scipy.spatial import KDTree

    lengths, _ = KDTree(others, leafsize=32).query(points)
    rounded: npt.NDArray[np.float32] = lengths.astype(np.float32)  # single precision, as in MONAI
    return rounded.astype(np.float64)
