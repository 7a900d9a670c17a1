"""Result of ``predict``, for display, programs and ``cases.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.core.csv_table import Cell
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.errors import Failure
from gliomask.formats.case_record import CaseRecord


@dataclass(frozen=True)
class PredictResult:
    """The result of ``predict``.

    Attributes:
        out: the folder written into.
        model: its name.
        cases: their records, in the order of the inputs.
        failures: (case, reason) of those that could not be segmented.
        earlier: ids of the cases from an earlier run, whose files are kept.
    """

    out: Path
    model: str
    cases: tuple[CaseRecord, ...]
    failures: tuple[Failure, ...] = ()
    earlier: tuple[str, ...] = ()


def table_of(
    model: str,
    regions: Sequence[str],
    done: Sequence[CaseRecord],
    failures: Sequence[Failure],
) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Columns of ``cases.csv``, and a row for each examination, also for those that failed."""
    ends = ("ml", "ml_90_low", "ml_90_high", "px")
    volumes = [f"volume_{region}_{end}" for region in regions for end in ends]
    columns = ("case", "status", "reason", *volumes, "flag", "used", "missing", "model", "notice")
    end: tuple[Cell, ...] = (model, RESEARCH_USE_ONLY)
    rows: list[tuple[Cell, ...]] = []
    for record in done:
        sizes = [size for region in regions for size in _sizes(record, region)]
        flag = record.reliability.level if record.reliability else ""
        words = (flag, " ".join(record.sequences_used), " ".join(record.sequences_missing))
        rows.append((record.case, "done", "", *sizes, *words, *end))
    for case, reason in failures:
        rows.append((case, "failed", reason, *[None] * len(volumes), "", "", "", *end))
    return columns, rows


def _sizes(record: CaseRecord, region: str) -> tuple[Cell, ...]:
    low, high = record.volumes_ml_90.get(region, (None, None))
    return (record.volumes_ml or {}).get(region), low, high, record.voxels[region]
