"""Scores of one case: a row for each region, on the grid of the reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.labels import LabelArray
from gliomask.core.regions import region_masks
from gliomask.jobs.control import SILENT, Control
from gliomask.metrics.case_score import CaseScore
from gliomask.metrics.lesions import score_lesions
from gliomask.metrics.metric import METRICS
from gliomask.metrics.overlap_counts import Mask, count_overlap
from gliomask.metrics.slicewise import score_slices
from gliomask.metrics.surface_distances import score_surface

__all__ = ["METRICS", "CaseScore", "MaskPair", "score_case"]


@dataclass(frozen=True, eq=False)
class MaskPair:
    """The reference and the predicted mask of one case.

    Attributes:
        case: its id.
        patient: the key that examinations of one person share.
        reference: (S, H, W) our labels, axial slices.
        predicted: (S, H, W) our labels, the same slices. In a mask of the region ``whole`` alone
            any label of that region may stand.
        annotated: (S,) bool, the slices in which someone looked for tumour; the others are not
            scored, for what is in them is unknown. None means all.
        voxel_ml: the volume of a voxel; None where the data has no millimetres.
        spacing_mm: the voxel's size along S, H and W; None where the data has no millimetres.
            With sheared voxels their product is not the volume.
    """

    case: str
    patient: str
    reference: LabelArray
    predicted: LabelArray
    annotated: npt.NDArray[np.bool_] | None
    voxel_ml: float | None
    spacing_mm: tuple[float, float, float] | None

    def __post_init__(self) -> None:
        if (self.voxel_ml is None) != (self.spacing_mm is None):
            raise ValueError("a voxel with a volume has a spacing, one without has none")

    @property
    def sparse(self) -> bool:
        """True where scored slices may have neighbours that are not scored, or none at all."""
        skips = self.annotated is not None and not self.annotated.all()
        return skips or self.reference.shape[0] == 1


def score_case(
    pair: MaskPair, regions: tuple[str, ...], control: Control = SILENT
) -> tuple[CaseScore, ...]:
    """Judges one case: a score for each region, in their order.

    Of a case with unannotated slices (or with a single slice) the surfaces are measured
    within each slice, and no lesions are counted: lone slices don't make a volume.

    Args:
        pair: its masks.
        regions: to be scored.
        control: reports each region.

    Raises:
        ValueError: the masks have different shapes.
        KeyError: an unknown region.
    """
    if pair.reference.shape != pair.predicted.shape:
        raise ValueError(f"masks of shapes {pair.reference.shape} and {pair.predicted.shape}")
    kept = slice(None) if pair.annotated is None else pair.annotated
    reference = region_masks(pair.reference[kept], regions)
    predicted = region_masks(pair.predicted[kept], regions)
    control.start(len(regions), "region")
    scores = []
    for region, drawn, predicted_region in zip(regions, reference, predicted, strict=True):
        with control.part(region) as part:
            scores.append(_score_region(pair, region, drawn, predicted_region, part))
    return tuple(scores)


def _score_region(
    pair: MaskPair, region: str, drawn: Mask, predicted_region: Mask, control: Control
) -> CaseScore:
    spacing = pair.spacing_mm
    slices = score_slices(
        drawn, predicted_region, None if spacing is None else spacing[1] * spacing[2]
    )
    control.check()
    surface = score_surface(drawn, predicted_region, spacing, in_plane=pair.sparse)
    control.check()
    lesions = None if pair.sparse else score_lesions(drawn, predicted_region, spacing)
    counts = count_overlap(drawn, predicted_region)
    return CaseScore(
        pair.case, pair.patient, region, counts, slices, pair.voxel_ml, surface, lesions
    )
