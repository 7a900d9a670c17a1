"""Policy for empty masks, used by all scores.

Dice of two empty masks is 0/0, and tools differ on it: some return 1, some exclude the case, some
fail. The distance to an empty mask is infinite or NaN, and a mean that skips it improves with every
missed tumour. Therefore ``POLICY.text`` is shown with every mean. All results of the policy are
finite.

For lesions, BraTS 2023 assigns Dice 1 and HD95 0 if both masks are empty. Here such a case has no
score, so all columns of a table are over the same cases; their number is ``n_empty``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Score = float | None
"""Score: a finite number, or None if undefined by the policy."""


@dataclass(frozen=True)
class EmptyMaskPolicy:
    """Scores of empty masks.

    Attributes:
        both_empty: score if both masks are empty; None excludes the case from means.
        one_empty: overlap if one mask is empty.
        text: description of the policy.
    """

    both_empty: Score
    one_empty: float
    text: str

    def settle(self, reference: int, predicted: int, score: Callable[[], float]) -> Score:
        """Score of masks with so many voxels: ``score()`` if both are not empty.

        Raises:
            ArithmeticError: the score is not finite (a bug).
        """
        return self._settle((reference, predicted), score, self.one_empty)

    def settle_distance(
        self, reference: int, predicted: int, distance: Callable[[], float], farthest: float
    ) -> Score:
        """Score of a distance, which is ``farthest`` if one mask is empty.

        Args:
            reference, predicted: number of voxels of the masks.
            distance: function that measures
            it, called if both are not empty.
            farthest: largest possible distance.

        Raises:
            ArithmeticError: the distance is not finite (a bug).
        """
        return self._settle((reference, predicted), distance, farthest)

    def settle_difference(
        self, reference: int, predicted: int, difference: Callable[[], float]
    ) -> Score:
        """Score of a difference of sizes, which also exists if one mask is empty."""
        return self._settle((reference, predicted), difference, None)

    def _settle(
        self, voxels: tuple[int, int], score: Callable[[], float], one_empty: float | None
    ) -> Score:
        if not any(voxels):
            return self.both_empty
        value = score() if all(voxels) or one_empty is None else one_empty
        if not math.isfinite(value):
            raise ArithmeticError(f"a score of {value} for masks of {voxels} voxels")
        return float(value)


POLICY = EmptyMaskPolicy(
    both_empty=None,
    one_empty=0.0,
    text="Both masks empty: no score, counted separately as n_empty. Only one empty: every overlap "
    "score and surface Dice is 0, every distance the diagonal of the scored volume, or of the "
    "slice where distances are measured in single slices. A volume "
    "error in % has no value without a reference. Lesion-wise (BraTS 2023): a missed or a "
    "false-positive lesion has Dice 0 and HD95 374; without any lesion there is no score "
    "(the challenge: Dice 1, HD95 0).",
)
"""Policy of all scores."""
