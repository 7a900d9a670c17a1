"""Masks that would fit in another orientation: mirrored, or with their axes exchanged.

Such a slip of the tools around a network (an affine lost, an axis swapped) gives a low score that
looks like that of a poor model. A prediction is only suspected when its own Dice is low, and only
reported when it would be far better the other way; so that a tumour that is symmetric, or a
prediction
that is merely poor, is left in peace. It is a hint, no proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from gliomask.core.regions import region_masks
from gliomask.metrics.case_score import CaseScore
from gliomask.metrics.overlap_counts import Mask, Overlap
from gliomask.metrics.policy import Score
from gliomask.metrics.scores import MaskPair

LOW = 0.6
"""Dice from which on nothing is suspected."""
BETTER = 0.3
"""By how much the Dice must be better the other way."""
FAIR = 0.5
"""And what it must be at least."""

_AXES = ("head-foot", "front-back", "left-right")
_Points = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Turned:
    """A prediction that fits when it is mirrored or turned.

    Attributes:
        how: what to do to it, in words.
        own: its Dice as it is.
        dice: its Dice then.
    """

    how: str
    own: float
    dice: float

    @property
    def text(self) -> str:
        """For people."""
        return (
            f"would have Dice {self.dice:.2f} {self.how} ({self.own:.2f} as it is): "
            "check its orientation"
        )


def suspect(dice: Score) -> bool:
    """True for a Dice so low that the masks may not belong together as they are."""
    return dice is not None and dice < LOW


def far_better(dice: float, own: float, least: float = FAIR) -> bool:
    """True for a Dice that is good, and much better than the prediction's own."""
    return dice >= max(least, own + BETTER)


def find_turn(pair: MaskPair, score: CaseScore) -> Turned | None:
    """The turn (mirrored, rows and columns exchanged) in which a prediction would fit far better.

    All mirrorings along the three axes are tried, and where slices are square all of them with
    rows and columns exchanged, by which quarter turns are covered. Takes no time unless the Dice
    is low.

    Args:
        pair: the masks. Only annotated slices count, but what is turned is the whole prediction.
        score: of one of its regions, the one that is used.

    Returns:
        the best way to hold it; None if its own Dice is not low, or no other way is far better.
    """
    own = score.overlap.dice
    if own is None or not suspect(own):
        return None
    drawn, predicted_points = (
        region_masks(mask, (score.region,))[0] for mask in (pair.reference, pair.predicted)
    )
    if pair.annotated is not None:
        drawn = drawn & pair.annotated[:, None, None]
    tried = [
        Turned(how, own, _dice(drawn, points, pair.annotated))
        for how, points in _ways(np.argwhere(predicted_points), drawn.shape)
    ]
    best = max(tried, key=lambda turned: turned.dice)
    return best if far_better(best.dice, own) else None


def _dice(drawn: Mask, points: _Points, annotated: npt.NDArray[np.bool_] | None) -> float:
    """Dice of a mask and a set of voxels (N, 3), of which those in annotated slices count."""
    kept = points if annotated is None else points[annotated[points[:, 0]]]
    both = int(np.count_nonzero(drawn[tuple(kept.T)]))
    return Overlap(int(np.count_nonzero(drawn)), len(kept), both).dice or 0.0


def _ways(points: _Points, shape: Sequence[int]) -> Iterator[tuple[str, _Points]]:
    """Voxels (N, 3) in every other orientation, each with its name."""
    last = np.array(shape) - 1
    square = shape[1] == shape[2]
    for exchanged, *mirrored in product((False, True), repeat=4):
        if (exchanged and not square) or not (exchanged or any(mirrored)):
            continue
        moved = points[:, [0, 2, 1]] if exchanged else points
        axes = [name for name, flip in zip(_AXES, mirrored, strict=True) if flip]
        words = ["with rows and columns exchanged"] * exchanged
        words += [f"mirrored {' and '.join(axes)}"] * bool(axes)
        yield " and ".join(words), np.where(mirrored, last - moved, moved)
