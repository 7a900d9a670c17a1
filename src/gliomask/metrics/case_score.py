"""Scores of a region of a case, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

from gliomask.metrics.lesions import LesionScore
from gliomask.metrics.overlap_counts import Overlap
from gliomask.metrics.policy import POLICY, Score
from gliomask.metrics.slicewise import SliceScore
from gliomask.metrics.surface_distances import SurfaceScore


@dataclass(frozen=True)
class CaseScore:
    """Scores of a region of a case. Contains no arrays, so it can be stored as JSON.

    Attributes:
        case, patient, region: identification of the row.
        overlap: voxel counts.
        slices: the same for each slice.
        voxel_ml: volume of a voxel; None without millimetres.
        surface: surface distances; None if not measured.
        lesions: lesion-wise scores; None if not measured, or for single slices, which do not show
            where a lesion ends.
    """

    case: str
    patient: str
    region: str
    overlap: Overlap
    slices: SliceScore
    voxel_ml: float | None
    surface: SurfaceScore | None = None
    lesions: LesionScore | None = None

    @property
    def volume_reference_ml(self) -> float | None:
        """Reference volume in ml, within the annotated slices; None without millimetres."""
        return None if self.voxel_ml is None else self.overlap.reference * self.voxel_ml

    @property
    def volume_predicted_ml(self) -> float | None:
        """Predicted volume in ml, within the annotated slices."""
        return None if self.voxel_ml is None else self.overlap.predicted * self.voxel_ml

    @property
    def volume_error_ml(self) -> Score:
        """Predicted minus reference volume; None without millimetres or if both are empty."""
        voxel, counts = self.voxel_ml, self.overlap
        if voxel is None:
            return None
        return POLICY.settle_difference(
            counts.reference,
            counts.predicted,
            lambda: (counts.predicted - counts.reference) * voxel,
        )
