"""Schema of corrections in the API."""

from __future__ import annotations

from datetime import datetime

from gliomask.formats.editable_case import EditableCase, EditableRegion
from gliomask.web.api.views import View, moment
from gliomask.web.stored_corrections import Correction, CurrentMask


class RegionView(View):
    """A region as it is drawn."""

    name: str
    """For programs."""
    title: str
    """For people."""
    number: int
    """In the mask, of voxels of no region inside it."""
    colour: str
    """As ``#RRGGBB``."""

    @classmethod
    def of(cls, region: EditableRegion) -> RegionView:
        """The view of a region."""
        return cls(**region.model_dump())


class EditableView(View):
    """A case whose mask may be corrected."""

    case: str
    """Its name."""
    number: int
    """Of the newest correction that is not withdrawn; 0 where the mask is the network's."""
    sha256: str
    """Of the newest mask: the ``base`` of a new correction."""
    layers: tuple[str, ...]
    """To download: images, probabilities, the network's mask."""
    regions: tuple[RegionView, ...]
    """Of the mask, from the outermost to the innermost."""
    voxel_ml: float
    """Of one voxel."""

    @classmethod
    def of(cls, case: EditableCase, current: CurrentMask) -> EditableView:
        """The view of a case."""
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
    """To name it by, within its job."""
    case: str
    """Whose mask it is."""
    author: str
    """Owner of the token that it was sent with."""
    created: datetime
    """When it was sent."""
    base: str
    """SHA-256 of the mask that it was drawn on."""
    sha256: str
    """Of its own mask file."""
    changes: dict[str, ChangeView]
    """Region -> what was done to it."""
    notes: tuple[str, ...]
    """What a person should know."""
    approver: str | None
    """The second reader who approved it."""
    approved: datetime | None
    """When that was."""
    withdrawn: datetime | None
    """When its author withdrew it."""

    @classmethod
    def of(cls, correction: Correction) -> CorrectionView:
        """The view of a correction."""
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
    """The owner of the token of this request: the author of corrections that are sent with it."""
    cases: tuple[EditableView, ...]
    """That may be corrected; volumes only."""
    corrections: tuple[CorrectionView, ...]
    """The oldest first."""
