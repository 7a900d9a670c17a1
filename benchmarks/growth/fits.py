"""Fits of growth curves: a line and a power law, by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Growth:
    """Growth of y with x.

    Attributes:
        fixed, per_unit: the straight line, fitted to relative errors, so that small points weigh as
            much as large ones.
        exponent: of the power law through all points: 1 is linear, 2 quadratic, 0 constant.
        last_exponent: of the larger half of the points, where fixed costs matter less.
    """

    fixed: float
    per_unit: float
    exponent: float
    last_exponent: float


def grow(x: Sequence[float], y: Sequence[float]) -> Growth:
    """Fits a line and a power law.

    Args:
        x: at least two different values, rising, above 0.
        y: measured values, above 0.

    Raises:
        ValueError: fewer than two points, or different numbers of x and y.
    """
    if len(x) != len(y) or len(x) < 2:
        raise ValueError(f"{len(x)} values of x and {len(y)} of y")
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    per_unit, fixed = np.polyfit(xs, ys, 1, w=1 / ys)
    half = max(2, (len(x) + 1) // 2)
    last = exponent(xs[-half:].tolist(), ys[-half:].tolist())
    return Growth(float(fixed), float(per_unit), exponent(x, y), last)


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """The slope of log y over log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
