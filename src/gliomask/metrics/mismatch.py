"""Detection of masks that match in another orientation: mirrored, or with exchanged axes.

Such errors of tools (a lost affine, a swapped axis) give low scores like those of a poor model. A
prediction is only tested if its Dice is low, and only reported if another orientation is much
better, so symmetric tumours and poor predictions are not reported. The result is a hint, not a
proof.
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
"""Dice above which masks are not tested."""
BETTER = 0.3
"""Minimum gain in Dice of another orientation."""
FAIR = 0.5
"""Minimum Dice of another orientation."""

_AXES = ("head-foot", "front-back", "left-right")
_Points = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Turned:
    """A prediction that matches if it is mirrored or rotated.

    Attributes:
        how: description of the transform.
        own: original Dice.
        dice: Dice after the transform.
    """

    how: str
    own: float
    dice: float

    @property
    def text(self) -> str:
        """Text for reports."""
        return (
            f"would have Dice {self.dice:.2f} {self.how} ({self.own:.2f} as it is): "
            "check its orientation"
        )


def suspect(dice: Score) -> bool:
    """Return True if the Dice is so low that the masks may not match."""
    return dice is not None and dice < LOW


def far_better(dice: float, own: float, least: float = FAIR) -> bool:
    """Return True if the Dice is good, and much better than the original one."""
    return dice >= max(least, own + BETTER)


def find_turn(pair: MaskPair, score: CaseScore) -> Turned | None:
    """Find an orientation (mirrored, rows and columns exchanged) in which a prediction matches much
    better.

    All mirrorings along the three axes are tested, for square slices also with exchanged rows and
    columns, which includes quarter turns. Takes no time unless the Dice is low.

    Args:
        pair: the masks. Only annotated slices count, but the whole prediction is transformed.
        score: score of the region to use.

    Returns:
        the best orientation; None if the original Dice is not low, or none is much better.
    """
    own = score.overlap.dice
    if own is None or not suspect(own):
        return None
    reference_mask, predicted_points = (
        region_masks(mask, (score.region,))[0] for mask in (pair.reference, pair.predicted)
    )
    if pair.annotated is not None:
        reference_mask = reference_mask & pair.annotated[:, None, None]
    tried = [
        Turned(how, own, _dice(reference_mask, points, pair.annotated))
        for how, points in _ways(np.argwhere(predicted_points), reference_mask.shape)
    ]
    best = max(tried, key=lambda turned: turned.dice)
    return best if far_better(best.dice, own) else None


def _dice(reference_mask: Mask, points: _Points, annotated: npt.NDArray[np.bool_] | None) -> float:
    """Dice of a mask and a set of voxels (N, 3), within annotated slices."""
    counted = points if annotated is None else points[annotated[points[:, 0]]]
    both = int(np.count_nonzero(reference_mask[tuple(counted.T)]))
    return Overlap(int(np.count_nonzero(reference_mask)), len(counted), both).dice or 0.0


def _ways(points: _Points, shape: Sequence[int]) -> Iterator[tuple[str, _Points]]:
    """Voxels (N, 3) in all other orientations, with their names."""
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
