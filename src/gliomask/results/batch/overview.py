"""Table and page of a batch, from the records of its cases.

Records are read one by one and only a row of each is stored, so memory does not grow with the size
of the records.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gliomask.core.atomic import write_text
from gliomask.core.csv_table import Cell
from gliomask.core.reliability import LEVELS
from gliomask.formats.case_record import CaseRecord, existing_record
from gliomask.nets.cards import ModelCard
from gliomask.report.batch.page import BatchCase, batch_page
from gliomask.results.batch.status import BatchStatus
from gliomask.results.prediction.case_table import write_case_table
from gliomask.results.prediction.summary import table_of

PAGE: Final = "batch.html"


def write_overview(status: BatchStatus, card: ModelCard) -> Path:
    """Write ``cases.csv`` and ``batch.html`` into the folder of a batch.

    Args:
        status: of all its cases.
        card: of the model.

    Returns:
        the page.
    """
    out = status.out
    columns, rows = table_of(card.name, card.regions, (), status.failed)
    cases = [BatchCase(case, "failed", remark=_bare(case, why)) for case, why in status.failed]
    cases += [BatchCase(case, "missing") for case in status.missing]
    done: list[tuple[Cell, ...]] = []
    for record in _records(status):
        cases.append(_case(record, card.regions))
        done += table_of(card.name, card.regions, (record,), ())[1]
    write_case_table(out, columns, [*done, *rows])
    write_text(out / PAGE, batch_page(cases, card.regions, card.name))
    return out / PAGE


def _records(status: BatchStatus) -> Iterator[CaseRecord]:
    for case in status.done:
        record = existing_record(status.out / f"{case}.json")
        if record is not None:  # it may have been removed since it was looked for
            yield record


def _case(record: CaseRecord, regions: tuple[str, ...]) -> BatchCase:
    flag, volumes = record.reliability, record.volumes_ml or {}
    worst = (
        max(flag.reasons, key=lambda reason: LEVELS.index(reason.level), default=None)
        if flag
        else None
    )
    page = f"{record.case}.html"
    return BatchCase(
        case=record.case,
        state="done",
        page=page if page in record.files else "",
        level=flag.level if flag else None,
        volumes_ml=tuple(volumes.get(region) for region in regions),
        intervals_ml=tuple(record.volumes_ml_90.get(region) for region in regions),
        voxels=tuple(record.voxels.get(region, 0) for region in regions),
        missing=" ".join(record.sequences_missing),
        remark=worst.text if worst and worst.level != "green" else "",
    )


def _bare(case: str, reason: str) -> str:
    return reason.removeprefix(f"{case}: ")
