"""Lesion-wise scores of BraTS 2023 (adult glioma).

A new implementation of the definition in https://github.com/rachitsaluja/BraTS-2023-Metrics:

* The reference is dilated three times with the 18-neighbourhood. Its connected components
  (26-neighbourhood) are the lesions, so foci a few voxels apart are one lesion.
* A lesion is compared with all components of the prediction (26-neighbourhood) that touch its
  dilation. A component that touches two lesions counts in full for both. A lesion without such a
  component is missed: Dice 0, HD95 374.
* Lesions of at most 50 mm³ are ignored, detected or not.
* A component that touches no lesion, not even an ignored one, is a false positive of any size:
  Dice 0, HD95 374.
* The scores are means over lesions and false-positive components.

Dilation is in voxels of any size; in the challenge all are 1 mm wide. HD95 is measured as
everywhere in this package (``surface_distances``); the challenge weights the surface by its area,
which differs by fractions of a voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import is_larger
from gliomask.metrics.boxes import Box, bounding_box, joint
from gliomask.metrics.overlap_counts import Mask, count_overlap
from gliomask.metrics.policy import Score
from gliomask.metrics.surface_distances import Unit, diagonal, distances

SMALLEST_MM3 = 50.0
"""Reference lesions up to this volume are ignored."""
DILATIONS = 3
PENALTY_HD95 = 374.0
"""HD95 of a missed or false-positive lesion: the diagonal of the challenge's volumes, rounded
up."""


@dataclass(frozen=True)
class LesionScore:
    """Lesion-wise scores of a case, or counts of several cases.

    Attributes:
        dice: mean Dice; None without reference and predicted lesions.
        hd95: mean HD95 in ``unit``; None likewise.
        found: reference lesions that a predicted component touches.
        missed: the other reference lesions.
        invented: false-positive lesions: components that touch no reference lesion.
        dropped: reference lesions that are at most as large as the size limit.
        unit: of ``hd95``. With ``px``, voxels are used for mm³ and pixels for mm in the definition
            (50 and 374).
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
    """Components of both masks in their bounding box.

    Attributes:
        reference: (S, H, W) bool.
        grown: (S, H, W), number of the lesion in its dilation, 0 elsewhere.
        predicted: (S, H, W), number of the predicted component.
        touched: for each lesion, the predicted components that touch its dilation.
        n_predicted: number of predicted components.
    """

    reference: Mask
    grown: npt.NDArray[np.int32]
    predicted: npt.NDArray[np.int32]
    touched: tuple[tuple[int, ...], ...]
    n_predicted: int


def score_lesions(
    reference: Mask, predicted: Mask, spacing_mm: Sequence[float] | None = None
) -> LesionScore:
    """Score two masks (S, H, W) lesion-wise; they may be empty.

    Args:
        reference, predicted: bool.
        spacing_mm: voxel size along each axis in mm; None uses voxels for mm³.

    Raises:
        ValueError: the shapes differ, or are not those of volumes.
    """
    if reference.shape != predicted.shape or reference.ndim != 3:
        raise ValueError(f"masks of shapes {reference.shape} and {predicted.shape}")
    spacing = (1.0, 1.0, 1.0) if spacing_mm is None else tuple(spacing_mm)
    parts = _take_apart(reference, predicted)
    sizes = np.bincount(parts.grown[parts.reference], minlength=len(parts.touched) + 1)[1:]
    large = np.flatnonzero(is_larger(sizes * np.prod(spacing), SMALLEST_MM3)).tolist()
    detected = [number for number in large if parts.touched[number]]
    invented = parts.n_predicted - len({part for touched in parts.touched for part in touched})
    scores = [_compare(parts, box, number, spacing) for number, box in _boxes(parts, detected)]
    penalised = len(large) - len(detected) + invented
    return LesionScore(
        dice=_mean([dice for dice, _ in scores] + [0.0] * penalised),
        hd95=_mean([hd95 for _, hd95 in scores] + [PENALTY_HD95] * penalised),
        found=len(detected),
        missed=len(large) - len(detected),
        invented=invented,
        dropped=len(sizes) - len(large),
        unit="px" if spacing_mm is None else "mm",
    )


def count_lesions(scores: Sequence[LesionScore]) -> dict[str, int]:
    """Sum of the lesion counts of several cases."""
    names = ("found", "missed", "invented", "dropped")
    return {name: sum(getattr(score, name) for score in scores) for name in names}


def _take_apart(reference: Mask, predicted: Mask) -> _Components:
    from scipy.ndimage import generate_binary_structure, label

    box = bounding_box(reference | predicted, margin=DILATIONS)
    reference_box, marked = reference[box], predicted[box]
    grown, n_lesions = _lesions(reference_box)
    parts, n_parts = label(marked, generate_binary_structure(3, 3))
    both = (grown > 0) & marked
    pairs = np.unique(grown[both].astype(np.int64) * (n_parts + 1) + parts[both])
    touched: list[list[int]] = [[] for _ in range(n_lesions)]
    for lesion, part in zip(
        *(indices.tolist() for indices in divmod(pairs, n_parts + 1)), strict=True
    ):
        touched[lesion - 1].append(part)
    return _Components(reference_box, grown, parts, tuple(map(tuple, touched)), n_parts)


def _lesions(reference: Mask) -> tuple[npt.NDArray[np.int32], int]:
    """Dilated reference with numbered lesions, and their number.

    A connected dilation is the dilation of its foci, so the numbers are valid for both.
    """
    from scipy.ndimage import binary_dilation, generate_binary_structure, label

    box = bounding_box(reference, margin=DILATIONS)
    dilated = binary_dilation(reference[box], generate_binary_structure(3, 2), iterations=DILATIONS)
    grown = np.zeros(reference.shape, np.int32)
    count = label(dilated, generate_binary_structure(3, 3), output=grown[box])
    return grown, int(count)


def _boxes(parts: _Components, lesions: Sequence[int]) -> list[tuple[int, Box]]:
    """Each lesion with the bounding box of it and of its components."""
    from scipy.ndimage import find_objects

    if not lesions:
        return []
    reference_boxes, predicted = find_objects(parts.grown), find_objects(parts.predicted)
    return [
        (
            number,
            joint(
                [reference_boxes[number], *(predicted[part - 1] for part in parts.touched[number])]
            ),
        )
        for number in lesions
    ]


def _compare(
    parts: _Components, box: Box, number: int, spacing: Sequence[float]
) -> tuple[float, float]:
    """Dice and HD95 of a lesion and the components that touch it."""
    reference_lesion = parts.reference[box] & (parts.grown[box] == number + 1)
    predicted_lesion = np.isin(parts.predicted[box], parts.touched[number])
    dice = count_overlap(reference_lesion, predicted_lesion).dice
    ways = distances(reference_lesion, predicted_lesion, spacing)
    return dice or 0.0, ways.hd95(diagonal(reference_lesion.shape, spacing))


def _mean(values: Sequence[float]) -> Score:
    return float(np.mean(values)) if values else None
