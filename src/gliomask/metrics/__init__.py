"""Scores of masks, on plain arrays.

    >>> import numpy as np
    >>> from gliomask import metrics
    >>> reference, predicted = np.zeros((2, 8, 8), bool), np.zeros((2, 8, 8), bool)
    >>> reference[:, 2:6, 2:6] = True
    >>> predicted[:, 2:6, 3:7] = True
    >>> metrics.dice(reference, predicted)
    0.75

Masks are of bool or of numbers that are all 0 or 1, both of the same shape; (H, W) or (S, H, W)
unless stated otherwise. The reference always comes first. ``spacing`` is the size of a
voxel in millimetres along each axis, in the order of the axes; without it lengths are in pixels
and a voxel counts as 1 along every axis.

Empty masks are scored by one policy, stated in ``POLICY.text``, and no result is NaN or infinite:
if both masks are empty there is no score (None); if only one is, overlap and surface Dice are 0,
distances the diagonal of the array. State the policy with every mean.

Every function raises ``ValueError`` for masks of different shapes, with other numbers than 0 and
1, or of another number of dimensions, and for a spacing that is not one positive length for each
axis. Importing this module loads numpy only; SciPy is loaded on first use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.metrics.lesions import LesionScore, score_lesions
from gliomask.metrics.overlap_counts import Mask, Overlap
from gliomask.metrics.overlap_counts import count_overlap as _overlap
from gliomask.metrics.policy import POLICY, Score
from gliomask.metrics.slicewise import SliceScore, score_slices
from gliomask.metrics.surface_distances import SurfaceScore, distances, score_surface

__all__ = [
    "POLICY",
    "LesionScore",
    "Overlap",
    "Score",
    "SliceScore",
    "SurfaceScore",
    "VolumeError",
    "assd",
    "dice",
    "hd95",
    "iou",
    "lesion_wise",
    "overlap",
    "precision",
    "sensitivity",
    "slice_scores",
    "surface",
    "surface_dice",
    "volume_error",
]

MaskLike = npt.ArrayLike
Spacing = Sequence[float]


@dataclass(frozen=True)
class VolumeError:
    """Predicted minus reference volume.

    Attributes:
        ml: in millilitres, signed; None without spacing, of a picture (H, W), or if both masks
            are empty.
        percent: of the reference, signed; None if the reference is empty.
    """

    ml: Score
    percent: Score


def overlap(reference: MaskLike, predicted: MaskLike) -> Overlap:
    """Voxel counts of both masks, from which dice, iou, sensitivity and precision follow."""
    return _overlap(*_masks(reference, predicted))


def dice(reference: MaskLike, predicted: MaskLike) -> Score:
    """Shared voxels over the mean size of both masks, in [0, 1] (Dice 1945)."""
    return overlap(reference, predicted).dice


def iou(reference: MaskLike, predicted: MaskLike) -> Score:
    """Shared voxels over the voxels of either mask, in [0, 1] (Jaccard 1912)."""
    return overlap(reference, predicted).iou


def sensitivity(reference: MaskLike, predicted: MaskLike) -> Score:
    """Sensitivity (recall): fraction of the reference that is predicted, in [0, 1]; 0 if only one
    mask is empty."""
    return overlap(reference, predicted).sensitivity


def precision(reference: MaskLike, predicted: MaskLike) -> Score:
    """Precision: fraction of the prediction that is correct, in [0, 1]; 0 if only one mask is
    empty."""
    return overlap(reference, predicted).precision


def volume_error(
    reference: MaskLike, predicted: MaskLike, spacing: Spacing | None = None
) -> VolumeError:
    """Difference of the volumes: positive if the predicted volume is too large."""
    reference_mask, predicted_mask = _masks(reference, predicted)
    counts, voxel = (
        _overlap(reference_mask, predicted_mask),
        _voxel_ml(_spacing(spacing, reference_mask)),
    )
    ml = (counts.predicted - counts.reference) * voxel if voxel is not None else None
    both_empty = not counts.predicted and not counts.reference
    return VolumeError(POLICY.both_empty if both_empty else ml, counts.volume_error_percent)


def surface(
    reference: MaskLike, predicted: MaskLike, spacing: Spacing | None = None
) -> SurfaceScore:
    """HD95, ASSD and surface Dice at 1 and 2 mm (or pixels), computed in one pass.

    The surface of a mask is its voxels with a face neighbour outside it or outside the array;
    distances run from voxel centre to voxel centre. The values are equal to MONAI's. Give a single
    slice as (H, W): of (1, H, W) every voxel is surface.
    """
    reference_mask, predicted_mask = _masks(reference, predicted)
    return score_surface(reference_mask, predicted_mask, _spacing(spacing, reference_mask))


def hd95(reference: MaskLike, predicted: MaskLike, spacing: Spacing | None = None) -> Score:
    """Robust Hausdorff distance in mm, or in pixels without spacing.

    The larger of the 95th percentiles of the distances from one surface to the other and back
    (Huttenlocher 1993). If only one mask is empty, the diagonal of the array.
    """
    return surface(reference, predicted, spacing).hd95


def assd(reference: MaskLike, predicted: MaskLike, spacing: Spacing | None = None) -> Score:
    """Average symmetric surface distance in mm, or in pixels without spacing.

    The mean of the distances from both surfaces to the other (Heimann 2009). If only one mask is
    empty, the diagonal of the array.
    """
    return surface(reference, predicted, spacing).assd


def surface_dice(
    reference: MaskLike,
    predicted: MaskLike,
    spacing: Spacing | None = None,
    *,
    tolerance: float = 2.0,
) -> Score:
    """Normalised surface Dice: fraction of both surfaces within ``tolerance`` of the other.

    In [0, 1] (Nikolov 2018), the surface counted in voxels; 0 if only one mask is empty.

    Args:
        reference, predicted: masks.
        spacing: in mm.
        tolerance: in mm, or in pixels without spacing; not negative.
    """
    if not tolerance >= 0:
        raise ValueError(f"a tolerance of {tolerance}, which must not be negative")
    reference_mask, predicted_mask = _masks(reference, predicted)
    sides = _spacing(spacing, reference_mask) or (1.0,) * reference_mask.ndim
    counts = _overlap(reference_mask, predicted_mask)
    return POLICY.settle(
        counts.reference,
        counts.predicted,
        lambda: distances(reference_mask, predicted_mask, sides).share_within(tolerance),
    )


def lesion_wise(
    reference: MaskLike, predicted: MaskLike, spacing: Spacing | None = None
) -> LesionScore:
    """Lesion-wise Dice and HD95 as in BraTS 2023 for adult glioma, and lesion counts.

    Missed and false-positive lesions count with Dice 0 and HD95 374; lesions of at most 50 mm³ are
    ignored. See ``gliomask.metrics.lesions`` for the definition. Both scores are None if there was
    no lesion (the challenge gives Dice 1 and HD95 0). Without spacing, voxels are taken as mm³.

    Args:
        reference, predicted: masks (S, H, W).
        spacing: in mm.
    """
    reference_mask, predicted_mask = _masks(reference, predicted, dimensions=(3,))
    return score_lesions(reference_mask, predicted_mask, _spacing(spacing, reference_mask))


def slice_scores(
    reference: MaskLike, predicted: MaskLike, spacing: Spacing | None = None
) -> SliceScore:
    """Dice over the slices with tumour, and the false-positive area in those without.

    Not suitable as the main result, because large tumours have more slices.

    Args:
        reference, predicted: masks (S, H, W).
        spacing: in mm; gives the false-positive area in mm².
    """
    reference_mask, predicted_mask = _masks(reference, predicted, dimensions=(3,))
    sides = _spacing(spacing, reference_mask)
    return score_slices(
        reference_mask, predicted_mask, None if sides is None else sides[1] * sides[2]
    )


def _masks(
    reference: MaskLike, predicted: MaskLike, dimensions: tuple[int, ...] = (2, 3)
) -> tuple[Mask, Mask]:
    reference_mask, predicted_mask = _mask(reference, "reference"), _mask(predicted, "prediction")
    if reference_mask.shape != predicted_mask.shape:
        raise ValueError(f"masks of shapes {reference_mask.shape} and {predicted_mask.shape}")
    if reference_mask.ndim not in dimensions:
        allowed = " or ".join(map(str, dimensions))
        raise ValueError(f"masks of {reference_mask.ndim} dimensions, allowed {allowed}")
    return reference_mask, predicted_mask


def _mask(values: MaskLike, which: str) -> Mask:
    array = np.asarray(values)
    if array.dtype == np.bool_:
        return array
    mask: Mask = array == 1
    if not (mask | (array == 0)).all():
        raise ValueError(f"the {which} is not a mask: it contains other values than 0 and 1")
    return mask


def _spacing(spacing: Spacing | None, mask: Mask) -> tuple[float, ...] | None:
    if spacing is None:
        return None
    sides = tuple(float(side) for side in spacing)
    if len(sides) != mask.ndim or not all(0 < side < np.inf for side in sides):
        raise ValueError(f"a spacing of {sides}, allowed {mask.ndim} positive lengths")
    return sides


def _voxel_ml(spacing: Sequence[float] | None) -> float | None:
    if spacing is None or len(spacing) != 3:
        return None
    return float(np.prod(spacing)) / 1000.0
