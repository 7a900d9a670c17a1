"""Non-parametric tests of paired differences, and correction for multiple comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

MOST_EXACT = 16
"""Maximum number of non-zero differences for the exact test with all sign patterns."""
RESAMPLES = 19_999
_CHUNK = 1_000_000
"""Number of random signs in memory at a time."""
_ROUNDING = 1e-12
"""Relative tolerance for equal sums, so that the order of summation does not matter."""

Floats = npt.NDArray[np.float64]


def sign_flip_test(differences: Sequence[float], *, seed: int = 0) -> tuple[float | None, bool]:
    """Two-sided paired permutation test of "no difference" (Fisher 1935).

    Under the null hypothesis the sign of each patient's difference is random. The p value is the
    fraction of sign patterns whose mean difference is at least as far from 0 as the observed one.
    It is exact for up to ``MOST_EXACT`` differences that are not 0 (zeros have no effect); beyond,
    ``RESAMPLES`` patterns are drawn, and p is (b + 1) / (m + 1) for b of m patterns at least as
    far, so it is never 0 (Phipson & Smyth 2010).

    Args:
        differences: one for each patient, finite.
        seed: random seed.

    Returns:
        p, or None without differences; and whether it is exact.
    """
    if not len(differences):
        return None, True
    moved = np.array([d for d in differences if d], np.float64)
    reach = abs(float(moved.sum())) - _ROUNDING * float(np.abs(moved).sum())
    if moved.size <= MOST_EXACT:
        return float(np.mean(np.abs(_all_sums(moved)) >= reach)), True
    as_far = _drawn_as_far(moved, reach, np.random.default_rng(seed))
    return (as_far + 1) / (RESAMPLES + 1), False


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's step-down correction (Scandinavian Journal of Statistics 1979;6:65).

    The i-th smallest of m values (i from 0) becomes the largest of (m - j) p_j over j <= i, at
    most 1. Rejecting values below 0.05 has a family-wise error rate of at most 5 %.

    Args:
        p_values: p values in any order; None is no test and stays None.
    """
    tested = sorted((p, k) for k, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for place, (p, k) in enumerate(tested):
        largest = max(largest, min(1.0, (len(tested) - place) * p))
        corrected[k] = largest
    return tuple(corrected)


def _all_sums(moved: Floats) -> Floats:
    """The sum under each of the 2^n patterns of signs."""
    sums = np.zeros(1)
    for difference in moved:
        sums = np.concatenate([sums + difference, sums - difference])
    return sums


def _drawn_as_far(moved: Floats, reach: float, rng: np.random.Generator) -> int:
    step = max(1, _CHUNK // moved.size)
    count = 0
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        bits = np.frombuffer(rng.bytes(rows * math.ceil(moved.size / 8)), np.uint8)
        signs = np.unpackbits(bits.reshape(rows, -1), axis=1, count=moved.size) * 2.0 - 1.0
        count += int(np.count_nonzero(np.abs(signs @ moved) >= reach))
    return count
