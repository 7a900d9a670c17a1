"""All that calibration needs to know of any number of voxels: two histograms of their logits.

Counts of cases add up, so a whole cohort is pooled in the memory of one histogram. The bins are so
fine that a figure taken from them can be trusted: no voxel is moved by more than half a bin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import FloatArray
from gliomask.metrics.overlap_counts import Mask

LIMIT = 16
"""Logits beyond count as this: float32 knows no probability between that of 16.6 and 1."""
PER_UNIT = 128
"""Bins for each unit of logit. Half a bin changes a probability by 1/1024 at most, for the slope
of the sigmoid is 1/4 at most. A power of two, so that scaling a float32 by it is exact."""
BINS = 2 * LIMIT * PER_UNIT + 2
"""With one at each end, for the logits beyond."""
_BLOCK = 1 << 16
"""Voxels worked on at once: they stay in the processor's cache."""

Histogram = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LogitCounts:
    """Voxels by their logit.

    Bin 0 holds logits below -16, the last one those from 16 on, and bin k in between those from
    -16 + (k - 1) / 128 to below -16 + k / 128.

    Attributes:
        positive: (BINS,) voxels that are tumour in the reference.
        negative: (BINS,) voxels that are not.
    """

    positive: tuple[int, ...]
    negative: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.positive) != BINS or len(self.negative) != BINS:
            raise ValueError(f"{len(self.positive)} and {len(self.negative)} bins, not {BINS}")
        if min(min(self.positive), min(self.negative)) < 0:
            raise ValueError("a bin holds fewer than 0 voxels")

    @property
    def n(self) -> int:
        """Voxels counted."""
        return self.n_positive + sum(self.negative)

    @property
    def n_positive(self) -> int:
        """Voxels of tumour counted."""
        return sum(self.positive)


def bin_centres() -> npt.NDArray[np.float64]:
    """(BINS,) the logit that stands for each bin: its middle; -16 and 16 for the ends."""
    inner = -LIMIT + (np.arange(BINS - 2) + 0.5) / PER_UNIT
    return np.concatenate([[-LIMIT], inner, [LIMIT]])


def count_logits(logits: FloatArray, truth: Mask, keep: Mask | None = None) -> LogitCounts:
    """Counts the voxels of one region of one case.

    What is counted decides what calibration means: with the air around the head in it nearly all
    voxels are easy, and any network looks well calibrated. Give a ``keep`` and say which.

    Args:
        logits: any shape; infinite ones count in the bins at the ends.
        truth: bool, the same shape: tumour in the reference.
        keep: bool, the voxels to count: the same shape, or (S,) for whole slices of (S, H, W).
            None counts all.

    Raises:
        ValueError: the shapes don't fit, or a logit is not a number.
    """
    return _count(logits, truth, keep, lambda block: block)


def count_probabilities(
    probabilities: FloatArray, truth: Mask, keep: Mask | None = None
) -> LogitCounts:
    """The same from probabilities of tumour in [0, 1]; exactly 0 and 1 count in the end bins.

    Raises:
        ValueError: as ``count_logits``; a probability outside [0, 1].
    """
    return _count(probabilities, truth, keep, _to_logits)


def pool(counts: Iterable[LogitCounts]) -> LogitCounts:
    """The voxels of several cases as those of one; of none, no voxels."""
    positive, negative = np.zeros((2, BINS), np.int64)
    for counts_of_case in counts:
        positive += counts_of_case.positive
        negative += counts_of_case.negative
    return _frozen(positive, negative)


def _count(
    values: FloatArray,
    truth: Mask,
    keep: Mask | None,
    to_logits: Callable[[FloatArray], FloatArray],
) -> LogitCounts:
    if values.shape != truth.shape:
        raise ValueError(f"values of shape {values.shape}, truth of {truth.shape}")
    if keep is not None:
        if keep.dtype != np.bool_ or keep.shape != values.shape[: keep.ndim]:
            raise ValueError(f"keep {keep.dtype} of shape {keep.shape} for {values.shape}")
        values, truth = values[keep], truth[keep]
    flat, drawn = values.reshape(-1), truth.reshape(-1).astype(bool, copy=False)
    total = np.zeros(2 * BINS, np.int64)
    for start in range(0, flat.size, _BLOCK):
        with np.errstate(over="ignore"):  # what float32 can't hold lies in the end bins anyway
            block = flat[start : start + _BLOCK].astype(np.float32, copy=False)
        codes = _bins(to_logits(block)) + drawn[start : start + _BLOCK] * BINS
        total += np.bincount(codes, minlength=2 * BINS)
    return _frozen(total[BINS:], total[:BINS])


def _bins(logits: FloatArray) -> npt.NDArray[np.intp]:
    places = np.clip(logits, -LIMIT - 1, LIMIT + 1)  # before scaling, which might overflow
    places *= np.float32(PER_UNIT)
    places += np.float32(LIMIT * PER_UNIT + 1)
    np.clip(places, 0, BINS - 1, out=places)
    if np.isnan(places).any():
        raise ValueError("a logit is not a number, or a probability lies outside [0, 1]")
    return places.astype(np.intp)


def _to_logits(probabilities: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        logits: FloatArray = np.log(probabilities / (1 - probabilities))
    return logits


def _frozen(positive: Histogram, negative: Histogram) -> LogitCounts:
    return LogitCounts(tuple(positive.tolist()), tuple(negative.tolist()))
