"""Outlier volumes in a batch, often due to another kind of scan, or a wrong one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final

_LEAST: Final = 8
"""Minimum number of cases with tumour for the detection of outliers."""
_LIMIT: Final = 3.5
_NORMAL: Final = 0.6745
"""The median absolute deviation of a normal distribution of spread 1."""


def outliers(volumes_ml: Sequence[Sequence[float | None]]) -> dict[int, str]:
    """Index of a case -> description of the outlier.

    Volumes are compared as logarithms, by the modified z-score (Iglewicz and Hoaglin 1993: 0.6745
    times the distance to the median over the median absolute deviation, beyond 3.5), each region
    on its own. Cases without tumour, and volumes without millimetres, are left out.

    Args:
        volumes_ml: of each case, one for each region; an empty row for a case that is not done.
    """
    reasons: dict[int, str] = {}
    regions = max(map(len, volumes_ml), default=0)
    for k in range(regions):
        logs = {
            n: math.log(volume)
            for n, row in enumerate(volumes_ml)
            if k < len(row) and (volume := row[k])
        }
        for n, word in _standing_out(logs).items():
            reasons.setdefault(n, word)
    return reasons


def _standing_out(logs: dict[int, float]) -> dict[int, str]:
    if len(logs) < _LEAST:
        return {}
    middle = statistics.median(logs.values())
    deviation = statistics.median(abs(value - middle) for value in logs.values())
    if not deviation:
        return {}
    scores = {n: _NORMAL * (value - middle) / deviation for n, value in logs.items()}
    return {n: "large" if z > 0 else "small" for n, z in scores.items() if abs(z) > _LIMIT}
