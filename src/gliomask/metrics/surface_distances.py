"""Surface distances of two masks: HD95, ASSD and the surface Dice.

The surface of a mask is its voxels that touch, face to face, a voxel outside it or the border of
the array. Distances are from voxel centre to voxel centre, each surface voxel counts once. Edges
come from SciPy's erosion and distances from its k-d tree, as in MONAI, to whose
``compute_hausdorff_distance(percentile=95)``, ``compute_average_surface_distance(symmetric=True)``
and ``compute_surface_dice`` all figures are equal; empty masks follow our own policy.
Tools that weight the surface by its area (DeepMind's surface-distance, BraTS 2023) differ from
this by fractions of a voxel.
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
"""Of lengths: millimetres, or pixels where the data has no millimetres."""
_Lengths = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SurfaceScore:
    """Distances between two surfaces.

    Attributes:
        hd95: the larger of two 95th percentiles: of the distances from the reference's surface to
            the prediction's, and of those back (Huttenlocher 1993, made robust), in ``unit``.
        assd: the mean of all these distances, both ways together (Heimann 2009), in ``unit``.
        nsd_1, nsd_2: normalised surface Dice, the share of both surfaces that lies within 1 or 2
            ``unit`` of the other (Nikolov 2018), in [0, 1].
        unit: of the lengths and of the tolerances. In ``px`` a step to the next slice counts as
            one pixel, because the distance of the slices is unknown.
        in_plane: measured within each slice on its own, and pooled.
    """

    hd95: Score
    assd: Score
    nsd_1: Score
    nsd_2: Score
    unit: Unit
    in_plane: bool = False


@dataclass(frozen=True, eq=False)
class Distances:
    """The surface voxels of both masks, each with its way to the nearest one of the other mask.

    Attributes:
        to_predicted: from those of the reference; inf where there is none to go to.
        to_reference: from those of the prediction.
    """

    to_predicted: _Lengths
    to_reference: _Lengths

    def hd95(self, farthest: float) -> float:
        """The 95th percentile of the worse direction; no way is longer than ``farthest``."""
        ways = (self.to_predicted, self.to_reference)
        return max(float(np.percentile(np.minimum(way, farthest), 95)) for way in ways)

    def assd(self, farthest: float) -> float:
        """The mean over both directions; no way is longer than ``farthest``."""
        return float(np.minimum(self._all(), farthest).mean())

    def share_within(self, tolerance: float) -> float:
        """The share of both surfaces that is at most ``tolerance`` away."""
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
    """Measures two masks of the same shape, (H, W) or (S, H, W).

    Args:
        reference, predicted: bool.
        spacing_mm: voxel size along each axis in mm; None for pixels of side 1.
        in_plane: measure each slice on its own and pool the distances: for slices that are no
            neighbours. A slice in which only one mask holds something then counts with the
            diagonal of the slice for each of its surface pixels.

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
    """From corner to opposite corner of an array: no two of its voxels are farther apart."""
    return float(np.linalg.norm(np.multiply(shape, spacing)))


def distances(reference: Mask, predicted: Mask, spacing: Sequence[float]) -> Distances:
    """The distances between two surfaces, neither mask empty, any number of dimensions."""
    box = bounding_box(reference | predicted)  # nothing lies beyond it: no edge changes
    drawn, predicted_surface = (
        _surface(mask[box]) * np.asarray(spacing) for mask in (reference, predicted)
    )
    return Distances(
        to_predicted=_nearest(drawn, predicted_surface),
        to_reference=_nearest(predicted_surface, drawn),
    )


def _within_slices(reference: Mask, predicted: Mask, spacing: Sequence[float]) -> Distances:
    """The same slice by slice (S, H, W), pooled."""
    kept = np.flatnonzero((reference | predicted).any(axis=(1, 2)))
    slices = [_one_slice(reference[s], predicted[s], spacing[1:]) for s in kept]
    return Distances(
        np.concatenate([slice_distances.to_predicted for slice_distances in slices]),
        np.concatenate([slice_distances.to_reference for slice_distances in slices]),
    )


def _one_slice(reference: Mask, predicted: Mask, spacing: Sequence[float]) -> Distances:
    if reference.any() and predicted.any():
        return distances(reference, predicted, spacing)
    return Distances(*(np.full(len(_surface(mask)), np.inf) for mask in (reference, predicted)))


def _surface(mask: Mask) -> npt.NDArray[np.int64]:
    """The indices (N, D) of the surface voxels of a mask."""
    from scipy.ndimage import binary_erosion

    return np.argwhere(mask & ~binary_erosion(mask))


def _nearest(points: _Lengths, others: _Lengths) -> _Lengths:
    """The distance of each point (N, D) from the nearest of the others (M, D)."""
    from scipy.spatial import KDTree

    lengths, _ = KDTree(others, leafsize=32).query(points)
    rounded: npt.NDArray[np.float32] = lengths.astype(np.float32)  # as MONAI gives them
    return rounded.astype(np.float64)
