"""Single slices: how well tumour is drawn where there is some, how often it is invented.

The mean over slices never is the headline, for large tumours have more slices. It answers two
questions that the volume's Dice hides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gliomask.evaluation.overlap import Mask, overlap


@dataclass(frozen=True)
class SliceScore:
    """The slices of one or many cases.

    Attributes:
        tumour: slices whose reference holds tumour.
        dice_sum: the sum of their Dice; a slice where nothing was found adds 0.
        free: slices whose reference holds none.
        invented: how many of those the prediction has tumour in.
    """

    tumour: int = 0
    dice_sum: float = 0.0
    free: int = 0
    invented: int = 0

    @property
    def dice(self) -> float | None:
        """Mean Dice of the slices with tumour; None if there are none."""
        return self.dice_sum / self.tumour if self.tumour else None

    @property
    def false_positive_rate(self) -> float | None:
        """Share of the tumour-free slices in which tumour was invented; None if there are none."""
        return self.invented / self.free if self.free else None


def score_slices(reference: Mask, predicted: Mask) -> SliceScore:
    """Scores two masks (S, H, W) slice by slice."""
    tumour = reference.any(axis=(1, 2))
    found = [overlap(reference[s], predicted[s]).dice or 0.0 for s in np.flatnonzero(tumour)]
    invented = predicted.any(axis=(1, 2)) & ~tumour
    free = int(np.count_nonzero(~tumour))
    return SliceScore(len(found), sum(found), free, int(np.count_nonzero(invented)))


def pool(scores: Iterable[SliceScore]) -> SliceScore:
    """The slices of several cases as those of one."""
    kept = list(scores)
    return SliceScore(
        tumour=sum(score.tumour for score in kept),
        dice_sum=sum(score.dice_sum for score in kept),
        free=sum(score.free for score in kept),
        invented=sum(score.invented for score in kept),
    )
