"""Masks of tumours as balls in a small head, for tests of what fits what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gliomask.core.labels import LabelArray
from gliomask.metrics.scores import CaseScore, MaskPair, score_case

SHAPE = (24, 40, 40)


@dataclass(frozen=True)
class Ball:
    """A tumour: centre and radii in voxels."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]

    def labels(self, shape: tuple[int, int, int] = SHAPE) -> LabelArray:
        """(S, H, W), 1 within."""
        grid = np.indices(shape).transpose(1, 2, 3, 0)
        labels: LabelArray = np.zeros(shape, np.uint8)
        labels[(((grid - self.centre) / self.radii) ** 2).sum(axis=3) <= 1] = 1
        return labels


def judged(
    reference: LabelArray,
    predicted: LabelArray,
    case: str = "c",
    annotated: np.ndarray | None = None,
) -> tuple[MaskPair, CaseScore]:
    """A pair of masks without millimetres, and its score of the whole tumour."""
    pair = MaskPair(case, case, reference, predicted, annotated, None, None)
    return pair, score_case(pair, ("whole",))[0]
