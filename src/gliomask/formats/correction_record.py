"""``<case>_correction-<n>.json``: machine-readable record of a corrected mask."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gliomask.errors import FormatError
from gliomask.formats.content import opened

_MAX_BYTES: Final = 2**20
_FORM: Final = b"gliomask correction "
_NOTICE: Final = "For research use only"
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class RegionChangeRecord(BaseModel):
    """Change of a region by a correction, and its new volume."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    added_voxels: int
    removed_voxels: int
    added_ml: float
    removed_ml: float
    volume_ml: float


class CorrectionFields(BaseModel):
    """Properties of a corrected mask, in its record and in the server's API."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    number: int
    """Number of the correction within its job."""
    case: str
    """Case of the mask."""
    author: str
    """Author: the owner of the token that it was sent with."""
    created: datetime
    """Time of storage."""
    base: Digest
    """SHA-256 of the mask that it was drawn on."""
    sha256: Digest
    """SHA-256 of its mask file."""
    changes: dict[str, RegionChangeRecord]
    """Changes of all regions of the mask."""
    notes: tuple[str, ...]
    """Notes for users."""
    approver: str | None
    """Second reader who approved it, or null."""
    approved: datetime | None
    """Time of the approval, or null."""
    withdrawn: datetime | None
    """Time of the withdrawal by its author, or null."""


class _Heading(BaseModel):
    """First keys of the file."""

    form: Literal["gliomask correction 1"] = "gliomask correction 1"
    """Of this file."""
    notice: str = _NOTICE
    """Permitted use of the mask."""
    job: str
    """Id of the job on the server."""


class CorrectionRecord(CorrectionFields, _Heading):
    """A corrected mask. pydantic writes the fields of the last base first."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def read_correction_record(path: Path) -> CorrectionRecord | None:
    """The record in a JSON file; None if the file is something else.

    Raises:
        FormatError: too large, or a damaged record.
        MachineError: the disk failed.
    """
    with opened(path) as file:
        content = file.read(_MAX_BYTES + 1)
    if _FORM not in content:
        return None
    if len(content) > _MAX_BYTES:
        raise FormatError(f"more than {_MAX_BYTES} bytes", path=path)
    try:
        return CorrectionRecord.model_validate_json(content)
    except ValidationError as problem:
        field = ".".join(map(str, problem.errors(include_url=False)[0]["loc"])) or "form"
        raise FormatError("not the record of a correction", path=path, field=field) from None
