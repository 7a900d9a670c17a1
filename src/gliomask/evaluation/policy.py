"""What a score is when a mask is empty: one policy, behind which every overlap score is taken.

Dice of two empty masks is 0/0, and tools differ on it: some say 1, some drop the case, some fail.
A mean means nothing unless that is said beside it, so ``POLICY.text`` goes wherever a mean goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Score = float | None
"""A score in [0, 1]; None where the policy gives none."""


@dataclass(frozen=True)
class EmptyMaskPolicy:
    """How empty masks are scored.

    Attributes:
        both_empty: the score when neither mask holds anything; None leaves the case out of means.
        one_empty: the score when only one of them does.
        text: the policy in words.
    """

    both_empty: Score
    one_empty: float
    text: str

    def settle(self, reference: int, predicted: int, score: Callable[[], float]) -> Score:
        """The policy's word for masks of so many voxels, ``score()`` where both hold some."""
        if not reference and not predicted:
            return self.both_empty
        return score() if reference and predicted else self.one_empty


POLICY = EmptyMaskPolicy(
    both_empty=None,
    one_empty=0.0,
    text="Both masks empty: no score, counted apart as n_empty. Only one empty: every overlap "
    "score is 0.",
)
"""The one policy of all scores."""
