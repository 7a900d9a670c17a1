"""Histograms of logits of tumour and other voxels, for calibration.

Counts of cases are additive, so a cohort needs the memory of one histogram. The bins are fine: no
voxel is moved by more than half a bin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import FloatArray
from gliomask.metrics.overlap_counts import Mask

LIMIT = 16
"""Maximum absolute logit: in float32 there is no probability between that of 16.6 and 1."""
PER_UNIT = 128
"""Bins per unit of logit. Half a bin changes a probability by at most 1/1024, because the slope of
the sigmoid is at most 1/4. A power of two, so that scaling a float32 by it is exact."""
BINS = 2 * LIMIT * PER_UNIT + 2
"""Number of bins, with one at each end for larger logits."""
_BLOCK = 1 << 16
"""Number of voxels processed at a time, so that they stay in the processor's cache."""

Histogram = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LogitCounts:
    """Histograms of voxels by their logit.

    Bin 0 contains logits below -16, the last one those from 16 on, and bin k in between those from
    -16 + (k - 1) / 128 to below -16 + k / 128.

    Attributes:
        positive: (BINS,) voxels with tumour in the reference.
        negative: (BINS,) other voxels.
    """

    positive: tuple[int, ...]
    negative: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.positive) != BINS or len(self.negative) != BINS:
            raise ValueError(f"{len(self.positive)} and {len(self.negative)} bins, not {BINS}")
        if min(min(self.positive), min(self.negative)) < 0:
            raise ValueError("a bin contains fewer than 0 voxels")

    @property
    def n(self) -> int:
        """Number of voxels."""
        return self.n_positive + sum(self.negative)

    @property
    def n_positive(self) -> int:
        """Number of tumour voxels."""
        return sum(self.positive)


def bin_centres() -> npt.NDArray[np.float64]:
    """(BINS,) representative logit of each bin: its centre; -16 and 16 for the ends."""
    inner = -LIMIT + (np.arange(BINS - 2) + 0.5) / PER_UNIT
    return np.concatenate([[-LIMIT], inner, [LIMIT]])


def count_logits(logits: FloatArray, reference: Mask, keep: Mask | None = None) -> LogitCounts:
    """Count the voxels of a region of a case.

    The selection of voxels affects the calibration: with the air around the head nearly all voxels
    are easy, and any network looks well calibrated. Use ``keep`` and report it.

    Args:
        logits: any shape; infinite ones count in the bins at the ends.
        reference: bool, the same shape: tumour in the reference.
        keep: bool, the voxels to count: the same shape, or (S,) for whole slices of (S, H, W).
            None counts all.

    Raises:
        ValueError: the shapes don't fit, or a logit is not a number.
    """
    return _count(logits, reference, keep, lambda block: block)


def count_probabilities(
    probabilities: FloatArray, reference: Mask, keep: Mask | None = None
) -> LogitCounts:
    """Count probabilities of tumour in [0, 1]; exactly 0 and 1 are in the end bins.

    Raises:
        ValueError: as ``count_logits``; a probability outside [0, 1].
    """
    return _count(probabilities, reference, keep, _to_logits)


def pool(counts: Iterable[LogitCounts]) -> LogitCounts:
    """Sum the counts of several cases; empty without cases."""
    positive, negative = np.zeros((2, BINS), np.int64)
    for counts_of_case in counts:
        positive += counts_of_case.positive
        negative += counts_of_case.negative
    return _frozen(positive, negative)


def _count(
    values: FloatArray,
    reference: Mask,
    keep: Mask | None,
    to_logits: Callable[[FloatArray], FloatArray],
) -> LogitCounts:
    if values.shape != reference.shape:
        raise ValueError(f"values of shape {values.shape}, truth of {reference.shape}")
    if keep is not None:
        if keep.dtype != np.bool_ or keep.shape != values.shape[: keep.ndim]:
            raise ValueError(f"keep {keep.dtype} of shape {keep.shape} for {values.shape}")
        values, reference = values[keep], reference[keep]
    flat, flat_reference = values.reshape(-1), reference.reshape(-1).astype(bool, copy=False)
    total = np.zeros(2 * BINS, np.int64)
    for start in range(0, flat.size, _BLOCK):
        with np.errstate(
            over="ignore"
        ):  # values that float32 can't represent are in the end bins anyway
            block = flat[start : start + _BLOCK].astype(np.float32, copy=False)
        codes = _bins(to_logits(block)) + flat_reference[start : start + _BLOCK] * BINS
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
