"""The figures of calibration from every voxel's own logit, written down as plainly as can be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import FloatArray
from gliomask.metrics.overlap_counts import Mask

Floats = npt.NDArray[np.float64]


def chances(logits: FloatArray, temperature: float = 1.0) -> Floats:
    """Probabilities of tumour."""
    found: Floats = 1 / (1 + np.exp(-logits.astype(np.float64) / temperature))
    return found


def brier(p: Floats, truth: Mask) -> float:
    """Mean squared difference."""
    return float(np.mean((p - truth) ** 2))


def nll(p: Floats, truth: Mask) -> float:
    """Mean negative log-likelihood."""
    return float(-np.mean(np.log(np.where(truth, p, 1 - p))))


def gaps(p: Floats, truth: Mask, bins: int = 15) -> list[tuple[float, int]]:
    """Of each bin that holds voxels, how far confidence and frequency lie apart, and how many."""
    place = np.minimum(p * bins, bins - 1).astype(int)
    found = [(p[place == k], truth[place == k]) for k in range(bins) if (place == k).any()]
    return [(abs(float(own.mean() - drawn.mean())), own.size) for own, drawn in found]


def ece(p: Floats, truth: Mask) -> float:
    """Expected calibration error."""
    return sum(gap * n for gap, n in gaps(p, truth)) / p.size


def made(n: int, seed: int, scale: float = 1.0) -> tuple[FloatArray, Mask]:
    """Logits and truth: two humps as of a network, calibrated but for the scale."""
    rng = np.random.default_rng(seed)
    tumour = rng.random(n) < 0.3
    logits = np.where(tumour, rng.normal(1.5, 2, n), rng.normal(-3, 1.5, n)).clip(-7, 7)
    truth = rng.random(n) < 1 / (1 + np.exp(-logits))
    return (scale * logits).astype(np.float32), truth
