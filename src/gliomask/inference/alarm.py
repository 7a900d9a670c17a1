"""The disagreement between a network's maps above which a case is flagged.

It is chosen on held-out patients by split conformal prediction, like the intervals: of n masks with
a Dice of ``POOR`` or more the ceil((1 - a) (n + 1))-th smallest disagreement, where a is
``FALSE_ALARMS``. Another such mask, of a patient who is exchangeable with them, lies above it with
a probability of at most a, and of more than a - 1 / (n + 1): no allowed alarm is left unused.
Both are averages over draws of the n patients: the share of one limit is higher or lower.

Masks that are flagged anyway, because the clean-up removed much of them, count as above the limit,
so that both checks together keep a.

It does not depend on how the poor masks rank, because a few dozen patients have only a handful of
them; so it does not bound the share of those that is flagged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

POOR: Final = 0.7
"""Dice below which a mask should be flagged."""
FALSE_ALARMS: Final = 0.12
"""Maximum probability that another mask is flagged for its disagreement, or for what the clean-up
removed. Below the alarms that are allowed in all (20 %), because the other checks, mostly for
missing sequences, flag another 3 % of the held-out masks."""


def alarm_limit(disagreements: Sequence[float], dices: Sequence[float]) -> float | None:
    """Choose the limit above which a case is flagged. None without patients.

    No limit keeps ``FALSE_ALARMS`` with fewer than eight good masks, or if more of them than that
    are flagged anyway: it is their largest finite disagreement then. Without any it is 0.

    Args:
        disagreements: of each patient, 0 to 1; infinite where the mask is flagged anyway.
        dices: Dice of the same patients.
    """
    if not disagreements:
        return None
    pairs = zip(disagreements, dices, strict=True)
    good = sorted(apart for apart, dice in pairs if dice >= POOR)
    if not good:
        return 0.0
    rank = math.ceil((1 - FALSE_ALARMS) * (len(good) + 1) - 1e-9)
    limit = good[min(rank, len(good)) - 1]
    return limit if math.isfinite(limit) else max(filter(math.isfinite, good), default=0.0)
