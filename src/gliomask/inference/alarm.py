"""The disagreement between a network's maps above which a case is flagged.

It is chosen on held-out patients, to catch wrong masks without too many false alarms: the limit is
the highest one that catches ``CAUGHT`` of the masks with a Dice below ``POOR``; where that would
flag more than ``FALSE_ALARMS`` of the others, it is raised until it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

POOR: Final = 0.7
"""Dice below which a mask should be flagged."""
CAUGHT: Final = 0.8
"""Share of poor masks that the flag should catch."""
FALSE_ALARMS: Final = 0.2
"""Largest share of the other masks that it may flag."""


def alarm_limit(disagreements: Sequence[float], dices: Sequence[float]) -> float | None:
    """The limit: a case is flagged if its disagreement is larger. None of no patients.

    Args:
        disagreements: of each patient, 0 to 1.
        dices: of the same patients.
    """
    if not disagreements:
        return None
    apart, poor = np.array(disagreements), np.array(dices) < POOR
    bearable = _quantile(apart[~poor], 1 - FALSE_ALARMS)
    catching = np.sort(apart[poor])
    missed = int(np.floor((1 - CAUGHT) * len(catching) + 1e-9))
    limit = np.nextafter(catching[missed], 0) if len(catching) else apart.max()
    return float(max(limit, bearable))


def _quantile(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], level: float) -> float:
    """The smallest of the values that at most 1 - level of them exceed; 0 of none."""
    if not values.size:
        return 0.0
    return float(np.sort(values)[int(np.ceil(level * values.size - 1e-9)) - 1])
