"""Schema of corrections in the API."""

from __future__ import annotations

from datetime import datetime

from gliomask.formats.editable_case import EditableCase, EditableRegion
from gliomask.web.api.views import View, moment
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


class ChangeView(View):
    """Change of a region by a correction, and its new volume."""

    added_voxels: int
    removed_voxels: int
    added_ml: float
    removed_ml: float
    volume_ml: float


class CorrectionView(View):
    """A correction."""

    number: int
    """Number of the correction within its job."""
    case: str
    """Case of the mask."""
    author: str
    """Author: the owner of the token."""
    created: datetime
    """Time of the upload."""
    base: str
    """SHA-256 of the mask that it was drawn on."""
    sha256: str
    """SHA-256 of its mask file."""
    changes: dict[str, ChangeView]
    """Changes of each region."""
    notes: tuple[str, ...]
    """Notes for users."""
    approver: str | None
    """Second reader who approved it."""
    approved: datetime | None
    """Time of the approval."""
    withdrawn: datetime | None
    """Time of the withdrawal by its author."""

    @classmethod
    def of(cls, correction: Correction) -> CorrectionView:
        """Create the view of a correction."""
        return cls(
            number=correction.number,
            case=correction.case,
            author=correction.author,
            created=moment(correction.created),
            base=correction.base,
            sha256=correction.sha256,
            changes={name: ChangeView.model_validate(c) for name, c in correction.changes.items()},
            notes=correction.notes,
            approver=correction.approver,
            approved=None if correction.approved is None else moment(correction.approved),
            withdrawn=None if correction.withdrawn is None else moment(correction.withdrawn),
        )


class CorrectionsView(View):
    """Cases of a job that can be corrected, and their corrections."""

    reader: str
    """Owner of the token of this request: the author of corrections sent with it."""
    cases: tuple[EditableView, ...]
    """Cases that can be corrected (volumes only)."""
    corrections: tuple[CorrectionView, ...]
    """Corrections, oldest first."""
