"""Table of patients: columns to group scores by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gliomask.core.identity import stated_patient
from gliomask.errors import FormatError, InputError, same_with
from gliomask.formats.table import CsvTable, read_table

PATIENT = "patient"
Trait = str | float | None
"""Value of a patient: a category, a number, or None if unknown."""


def read_traits(path: Path | None, columns: Sequence[str]) -> dict[str, dict[str, Trait]]:
    """Columns of a table of patients: patient -> column -> value.

    A column is numeric if all cells are numbers and more than six differ; otherwise it is a
    category, such as grades and clusters written as digits. Empty cells and NA are unknown.

    Args:
        path: a CSV file with a column ``patient``; TCGA barcodes in any spelling.
        columns: columns to read; upper and lower case are equal.

    Raises:
        InputError: columns but no table, or a table but no columns.
        FormatError: no table, a missing column, or different rows of one patient.
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
        patient = stated_patient(row.get(PATIENT, ""))
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
"""Number of different values up to which a numeric column counts as a category."""


def _absent(cell: str) -> bool:
    return cell.lower() in ("", "na", "n/a", "nan", "none", "not available", "[not available]")


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
