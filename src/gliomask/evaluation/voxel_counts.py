"""Histograms of the predicted probabilities of a case."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gliomask.core.regions import region_masks
from gliomask.core.volume import FloatArray
from gliomask.evaluation.reference_cases import Examination
from gliomask.statistics.logit_counts import LogitCounts, count_probabilities

COUNTED = "within the crop to the head, of annotated slices, on the original grid"
"""Description of the counted voxels. With the air around the head any network looks well
calibrated."""


def count_voxels(
    probabilities: FloatArray, regions: Sequence[str], examination: Examination
) -> dict[str, LogitCounts]:
    """Region -> histogram of the predicted probabilities of its voxels (see ``COUNTED``).

    Args:
        probabilities: (R, S, H, W) in [0, 1], of whole slices.
        regions: R names.
        examination: their examination.
    """
    window = examination.stack.record.window
    drawn = region_masks(examination.reference[:, *window], tuple(regions))
    near = np.ascontiguousarray(probabilities[:, :, *window])
    return {
        region: count_probabilities(maps, truth, examination.annotated)
        for region, maps, truth in zip(regions, near, drawn, strict=True)
    }
