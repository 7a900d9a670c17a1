"""``<case>.json``: machine-readable record of a prediction, with a fixed schema.

``docs/reference/case.schema.json`` is its schema (``schema_text``). Later runs of ``predict`` read
it to skip completed cases; ``follow`` and ``score`` read it for the mask next to it.
"""

from __future__ import annotations

import json
import re
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
        raise ValueError("not an interval")
    return ends


Millilitres = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""(low, high) of a volume."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class CaseRecord(BaseModel):
    """Record of a segmented examination."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    form: Literal["gliomask case 1"] = "gliomask case 1"
    """Format of the file."""
    notice: str = RESEARCH_USE_ONLY
    """Permitted use."""
    case: str
    """Id of the case; the files are named after it."""
    patient: str
    """Key of the patient."""
    patient_known: bool = True
    """True if the patient is known; if not, ``patient`` is a key of this case only."""
    study_date: date | None = None
    """Date of the DICOM study; null for other files, and if the header has none."""
    acquired: NaiveDatetime | None = None
    """Acquisition time of the first used series, if its DICOM header states it."""
    study_uid: str = ""
    """StudyInstanceUID of the DICOM study; empty for other files."""
    tumour_found: bool
    """Whether the mask is not empty."""
    volumes_ml: dict[str, float] | None
    """Region -> volume in ml; null for pictures, which have no voxel size."""
    volumes_ml_90: dict[str, Millilitres]
    """Region -> (low, high), the calibrated 90 % interval of the volume in ml, if available."""
    voxels: dict[str, int]
    """Region -> number of voxels."""
    intervals: dict[str, VolumeInterval]
    """Region -> interval of its volume with all details."""
    reliability: Reliability | None
    """Reliability flag; null without uncertainty estimation."""
    lesions: tuple[dict[str, Any], ...]
    """Lesions with volume, position and both RANO diameters; see docs/how-to/follow-tumours.md."""
    mask_values: dict[str, str]
    """Meaning of the numbers in the mask."""
    shape: tuple[int, int, int]
    """Shape of the mask and of the input in voxels."""
    spacing_mm: tuple[float, float, float] | None
    """Voxel size in mm; null for pictures."""
    axes: str | None
    """Directions of the voxel axes, e.g. RAS; null for pictures."""
    sequences_used: tuple[str, ...]
    """Sequences in the input of the network."""
    sequences_missing: tuple[str, ...]
    """Sequences of the model that are missing."""
    images: dict[str, str]
    """Sequence -> its files."""
    series: tuple[SeriesUse, ...]
    """Every series of the DICOM study by its number; empty for other files."""
    model: str
    """Name of the model."""
    synthetic_training: bool
    """Whether the model was trained on synthetic data."""
    synthetic_data: bool
    """Whether the examination is synthetic."""
    notes: tuple[str, ...]
    """Notes for users of the mask."""
    timings_s: dict[str, float]
    """Step -> duration in seconds."""
    files: tuple[str, ...]
    """Files written with the record."""
    checksums: dict[str, Sha256] = {}
    """File -> its SHA-256, so that an edited file is not replaced; each picture of a folder
    separately. Empty in records of earlier versions."""
    result: Sha256
    """SHA-256 of everything that the result depends on: images, model, options, versions."""
    key: Sha256
    """The same including the requested kinds of files."""
    provenance: dict[str, Any]
    """Provenance: software, versions, options."""

    def paths(self, out: Path) -> tuple[Path, ...]:
        """Files of the case in a prediction folder, including the record."""
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
    """Read the record in a JSON file; None if the file is from another tool.

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
    """Record of an earlier run; None if there is no readable one."""
    try:
        return read_record(path) if path.is_file() else None
    except (OSError, FormatError, MachineError):  # OSError: a name that is too long
        return None


def is_result(path: Path) -> bool:
    """Return True for a file that a record in the same folder lists, such as a mask."""
    ids = (path.name[: end.start()] for end in re.finditer(r"(?<=.)[._]", path.name))
    records = (existing_record(path.with_name(f"{name}.json")) for name in ids)
    return any(record is not None and path.name in record.files for record in records)


def _content(path: Path) -> bytes:
    with opened(path) as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise FormatError(f"more than {_MAX_BYTES} bytes", path=path)
    return content


def _is_ours(form: object) -> bool:
    return isinstance(form, str) and form.startswith(_FORMS)


def record_text(record: CaseRecord) -> str:
    """Text of the record."""
    return record.model_dump_json(indent=1) + "\n"


def schema_text() -> str:
    """The JSON Schema (2020-12) of records, kept in ``docs/reference/case.schema.json``."""
    return json.dumps(CaseRecord.model_json_schema(), indent=1) + "\n"
