"""Overlap scores of two masks, computed from three counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.metrics.policy import POLICY, Score

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Overlap:
    """Voxel counts of two masks, from which the scores follow.

    Attributes:
        reference: voxels of the reference.
        predicted: voxels of the prediction.
        both: voxels that are in both.
    """

    reference: int
    predicted: int
    both: int

    @property
    def dice(self) -> Score:
        """Shared voxels over the mean size of the two masks (Dice 1945)."""
        return self._settle(2 * self.both, self.reference + self.predicted)

    @property
    def iou(self) -> Score:
        """Shared voxels over the voxels of either mask (Jaccard 1912)."""
        return self._settle(self.both, self.reference + self.predicted - self.both)

    @property
    def sensitivity(self) -> Score:
        """Sensitivity (recall): fraction of the reference that is predicted."""
        return self._settle(self.both, self.reference)

    @property
    def precision(self) -> Score:
        """Precision: fraction of the prediction that is correct."""
        return self._settle(self.both, self.predicted)

    @property
    def volume_error_percent(self) -> Score:
        """Predicted minus reference size in % of the reference, signed: -100 is all missed.

        None if the reference is empty.
        """
        if not self.reference:
            return None
        return 100.0 * (self.predicted - self.reference) / self.reference

    def _settle(self, part: int, whole: int) -> Score:
        return POLICY.settle(self.reference, self.predicted, lambda: part / whole)


def count_overlap(reference: Mask, predicted: Mask) -> Overlap:
    """Count two boolean masks of the same shape; empty arrays are empty masks.

    Raises:
        ValueError: the shapes differ.
    """
    if reference.shape != predicted.shape:
        raise ValueError(f"masks of shapes {reference.shape} and {predicted.shape}")
    both = int(np.count_nonzero(reference & predicted))
    return Overlap(int(np.count_nonzero(reference)), int(np.count_nonzero(predicted)), both)
