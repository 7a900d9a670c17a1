"""Temperature scaling: logits are divided by one number (Guo et al. 2017).

Division keeps the order of the logits, so with an adjusted threshold the masks do not change; only
the probabilities become calibrated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gliomask.statistics.calibration_curve import calibration, check_temperature, mean_nll
from gliomask.statistics.logit_counts import LogitCounts, bin_centres

LOWEST, HIGHEST = 0.05, 20.0
"""Range of temperatures."""


@dataclass(frozen=True)
class Temperature:
    """A fitted temperature.

    Attributes:
        value: divisor of the logits; 1 if none can be fitted.
        nll_before, nll_after: mean negative log-likelihood at 1 and at ``value``; None if there
            are no voxels.
        ece_before, ece_after: expected calibration error, likewise.
        n, n_positive: number of
        voxels, and of tumour voxels, that it was fitted on.
        reason: reason why none could be
        fitted, or a warning; otherwise None.
    """

    value: float
    nll_before: float | None
    nll_after: float | None
    ece_before: float | None
    ece_after: float | None
    n: int
    n_positive: int
    reason: str | None


def fit_temperature(counts: LogitCounts) -> Temperature:
    """Fit the temperature between 0.05 and 20 with the smallest negative log-likelihood.

    This is a convex function of 1 / T, so the minimum is unique. If there is none (no tumour
    voxels, no other voxels, no misclassified voxel, uninformative logits) the temperature is 1,
    with the reason. Fit it on validation patients, not on training or test patients.
    """
    reason = _hopeless(counts)
    value = 1.0 if reason else _smallest(counts)
    before, after = calibration(counts), calibration(counts, value)
    return Temperature(
        value=value,
        nll_before=before.nll,
        nll_after=after.nll,
        ece_before=before.ece,
        ece_after=after.ece,
        n=counts.n,
        n_positive=counts.n_positive,
        reason=reason or _odd(value),
    )


def adjusted_threshold(threshold: float, temperature: float) -> float:
    """Threshold on calibrated probabilities that gives the same mask.

    It is sigmoid(logit(t) / T). Proof: let z be a voxel's logit. The sigmoid s rises strictly and T
    > 0, so s(z) >= t if and only if z >= logit(t), if and only if z / T >= logit(t) / T, if and
    only if s(z / T) >= s(logit(t) / T). (Up to rounding, and only for probabilities computed
    directly from the logits, not if they are averaged or interpolated after the temperature was
    applied.)

    Args:
        threshold: threshold on probabilities at temperature 1, in (0, 1).
        temperature: positive.

    Returns:
        A threshold in (0, 1).

    Raises:
        ValueError: either is out of its range.
    """
    check_temperature(temperature)
    if not 0 < threshold < 1:
        raise ValueError(f"the threshold {threshold} does not lie between 0 and 1")
    logit = math.log(threshold) - math.log1p(-threshold)
    odds = math.exp(-abs(logit) / temperature)  # of the less likely class: never overflows
    moved = (odds if logit < 0 else 1.0) / (1.0 + odds)
    return min(max(moved, math.ulp(0.0)), math.nextafter(1.0, 0.0))


def _hopeless(counts: LogitCounts) -> str | None:
    """Reason why no temperature can be fitted, or None."""
    if not counts.n:
        return "no voxels"
    if not counts.n_positive:
        return "no tumour voxel"
    if counts.n_positive == counts.n:
        return "no voxel without tumour"
    positive, negative = np.asarray(counts.positive), np.asarray(counts.negative)
    logits = bin_centres()
    if not positive[logits < 0].any() and not negative[logits > 0].any():
        return "no voxel is misclassified: the best temperature would be 0"
    # Slope of the likelihood at 1/T = 0; if it is negative, the best is T = inf.
    if float((positive - negative) @ logits) <= 0:
        return "the logits are not related to the tumour: the best temperature would be infinite"
    return None


def _smallest(counts: LogitCounts) -> float:
    from scipy.optimize import minimize_scalar  # 0.2 s that prediction does not need

    bounds = math.log(LOWEST), math.log(HIGHEST)
    minimum = minimize_scalar(
        lambda log_t: mean_nll(counts, math.exp(log_t)),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-5},
    )
    return math.exp(float(minimum.x))


def _odd(value: float) -> str | None:
    if LOWEST * 1.001 < value < HIGHEST / 1.001:
        return None
    return f"the best temperature lies beyond {LOWEST:g} to {HIGHEST:g}"
