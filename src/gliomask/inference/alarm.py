"""The disagreement between a network's maps above which a case is flagged.

It is chosen on held-out patients: the lowest limit above which at most ``FALSE_ALARMS`` of the
masks with a Dice of ``POOR`` or more lie. It does not depend on how the poor masks rank, because
a few dozen patients have only a handful of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

POOR: Final = 0.7
"""Dice below which a mask should be flagged."""
FALSE_ALARMS: Final = 0.12
"""Maximum fraction of the other masks that it may flag. The aim is a fifth by all checks
together."""


def alarm_limit(disagreements: Sequence[float], dices: Sequence[float]) -> float | None:
    """Choose the limit above which a case is flagged. None without patients.

    Args:
        disagreements: of each patient, 0 to 1.
        dices: of the same patients.
    """
    if not disagreements:
        return None
    pairs = zip(disagreements, dices, strict=True)
    good = sorted(apart for apart, dice in pairs if dice >= POOR)
    if not good:
        return 0.0
    return good[math.ceil((1 - FALSE_ALARMS) * len(good) - 1e-9) - 1]
