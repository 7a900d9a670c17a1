"""``<case>.json``: what a prediction says, for programs, in a form that is fixed and checked.

``docs/reference/case.schema.json`` is its schema (``schema_text``). A later run reads the
file to see what is done already.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.reliability import Level

_MAX_BYTES = 2**24


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class VolumeInterval(_Part):
    """Where the true volume of a region may lie."""

    voxels: tuple[float, float]
    """(low, high)."""
    ml: tuple[float, float] | None
    """The same in millilitres; null for pictures."""
    level: float | None
    """Share of patients whose true volume lies in such an interval; null if never measured."""
    patients: int
    """That the share was measured on."""
    calibrated: bool
    """Whether it was."""


class FlagReason(_Part):
    """One thing that was looked at."""

    level: Level
    code: str
    """Names it for programs."""
    text: str
    """One sentence, with the figure and what it is held against."""


class Flag(_Part):
    """How far the prediction may be trusted."""

    level: Level
    reasons: tuple[FlagReason, ...]


class StudySeries(_Part):
    """One series of the DICOM study, and what became of it."""

    series: str
    """Its number and description."""
    sequence: str | None
    """That it was taken for; null if for none."""
    used: bool
    """Whether the network saw it, or it was compared with what the network saw."""
    why: str
    """It was used, or not."""


class CaseRecord(_Part):
    """One examination, segmented."""

    form: Literal["gliomask case 1"] = "gliomask case 1"
    """Of this file."""
    notice: str = RESEARCH_USE_ONLY
    """What it may be used for."""
    case: str
    """Its id; the files are named after it."""
    patient: str
    """The key that examinations of one person share."""
    tumour_found: bool
    """Whether anything is in the mask."""
    volumes_ml: dict[str, float] | None
    """Region -> millilitres; null for pictures, which tell no millimetres."""
    volumes_ml_90: dict[str, tuple[float, float]]
    """Region -> (low, high) that nine in ten patients' volumes lie in, where that was measured."""
    voxels: dict[str, int]
    """Region -> voxels."""
    intervals: dict[str, VolumeInterval]
    """Region -> all that is known of its volume's interval."""
    reliability: Flag | None
    """The flag; null if the network was asked only once."""
    lesions: tuple[dict[str, Any], ...]
    """Each lesion with volume, place and both RANO diameters; see docs/how-to/follow-tumours.md."""
    mask_values: dict[str, str]
    """What the numbers in the mask mean."""
    shape: tuple[int, int, int]
    """Voxels of the mask, as the input's."""
    spacing_mm: tuple[float, float, float] | None
    """Their size; null for pictures."""
    axes: str | None
    """Directions of the voxel axes, e.g. RAS; null for pictures."""
    sequences_used: tuple[str, ...]
    """What the network saw."""
    sequences_missing: tuple[str, ...]
    """What it knows and did not get."""
    images: dict[str, str]
    """Sequence -> where it was read from."""
    series: tuple[StudySeries, ...]
    """Every series of the DICOM study by its number; empty for other files."""
    model: str
    """Name of the model."""
    synthetic_training: bool
    """Whether that was trained on phantoms."""
    synthetic_data: bool
    """Whether this is a phantom."""
    notes: tuple[str, ...]
    """What a person who reads the mask should know."""
    timings_s: dict[str, float]
    """Step -> seconds."""
    files: tuple[str, ...]
    """Written beside this one."""
    result: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of all that the result depends on: images, model, options, versions."""
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The same with the kinds of files that were to be written."""
    provenance: dict[str, Any]
    """What it was made with."""


def read_record(path: Path) -> CaseRecord | None:
    """The record in a file; None if there is none, or it is not whole."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        return CaseRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def record_text(record: CaseRecord) -> str:
    """The record as it is written."""
    return record.model_dump_json(indent=1) + "\n"


def schema_text() -> str:
    """The JSON Schema (2020-12) of records, kept in ``docs/reference/case.schema.json``."""
    return json.dumps(CaseRecord.model_json_schema(), indent=1) + "\n"
