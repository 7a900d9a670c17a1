"""``cases.csv`` of a prediction folder: a row for every case with a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gliomask.core.atomic import write_text
from gliomask.core.csv_table import Cell, csv_text
from gliomask.errors import FormatError
from gliomask.formats.table import read_table

TABLE = "cases.csv"


def write_case_table(out: Path, columns: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> None:
    """Write the rows of a run, after those of earlier runs whose results still exist.

    Args:
        out: the folder.
        columns: the first is the case.
        rows: of this run; they replace earlier ones of the same cases. Columns that only earlier
            rows have come last.
    """
    names = {str(row[0]) for row in rows}
    earlier = [row for row in _earlier(out / TABLE) if _stands(out, row.get("case", ""), names)]
    every = tuple(dict.fromkeys((*columns, *(name for row in earlier for name in row))))
    earlier_rows = [tuple(row.get(name, "") for name in every) for row in earlier]
    blank = ("",) * (len(every) - len(columns))
    write_text(out / TABLE, csv_text(every, [*earlier_rows, *((*row, *blank) for row in rows)]))


def _earlier(path: Path) -> list[Mapping[str, str]]:
    """The rows of a table that is there; what is no table is replaced."""
    if not path.is_file():
        return []
    try:
        return [row for _, row in read_table(path).rows]
    except FormatError:
        return []


def _stands(out: Path, case: str, done: set[str]) -> bool:
    """True for a case of an earlier run that has its record in the folder, and no new row."""
    plain = bool(case) and Path(case).name == case
    return plain and case not in done and (out / f"{case}.json").is_file()
