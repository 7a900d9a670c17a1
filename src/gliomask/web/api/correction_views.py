"""Schema of corrections in the API."""

from __future__ import annotations

from dataclasses import asdict

from gliomask.formats.correction_record import CorrectionFields
from gliomask.formats.editable_case import EditableCase, EditableRegion
from gliomask.web.api.views import View
from gliomask.web.stored_corrections import Correction, CurrentMask


class RegionView(View):
    """A region in the editor."""

    name: str
    """Identifier."""
    title: str
    """Display name."""
    number: int
    """Number in the mask of its voxels outside its inner regions."""
    colour: str
    """Colour, ``#RRGGBB``."""

    @classmethod
    def of(cls, region: EditableRegion) -> RegionView:
        """Create the view of a region."""
        return cls(**region.model_dump())


class EditableView(View):
    """A case whose mask can be corrected."""

    case: str
    """Name of the case."""
    number: int
    """Number of the newest correction that is not withdrawn; 0 for the network's mask."""
    sha256: str
    """SHA-256 of the newest mask: the ``base`` of a new correction."""
    layers: tuple[str, ...]
    """Layers for download: images, probabilities, the network's mask."""
    regions: tuple[RegionView, ...]
    """Regions of the mask, from the outermost to the innermost."""
    voxel_ml: float
    """Volume of a voxel in ml."""

    @classmethod
    def of(cls, case: EditableCase, current: CurrentMask) -> EditableView:
        """Create the view of a case."""
        return cls(
            case=case.case,
            number=current.number,
            sha256=current.sha256,
            layers=case.layers,
            regions=tuple(map(RegionView.of, case.regions)),
            voxel_ml=case.voxel_ml,
        )


class CorrectionView(CorrectionFields):
    """A correction."""

    @classmethod
    def of(cls, correction: Correction) -> CorrectionView:
        """Create the view of a correction."""
        return cls.model_validate(asdict(correction))


class CorrectionsView(View):
    """Cases of a job that can be corrected, and their corrections."""

    reader: str
    """Owner of the token of this request: the author of corrections sent with it."""
    cases: tuple[EditableView, ...]
    """Cases that can be corrected (volumes only)."""
    corrections: tuple[CorrectionView, ...]
    """Corrections, oldest first."""
