"""Table of patients: columns to group scores by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gliomask.core.identity import patient_of
from gliomask.errors import FormatError, InputError, same_with
from gliomask.formats.table import CsvTable, read_table

PATIENT = "patient"
Trait = str | float | None
"""A value of a patient: a category, a number, or None if it is not known."""


def read_traits(path: Path | None, columns: Sequence[str]) -> dict[str, dict[str, Trait]]:
    """Columns of a table of patients: patient -> column -> value.

    A column whose cells are all numbers, more than six different ones, is a number; any other is a
    category, as grades and clusters written in digits are. Cells that are empty or say NA are not
    known.

    Args:
        path: a CSV file with a column ``patient``; TCGA barcodes in any spelling.
        columns: to read, in any case.

    Raises:
        InputError: columns but no table, or a table but no columns.
        FormatError: no table, no such column, or two rows of one patient that differ.
    """
    if path is None:
        if columns:
            hint = f"name it: {same_with(('table', 'patients.csv'))}"
            raise InputError("no table of patients", option="by", found=columns[0], hint=hint)
        return {}
    table = read_table(path)
    names = [column.strip().lower() for column in columns]
    table.need(PATIENT, *names)
    if not names:
        known = ", ".join(table.columns)
        raise InputError("no column to group by", path=path, option="by", allowed=known)
    traits: dict[str, dict[str, Trait]] = {}
    read = {column: _column(table, column) for column in names}
    for index, (number, row) in enumerate(table.rows):
        patient = patient_of(row.get(PATIENT, ""))
        values = {column: cells[index] for column, cells in read.items()}
        if traits.setdefault(patient, values) != values:
            what = f"row {number} differs from an earlier one of the same patient"
            raise FormatError(what, path=path, field=PATIENT, found=patient)
    return traits


def _column(table: CsvTable, column: str) -> list[Trait]:
    cells = [row.get(column, "") for _, row in table.rows]
    known = [cell for cell in cells if not _absent(cell)]
    numbers = [_number(cell) for cell in known]
    if None in numbers or len(set(numbers)) <= _FEW:
        return [None if _absent(cell) else cell for cell in cells]
    return [None if _absent(cell) else _number(cell) for cell in cells]


_FEW = 6
"""Different numbers up to which a column counts as codes of categories."""


def _absent(cell: str) -> bool:
    return cell.lower() in ("", "na", "n/a", "nan", "none", "not available", "[not available]")


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
