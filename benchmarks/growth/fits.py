"""Fits of growth curves: a line and a power law, by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Growth:
    """What is known of y over x.

    Attributes:
        fixed, per_unit: of the straight line; relative errors weigh alike, so that the smallest
            points count as much as the largest.
        exponent: of the power law through all points: 1 is linear, 2 quadratic, 0 none.
        last_exponent: of the larger half of the points, where what is fixed counts less.
    """

    fixed: float
    per_unit: float
    exponent: float
    last_exponent: float


def grow(x: Sequence[float], y: Sequence[float]) -> Growth:
    """Fits both.

    Args:
        x: at least two different values, rising, above 0.
        y: what was measured there, above 0.

    Raises:
        ValueError: fewer than two points, or not as many of one as of the other.
    """
    if len(x) != len(y) or len(x) < 2:
        raise ValueError(f"{len(x)} values of x and {len(y)} of y")
    at, seen = np.asarray(x, float), np.asarray(y, float)
    per_unit, fixed = np.polyfit(at, seen, 1, w=1 / seen)
    half = max(2, (len(x) + 1) // 2)
    last = exponent(at[-half:].tolist(), seen[-half:].tolist())
    return Growth(float(fixed), float(per_unit), exponent(x, y), last)


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """The slope of log y over log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
