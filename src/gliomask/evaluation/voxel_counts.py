"""Histograms of the probabilities that a network gave the voxels of a case."""

from __future__ import annotations

from collections.abc import Sequence

from gliomask.core.regions import region_masks
from gliomask.core.slices import crop_to_slices
from gliomask.core.volume import FloatArray
from gliomask.evaluation.reference_cases import Examination
from gliomask.statistics.logit_counts import LogitCounts, count_probabilities

COUNTED = "within the crop to the head, of annotated slices, on the original grid"
"""Which voxels are counted. With the air around the head any network looks well calibrated."""


def count_voxels(
    probabilities: FloatArray, regions: Sequence[str], examination: Examination
) -> dict[str, LogitCounts]:
    """Region -> its voxels (see ``COUNTED``) by the probability that they were given.

    Args:
        probabilities: (R, I, J, K) in [0, 1].
        regions: R names.
        examination: that they are of.
    """
    record = examination.stack.record
    drawn = region_masks(crop_to_slices(examination.reference, record), tuple(regions))
    return {
        region: count_probabilities(crop_to_slices(maps, record), truth, examination.annotated)
        for region, maps, truth in zip(regions, probabilities, drawn, strict=True)
    }
