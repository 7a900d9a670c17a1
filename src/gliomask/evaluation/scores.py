"""One case judged: a row for each region, on the grid of the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from gliomask.core.labels import LabelArray, region_masks
from gliomask.evaluation.overlap import Overlap, overlap
from gliomask.evaluation.policy import Score
from gliomask.evaluation.slicewise import SliceScore, score_slices


@dataclass(frozen=True, eq=False)
class MaskPair:
    """What was drawn and what was predicted for one case.

    Attributes:
        case: its id.
        patient: the key that examinations of one person share.
        reference: (S, H, W) our labels, axial slices.
        predicted: (S, H, W) our labels, the same slices. In a mask of the region ``whole`` alone
            any label of that region may stand.
        annotated: (S,) bool, the slices in which someone looked for tumour; the others are not
            scored, for what is in them is unknown. None means all.
        voxel_ml: the volume of a voxel; None where the data has no millimetres.
    """

    case: str
    patient: str
    reference: LabelArray
    predicted: LabelArray
    annotated: npt.NDArray[np.bool_] | None
    voxel_ml: float | None


@dataclass(frozen=True)
class CaseScore:
    """One region of one case.

    Attributes:
        case, patient, region: what was judged.
        overlap: its voxels counted, from which every score follows.
        slices: the same slice by slice.
        voxel_ml: the volume of a voxel; None where the data has no millimetres.
    """

    case: str
    patient: str
    region: str
    overlap: Overlap
    slices: SliceScore
    voxel_ml: float | None

    @property
    def volume_reference_ml(self) -> float | None:
        """Millilitres of the reference, within the annotated slices; None without millimetres."""
        return None if self.voxel_ml is None else self.overlap.reference * self.voxel_ml

    @property
    def volume_predicted_ml(self) -> float | None:
        """Millilitres of the prediction, within the annotated slices."""
        return None if self.voxel_ml is None else self.overlap.predicted * self.voxel_ml


METRICS: Mapping[str, Callable[[CaseScore], Score]] = MappingProxyType(
    {
        "dice": lambda score: score.overlap.dice,
        "iou": lambda score: score.overlap.iou,
        "sensitivity": lambda score: score.overlap.sensitivity,
        "precision": lambda score: score.overlap.precision,
    }
)
"""The scores of a row, by their names in tables."""


def score_case(pair: MaskPair, regions: tuple[str, ...]) -> tuple[CaseScore, ...]:
    """Judges one case: a score for each region, in their order.

    Raises:
        ValueError: the masks have different shapes.
        KeyError: an unknown region.
    """
    if pair.reference.shape != pair.predicted.shape:
        raise ValueError(f"masks of shapes {pair.reference.shape} and {pair.predicted.shape}")
    kept = slice(None) if pair.annotated is None else pair.annotated
    reference = region_masks(pair.reference[kept], regions)
    predicted = region_masks(pair.predicted[kept], regions)
    return tuple(
        CaseScore(
            pair.case,
            pair.patient,
            region,
            overlap(drawn, found),
            score_slices(drawn, found),
            pair.voxel_ml,
        )
        for region, drawn, found in zip(regions, reference, predicted, strict=True)
    )
