"""Slice-wise scores: overlap in slices with tumour, false positives in the others.

They show two properties that the Dice of a volume does not show. They are not suitable as the main
result, because large tumours have more slices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gliomask.metrics.overlap_counts import Mask, count_overlap


@dataclass(frozen=True)
class SliceScore:
    """Slice-wise counts of one or more cases.

    Attributes:
        tumour: number of slices with tumour in the reference.
        dice_sum: sum of their Dice; a slice without prediction adds 0.
        free: number of tumour-free slices.
        invented: number of these with false positives.
        invented_px: total false-positive pixels in them.
        invented_mm2: the same in mm²; None without millimetres.
    """

    tumour: int = 0
    dice_sum: float = 0.0
    free: int = 0
    invented: int = 0
    invented_px: int = 0
    invented_mm2: float | None = None

    @property
    def dice(self) -> float | None:
        """Mean Dice of the slices with tumour; None if there are none."""
        return self.dice_sum / self.tumour if self.tumour else None

    @property
    def false_positive_rate(self) -> float | None:
        """Fraction of tumour-free slices with false positives; None if there are none."""
        return self.invented / self.free if self.free else None

    @property
    def false_positive_px(self) -> float | None:
        """Mean false-positive area over all tumour-free slices; None if there are none."""
        return self.invented_px / self.free if self.free else None

    @property
    def false_positive_mm2(self) -> float | None:
        """False-positive area in mm²; also None without millimetres."""
        return (
            self.invented_mm2 / self.free if self.free and self.invented_mm2 is not None else None
        )


def score_slices(reference: Mask, predicted: Mask, pixel_mm2: float | None = None) -> SliceScore:
    """Score two masks (S, H, W) slice by slice.

    Args:
        reference, predicted: bool.
        pixel_mm2: area of a pixel; None without millimetres.
    """
    tumour = reference.any(axis=(1, 2))
    dices = [count_overlap(reference[s], predicted[s]).dice or 0.0 for s in np.flatnonzero(tumour)]
    area = np.count_nonzero(predicted, axis=(1, 2))[~tumour]
    invented_px = int(area.sum())
    return SliceScore(
        tumour=len(dices),
        dice_sum=float(sum(dices)),
        free=len(area),
        invented=int(np.count_nonzero(area)),
        invented_px=invented_px,
        invented_mm2=None if pixel_mm2 is None else invented_px * pixel_mm2,
    )


def pool_slices(scores: Iterable[SliceScore]) -> SliceScore:
    """Sum the counts of several cases; mm² only if all of them have it."""
    counts = list(scores)
    areas = [score.invented_mm2 for score in counts if score.invented_mm2 is not None]
    return SliceScore(
        tumour=sum(score.tumour for score in counts),
        dice_sum=sum(score.dice_sum for score in counts),
        free=sum(score.free for score in counts),
        invented=sum(score.invented for score in counts),
        invented_px=sum(score.invented_px for score in counts),
        invented_mm2=sum(areas) if areas and len(areas) == len(counts) else None,
    )
