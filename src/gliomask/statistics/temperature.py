"""One number that calibrates a network: its logits are divided by it (Guo et al. 2017).

Dividing all logits by the same number keeps their order, so with the threshold moved along the
masks stay what they were; only what is said of them becomes true.
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
        value: to divide logits by; 1 where none can be fitted.
        nll_before, nll_after: mean negative log-likelihood at 1 and at ``value``; None if there
            are no voxels.
        ece_before, ece_after: expected calibration error, likewise.
        n, n_positive: voxels it was fitted on, and those of tumour among them.
        reason: why none could be fitted, or what is odd about it; None if all is well.
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
    """The temperature from 0.05 to 20 with the smallest negative log-likelihood.

    In 1 / T that is a convex function, so there is one smallest value. Where there is none (no
    tumour, no other voxels, no voxel on the wrong side, logits without information) the temperature
    is 1, and the reason is said. Fit it on patients that neither training nor testing sees.
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
    """The threshold on calibrated probabilities that leaves a mask as it was.

    It is sigmoid(logit(t) / T). Proof: let z be a voxel's logit. The sigmoid s rises strictly and
    T > 0, so s(z) >= t if and only if z >= logit(t), if and only if z / T >= logit(t) / T, if and
    only if s(z / T) >= s(logit(t) / T). (Up to rounding; and only where probabilities are
    compared with the threshold as they come from the logits. Of probabilities that were averaged
    or interpolated after the temperature was applied it is not true.)

    Args:
        threshold: on probabilities at temperature 1, in (0, 1).
        temperature: positive.

    Returns:
        A threshold in (0, 1), the nearest float inside where rounding would leave it.

    Raises:
        ValueError: either is out of its range.
    """
    check_temperature(temperature)
    if not 0 < threshold < 1:
        raise ValueError(f"the threshold {threshold} does not lie between 0 and 1")
    logit = math.log(threshold) - math.log1p(-threshold)
    odds = math.exp(-abs(logit) / temperature)  # of the less likely side: never overflows
    moved = (odds if logit < 0 else 1.0) / (1.0 + odds)
    return min(max(moved, math.ulp(0.0)), math.nextafter(1.0, 0.0))


def _hopeless(counts: LogitCounts) -> str | None:
    """The reason why no temperature can be fitted, if there is one."""
    if not counts.n:
        return "no voxels"
    if not counts.n_positive:
        return "no voxel of tumour"
    if counts.n_positive == counts.n:
        return "no voxel without tumour"
    positive, negative = np.asarray(counts.positive), np.asarray(counts.negative)
    logits = bin_centres()
    if not positive[logits < 0].any() and not negative[logits > 0].any():
        return "no voxel is on the wrong side: the lower the temperature, the better"
    # At 1/T = 0 the likelihood's slope is this; if it falls from there on, the best is T = inf.
    if float((positive - negative) @ logits) <= 0:
        return "the logits are not related to the tumour: the higher the temperature, the better"
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
