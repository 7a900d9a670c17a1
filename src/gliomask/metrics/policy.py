"""The policy for empty masks, behind which every score is taken.

Dice of two empty masks is 0/0, and tools differ on it: some say 1, some drop the case, some fail.
The distance to an empty mask is infinite or not a number, and a mean that skips it is the better
the more tumours were missed. A mean means nothing unless that is said beside it, so
``POLICY.text`` goes wherever a mean goes. Nothing that is not finite leaves the policy.

For lesions the BraTS challenge of 2023 has its own word: with nothing drawn and nothing predicted
it gives Dice 1 and HD95 0. Here such a case has no score, as with every other score, so that all
columns of a table are over the same cases; how many there are is said as ``n_empty``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Score = float | None
"""A finite number; None where the policy gives none."""


@dataclass(frozen=True)
class EmptyMaskPolicy:
    """The scores of empty masks.

    Attributes:
        both_empty: the score when neither mask holds anything; None leaves the case out of means.
        one_empty: the overlap when only one of them does.
        text: the policy in words.
    """

    both_empty: Score
    one_empty: float
    text: str

    def settle(self, reference: int, predicted: int, score: Callable[[], float]) -> Score:
        """The policy's word for masks of so many voxels, ``score()`` where both hold some.

        Raises:
            ArithmeticError: the score is not finite; our own bug.
        """
        return self._settle((reference, predicted), score, self.one_empty)

    def settle_distance(
        self, reference: int, predicted: int, distance: Callable[[], float], farthest: float
    ) -> Score:
        """The same for a distance, which is ``farthest`` when only one mask holds something.

        Args:
            reference, predicted: voxels of the masks.
            distance: measures it; is asked only where both hold some.
            farthest: the largest distance there could be.

        Raises:
            ArithmeticError: the distance is not finite; our own bug.
        """
        return self._settle((reference, predicted), distance, farthest)

    def settle_difference(
        self, reference: int, predicted: int, difference: Callable[[], float]
    ) -> Score:
        """The same for a difference of sizes, which exists as well when only one mask is empty."""
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
    "score and surface Dice is 0, every distance the diagonal of the scored volume. A volume "
    "error in % has no value without a reference. Lesion by lesion (BraTS 2023): a missed or an "
    "invented lesion has Dice 0 and HD95 374; without any lesion to judge there is no score "
    "(the challenge: Dice 1, HD95 0).",
)
"""The one policy of all scores."""
