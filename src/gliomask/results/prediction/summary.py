"""The result of ``predict``: its cases, for people, programs and ``cases.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gliomask.core.csv_table import Cell
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.reliability import Reliability
from gliomask.errors import Failure
from gliomask.formats.case_record import CaseRecord


@dataclass(frozen=True)
class PredictedCase:
    """One examination, done.

    Attributes:
        case: its id.
        files: written for it.
        voxels: region name -> voxels.
        volumes_ml: region name -> millilitres; None for pictures.
        used, missing: sequences.
        notes: what a person who reads the mask should know.
        volumes_ml_90: region name -> (low, high) in millilitres that nine in ten patients'
            volumes lie in; empty for pictures and where that was not measured.
        reliability: how far all this may be trusted; None if the network was asked only once.
        earlier: it was done by an earlier run, whose files stand.
        series: sequence -> the DICOM series that was used for it; empty for other files.
    """

    case: str
    files: tuple[Path, ...]
    voxels: dict[str, int]
    volumes_ml: dict[str, float] | None
    used: tuple[str, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    volumes_ml_90: dict[str, tuple[float, float]]
    reliability: Reliability | None
    earlier: bool
    series: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PredictResult:
    """The result of ``predict``.

    Attributes:
        out: the folder written into.
        model: its name.
        cases: in the order of the inputs.
        failures: (case, reason) of those that could not be segmented.
    """

    out: Path
    model: str
    cases: tuple[PredictedCase, ...]
    failures: tuple[Failure, ...] = ()


Attempt = tuple[list[PredictedCase], list[Failure]]
"""Examinations done, and those that could not be."""


def summary_of(record: CaseRecord, out: Path, *, earlier: bool) -> PredictedCase:
    """A case by its record in a prediction folder."""
    names = (*record.files, f"{record.case}.json")
    return PredictedCase(
        case=record.case,
        files=tuple(out / name for name in sorted(names)),
        voxels=record.voxels,
        volumes_ml=record.volumes_ml,
        used=record.sequences_used,
        missing=record.sequences_missing,
        notes=record.notes,
        volumes_ml_90=record.volumes_ml_90,
        reliability=record.reliability,
        earlier=earlier,
        series={
            series.sequence: series.series
            for series in record.series
            if series.used and series.sequence
        },
    )


def table_of(
    model: str,
    regions: Sequence[str],
    done: Sequence[PredictedCase],
    failures: Sequence[Failure],
) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Columns of ``cases.csv``, and a row for each examination, also for those that failed."""
    ends = ("ml", "ml_90_low", "ml_90_high", "px")
    volumes = [f"volume_{region}_{end}" for region in regions for end in ends]
    columns = ("case", "status", "reason", *volumes, "flag", "used", "missing", "model", "notice")
    end: tuple[Cell, ...] = (model, RESEARCH_USE_ONLY)
    rows: list[tuple[Cell, ...]] = []
    for done_case in done:
        sizes = [size for region in regions for size in _sizes(done_case, region)]
        flag = done_case.reliability.level if done_case.reliability else ""
        words = (flag, " ".join(done_case.used), " ".join(done_case.missing))
        rows.append((done_case.case, "done", "", *sizes, *words, *end))
    for case, reason in failures:
        rows.append((case, "failed", reason, *[None] * len(volumes), "", "", "", *end))
    return columns, rows


def _sizes(case: PredictedCase, region: str) -> tuple[Cell, ...]:
    low, high = case.volumes_ml_90.get(region, (None, None))
    return (case.volumes_ml or {}).get(region), low, high, case.voxels[region]
