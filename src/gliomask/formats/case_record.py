"""``<case>.json``: the record of a prediction, for programs, in a form that is fixed and checked.

``docs/reference/case.schema.json`` is its schema (``schema_text``). A later run of ``predict``
reads it to see what is done already; ``follow`` and ``score`` read it for the masks beside it.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NaiveDatetime, ValidationError

from gliomask.core.case import SeriesUse
from gliomask.core.prediction import RESEARCH_USE_ONLY, VolumeInterval
from gliomask.core.reliability import Reliability
from gliomask.errors import FormatError, MachineError
from gliomask.formats.content import opened

_MAX_BYTES = 2**24
_FORMS = "gliomask case "
_AGAIN = "predict the examination again"


def _ordered(ends: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= ends[0] <= ends[1] < float("inf"):
        raise ValueError("no interval")
    return ends


Millilitres = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""(low, high) of a volume."""


class CaseRecord(BaseModel):
    """One examination, segmented."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    form: Literal["gliomask case 1"] = "gliomask case 1"
    """Of this file."""
    notice: str = RESEARCH_USE_ONLY
    """What it may be used for."""
    case: str
    """Its id; the files are named after it."""
    patient: str
    """The key that examinations of one person share."""
    study_date: date | None = None
    """Of the DICOM study; null for other files, and if the header has none."""
    acquired: NaiveDatetime | None = None
    """When the first series that was used was acquired, if its DICOM header states it."""
    tumour_found: bool
    """Whether anything is in the mask."""
    volumes_ml: dict[str, float] | None
    """Region -> millilitres; null for pictures, which have no voxel size."""
    volumes_ml_90: dict[str, Millilitres]
    """Region -> (low, high) that nine in ten patients' volumes lie in, where that was measured."""
    voxels: dict[str, int]
    """Region -> voxels."""
    intervals: dict[str, VolumeInterval]
    """Region -> all that is known of its volume's interval."""
    reliability: Reliability | None
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
    series: tuple[SeriesUse, ...]
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

    def paths(self, out: Path) -> tuple[Path, ...]:
        """The files of the case, and its record, in a prediction folder."""
        return tuple(out / name for name in sorted((*self.files, f"{self.case}.json")))

    @property
    def series_used(self) -> dict[str, str]:
        """Sequence -> the DICOM series that was used for it; empty for other files."""
        return {
            series.sequence: series.series
            for series in self.series
            if series.used and series.sequence
        }


def read_record(path: Path) -> CaseRecord | None:
    """The record in a JSON file; None if the file is another tool's.

    Raises:
        FormatError: it is no JSON, too large, or a record that is damaged or of another version.
        MachineError: the disk failed.
    """
    content = _content(path)
    try:
        keys = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise FormatError(f"not JSON: {problem}", path=path) from None
    if not isinstance(keys, dict) or not _is_ours(keys.get("form")):
        return None
    try:
        return CaseRecord.model_validate_json(content)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "form"
        what = f"not a case record as this version of gliomask writes them: {first['msg']}"
        raise FormatError(what, path=path, field=field, hint=_AGAIN) from None


def existing_record(path: Path) -> CaseRecord | None:
    """The record of an earlier run; None if there is none that can be read."""
    try:
        return read_record(path) if path.is_file() else None
    except (FormatError, MachineError):
        return None


def _content(path: Path) -> bytes:
    with opened(path) as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise FormatError(f"more than {_MAX_BYTES} bytes", path=path)
    return content


def _is_ours(form: object) -> bool:
    return isinstance(form, str) and form.startswith(_FORMS)


def record_text(record: CaseRecord) -> str:
    """The record as it is written."""
    return record.model_dump_json(indent=1) + "\n"


def schema_text() -> str:
    """The JSON Schema (2020-12) of records, kept in ``docs/reference/case.schema.json``."""
    return json.dumps(CaseRecord.model_json_schema(), indent=1) + "\n"
