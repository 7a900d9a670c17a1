"""The row that an evaluation has for a region of a case: plain numbers, from which all follows."""

from __future__ import annotations

from dataclasses import dataclass

from gliomask.metrics.lesions import LesionScore
from gliomask.metrics.overlap_counts import Overlap
from gliomask.metrics.policy import POLICY, Score
from gliomask.metrics.slicewise import SliceScore
from gliomask.metrics.surface_distances import SurfaceScore


@dataclass(frozen=True)
class CaseScore:
    """One region of one case. Holds no arrays, so that it can be written as JSON and read back.

    Attributes:
        case, patient, region: of the score.
        overlap: its voxels counted.
        slices: the same slice by slice.
        voxel_ml: the volume of a voxel; None where the data has no millimetres.
        surface: how far apart the surfaces are; None if that was not measured.
        lesions: lesion by lesion; None if that was not measured, or could not be, for a lone
            slice does not show where a lesion ends.
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
        """Millilitres of the reference, within the annotated slices; None without millimetres."""
        return None if self.voxel_ml is None else self.overlap.reference * self.voxel_ml

    @property
    def volume_predicted_ml(self) -> float | None:
        """Millilitres of the prediction, within the annotated slices."""
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
