"""Calibration of probabilities: whether four in five voxels with probability 0.8 are tumour.

All values refer to the probability of tumour, not to the confidence in the more likely class. They
are computed from counts of logits (``logit_counts``) at any temperature, by which the logits are
divided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.statistics.logit_counts import LogitCounts, bin_centres

BINS = 15
"""Number of bins of the reliability diagram, of equal width, as in Guo et al. 2017."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ReliabilityBin:
    """A bin: voxels with a probability between two bounds.

    Attributes:
        low, high: the bounds.
        n: number of voxels.
        confidence: mean probability of the voxels; None
        if there are none.
        frequency: fraction of tumour voxels.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    frequency: float | None


@dataclass(frozen=True)
class Calibration:
    """Calibration of probabilities; all values except the counts are None without voxels.

    The counts behind it move a logit between -16 and 16 by half a bin at most (1/256), so at
    temperature T a probability by 1/1024 T at most and a voxel's log-likelihood by 1/256 T; a voxel
    next to a bound of the diagram may be counted in the neighbouring bin.

    Attributes:
        temperature: divisor of the logits.
        n, n_positive: number of voxels, and of tumour voxels.
        ece: expected calibration error: the gap between confidence and frequency of a bin, as a
            mean over voxels (Naeini et al. 2015).
        mce: the largest of these gaps, however few voxels are in its bin.
        brier: mean squared difference between probability and reference (Brier 1950).
        nll: mean negative log-likelihood in nats; at most slightly above 16 / temperature per
            voxel, because logits are limited.
        bins: the reliability diagram.
    """

    temperature: float
    n: int
    n_positive: int
    ece: float | None
    mce: float | None
    brier: float | None
    nll: float | None
    bins: tuple[ReliabilityBin, ...]


def calibration(counts: LogitCounts, temperature: float = 1.0) -> Calibration:
    """Compute the calibration of any number of voxels.

    Raises:
        ValueError: the temperature is not a positive number.
    """
    check_temperature(temperature)
    positive, negative = np.asarray(counts.positive), np.asarray(counts.negative)
    scaled = bin_centres() / temperature
    chance = _sigmoid(scaled)
    bins = _reliability(positive, positive + negative, chance)
    n, n_positive = counts.n, counts.n_positive
    if not n:
        return Calibration(temperature, 0, 0, None, None, None, None, bins)
    gaps = [
        (abs(b.confidence - b.frequency), b.n)
        for b in bins
        if b.confidence is not None and b.frequency is not None
    ]
    return Calibration(
        temperature=temperature,
        n=n,
        n_positive=n_positive,
        ece=sum(gap * share for gap, share in gaps) / n,
        mce=max(gap for gap, _ in gaps),
        brier=float(positive @ (1 - chance) ** 2 + negative @ chance**2) / n,
        nll=mean_nll(counts, temperature),
        bins=bins,
    )


def mean_nll(counts: LogitCounts, temperature: float) -> float:
    """Mean negative log-likelihood in nats, of at least one voxel."""
    scaled = bin_centres() / temperature
    # log(1 + exp(x)) without overflow
    of_tumour, of_others = np.logaddexp(0, -scaled), np.logaddexp(0, scaled)
    total = np.asarray(counts.positive) @ of_tumour + np.asarray(counts.negative) @ of_others
    return float(total) / counts.n


def check_temperature(temperature: float) -> None:
    """Raise ValueError unless it is a positive, finite number."""
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"the temperature {temperature} is not a positive number")


def _reliability(
    positive: npt.NDArray[np.int64], total: npt.NDArray[np.int64], chance: Floats
) -> tuple[ReliabilityBin, ...]:
    place = np.minimum((chance * BINS).astype(np.intp), BINS - 1)
    n, tumour, mass = (
        np.bincount(place, weights, BINS) for weights in (total, positive, total * chance)
    )
    return tuple(
        ReliabilityBin(
            low=k / BINS,
            high=(k + 1) / BINS,
            n=int(n[k]),
            confidence=float(mass[k] / n[k]) if n[k] else None,
            frequency=float(tumour[k] / n[k]) if n[k] else None,
        )
        for k in range(BINS)
    )


def _sigmoid(logits: Floats) -> Floats:
    # The hyperbolic tangent does not overflow.
    return 0.5 + 0.5 * np.tanh(0.5 * logits)
