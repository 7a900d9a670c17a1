"""The lesion-wise scores of BraTS 2023 (adult glioma).

The definition is that of https://github.com/rachitsaluja/BraTS-2023-Metrics, written anew:

* The reference is dilated three times with the 18-neighbourhood. What is then connected
  (26-neighbourhood) is one lesion: foci a few voxels apart are no lesions of their own.
* A lesion is compared with all components of the prediction (26-neighbourhood) that touch its
  dilation. A component that touches two lesions counts in full for both. A lesion that nothing
  touches is missed: Dice 0, HD95 374.
* Lesions of at most 50 mm³ are left out, found or not.
* A component that touches no lesion, not even one left out, is invented: Dice 0, HD95 374. Its
  size does not matter.
* The scores are means over lesions and invented components together.

Dilation goes by voxels whatever their size, as there, where all are 1 mm wide. HD95 is measured as
everywhere in this package (``surface_distances``); there the surface is weighed by its area, which
differs by fractions of a voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.metrics.boxes import Box, bounding_box, joint
from gliomask.metrics.overlap_counts import Mask, count_overlap
from gliomask.metrics.policy import Score
from gliomask.metrics.surface_distances import Unit, diagonal, distances

SMALLEST_MM3 = 50.0
"""Reference lesions up to this volume are left out."""
DILATIONS = 3
PENALTY_HD95 = 374.0
"""HD95 of a missed or invented lesion: the diagonal of the challenge's volumes, rounded up."""
_ROUNDING = 1e-6
"""Headers hold single precision: 50 voxels of 1 mm³ must not turn out larger than 50 mm³."""


@dataclass(frozen=True)
class LesionScore:
    """The lesions of one case, or the counts of many.

    Attributes:
        dice: mean Dice; None without reference and predicted lesions.
        hd95: mean HD95 in ``unit``; None likewise.
        found: lesions of the reference that a predicted component touches.
        missed: those that none does.
        invented: false-positive lesions: components that touch no reference lesion.
        dropped: reference lesions below the size limit.
        unit: of ``hd95``. In ``px`` voxels stand for mm³ and pixels for mm in the definition's
            numbers (50 and 374).
    """

    dice: Score
    hd95: Score
    found: int
    missed: int
    invented: int
    dropped: int
    unit: Unit


@dataclass(frozen=True, eq=False)
class _Components:
    """Both masks taken apart, on the box that holds them.

    Attributes:
        reference: (S, H, W) bool.
        grown: (S, H, W), the number of each lesion over the whole of its dilation, 0 elsewhere.
        predicted: (S, H, W), the number of each predicted component.
        touched: for each lesion, the predicted components that touch its dilation.
        n_predicted: how many predicted components there are.
    """

    reference: Mask
    grown: npt.NDArray[np.int32]
    predicted: npt.NDArray[np.int32]
    touched: tuple[tuple[int, ...], ...]
    n_predicted: int


def score_lesions(
    reference: Mask, predicted: Mask, spacing_mm: Sequence[float] | None = None
) -> LesionScore:
    """Judges two masks (S, H, W) lesion by lesion; any of them may be empty.

    Args:
        reference, predicted: bool.
        spacing_mm: voxel size along each axis in mm; None takes voxels for mm³.

    Raises:
        ValueError: the shapes differ, or are not those of volumes.
    """
    if reference.shape != predicted.shape or reference.ndim != 3:
        raise ValueError(f"masks of shapes {reference.shape} and {predicted.shape}")
    spacing = (1.0, 1.0, 1.0) if spacing_mm is None else tuple(spacing_mm)
    parts = _take_apart(reference, predicted)
    sizes = np.bincount(parts.grown[parts.reference], minlength=len(parts.touched) + 1)[1:]
    kept = np.flatnonzero(sizes * np.prod(spacing) > SMALLEST_MM3 * (1 + _ROUNDING)).tolist()
    detected = [number for number in kept if parts.touched[number]]
    invented = parts.n_predicted - len({part for touched in parts.touched for part in touched})
    scores = [_compare(parts, box, number, spacing) for number, box in _boxes(parts, detected)]
    penalised = len(kept) - len(detected) + invented
    return LesionScore(
        dice=_mean([dice for dice, _ in scores] + [0.0] * penalised),
        hd95=_mean([hd95 for _, hd95 in scores] + [PENALTY_HD95] * penalised),
        found=len(detected),
        missed=len(kept) - len(detected),
        invented=invented,
        dropped=len(sizes) - len(kept),
        unit="px" if spacing_mm is None else "mm",
    )


def count_lesions(scores: Sequence[LesionScore]) -> dict[str, int]:
    """The lesions of several cases counted together: found, missed, invented, dropped."""
    names = ("found", "missed", "invented", "dropped")
    return {name: sum(getattr(score, name) for score in scores) for name in names}


def _take_apart(reference: Mask, predicted: Mask) -> _Components:
    from scipy.ndimage import generate_binary_structure, label

    box = bounding_box(reference | predicted, margin=DILATIONS)
    drawn, marked = reference[box], predicted[box]
    grown, n_lesions = _lesions(drawn)
    parts, n_parts = label(marked, generate_binary_structure(3, 3))
    both = (grown > 0) & marked
    pairs = np.unique(grown[both].astype(np.int64) * (n_parts + 1) + parts[both])
    touched: list[list[int]] = [[] for _ in range(n_lesions)]
    for lesion, part in zip(
        *(indices.tolist() for indices in divmod(pairs, n_parts + 1)), strict=True
    ):
        touched[lesion - 1].append(part)
    return _Components(drawn, grown, parts, tuple(map(tuple, touched)), n_parts)


def _lesions(drawn: Mask) -> tuple[npt.NDArray[np.int32], int]:
    """The dilated reference, its lesions numbered, and how many there are.

    A connected dilation is the dilation of the foci in it, so the numbers serve for both.
    """
    from scipy.ndimage import binary_dilation, generate_binary_structure, label

    box = bounding_box(drawn, margin=DILATIONS)
    dilated = binary_dilation(drawn[box], generate_binary_structure(3, 2), iterations=DILATIONS)
    grown = np.zeros(drawn.shape, np.int32)
    count = label(dilated, generate_binary_structure(3, 3), output=grown[box])
    return grown, int(count)


def _boxes(parts: _Components, lesions: Sequence[int]) -> list[tuple[int, Box]]:
    """Each lesion with the box that holds it and all that is compared with it."""
    from scipy.ndimage import find_objects

    if not lesions:
        return []
    drawn, predicted = find_objects(parts.grown), find_objects(parts.predicted)
    return [
        (number, joint([drawn[number], *(predicted[part - 1] for part in parts.touched[number])]))
        for number in lesions
    ]


def _compare(
    parts: _Components, box: Box, number: int, spacing: Sequence[float]
) -> tuple[float, float]:
    """Dice and HD95 of one lesion and the components that touch it."""
    drawn = parts.reference[box] & (parts.grown[box] == number + 1)
    predicted_lesion = np.isin(parts.predicted[box], parts.touched[number])
    dice = count_overlap(drawn, predicted_lesion).dice
    ways = distances(drawn, predicted_lesion, spacing)
    return dice or 0.0, ways.hd95(diagonal(drawn.shape, spacing))


def _mean(values: Sequence[float]) -> Score:
    return float(np.mean(values)) if values else None
