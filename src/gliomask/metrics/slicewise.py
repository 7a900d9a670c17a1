"""Single slices: overlap in slices with tumour, false positives in the others.

The mean over slices never is the headline, for large tumours have more slices. It answers two
questions that the volume's Dice hides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gliomask.metrics.overlap_counts import Mask, count_overlap


@dataclass(frozen=True)
class SliceScore:
    """The slices of one or many cases.

    Attributes:
        tumour: slices whose reference holds tumour.
        dice_sum: the sum of their Dice; a slice where nothing was found adds 0.
        free: slices whose reference holds none.
        invented: number of these with false-positive tumour.
        invented_px: the pixels of tumour in those, all together.
        invented_mm2: the same in mm²; None where the data has no millimetres.
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
        """Share of the tumour-free slices with false positives; None if there are none."""
        return self.invented / self.free if self.free else None

    @property
    def false_positive_px(self) -> float | None:
        """Mean false-positive area over all tumour-free slices; None if there are none."""
        return self.invented_px / self.free if self.free else None

    @property
    def false_positive_mm2(self) -> float | None:
        """The same in mm²; None as well where the data has no millimetres."""
        return (
            self.invented_mm2 / self.free if self.free and self.invented_mm2 is not None else None
        )


def score_slices(reference: Mask, predicted: Mask, pixel_mm2: float | None = None) -> SliceScore:
    """Scores two masks (S, H, W) slice by slice.

    Args:
        reference, predicted: bool.
        pixel_mm2: the area of a pixel; None where the data has no millimetres.
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
    """The slices of several cases as those of one; mm² only if all of them have it."""
    kept = list(scores)
    areas = [score.invented_mm2 for score in kept if score.invented_mm2 is not None]
    return SliceScore(
        tumour=sum(score.tumour for score in kept),
        dice_sum=sum(score.dice_sum for score in kept),
        free=sum(score.free for score in kept),
        invented=sum(score.invented for score in kept),
        invented_px=sum(score.invented_px for score in kept),
        invented_mm2=sum(areas) if areas and len(areas) == len(kept) else None,
    )
