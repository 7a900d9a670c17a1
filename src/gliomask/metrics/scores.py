"""Scores of a case: a row for each region, on the grid of the reference."""

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
    """Reference and predicted mask of a case.

    Attributes:
        case: its id.
        patient: key of the patient.
        reference: (S, H, W) labels of axial slices.
        predicted: (S, H, W) labels of the same slices. A mask of the region ``whole`` only may
            contain any label of that region.
        annotated: (S,) bool, annotated slices; the others are unknown and not scored. None means
            all.
        voxel_ml: volume of a voxel; None without millimetres.
        spacing_mm: voxel size along S, H and W; None without millimetres. With sheared voxels their
            product is not the volume.
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
        """Return True if neighbours of scored slices may be unscored or missing."""
        skips = self.annotated is not None and not self.annotated.all()
        return skips or self.reference.shape[0] == 1


def score_case(
    pair: MaskPair, regions: tuple[str, ...], control: Control = SILENT
) -> tuple[CaseScore, ...]:
    """Score a case: a row for each region, in order.

    In a case with unannotated slices (or a single slice) surfaces are measured within each slice,
    and lesions are not counted.

    Args:
        pair: its masks.
        regions: regions to score.
        control: receives the progress of the regions.

    Raises:
        ValueError: the masks have different shapes.
        KeyError: an unknown region.
    """
    if pair.reference.shape != pair.predicted.shape:
        raise ValueError(f"masks of shapes {pair.reference.shape} and {pair.predicted.shape}")
    annotated_slices = slice(None) if pair.annotated is None else pair.annotated
    reference = region_masks(pair.reference[annotated_slices], regions)
    predicted = region_masks(pair.predicted[annotated_slices], regions)
    control.start(len(regions), "region")
    scores = []
    for region, reference_region, predicted_region in zip(
        regions, reference, predicted, strict=True
    ):
        with control.part(region) as part:
            scores.append(_score_region(pair, region, reference_region, predicted_region, part))
    return tuple(scores)


def _score_region(
    pair: MaskPair, region: str, reference_region: Mask, predicted_region: Mask, control: Control
) -> CaseScore:
    spacing = pair.spacing_mm
    slices = score_slices(
        reference_region, predicted_region, None if spacing is None else spacing[1] * spacing[2]
    )
    control.check()
    surface = score_surface(reference_region, predicted_region, spacing, in_plane=pair.sparse)
    control.check()
    lesions = None if pair.sparse else score_lesions(reference_region, predicted_region, spacing)
    counts = count_overlap(reference_region, predicted_region)
    return CaseScore(
        pair.case, pair.patient, region, counts, slices, pair.voxel_ml, surface, lesions
    )
