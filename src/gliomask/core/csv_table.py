"""CSV tables that are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

Cell = str | float | int | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A CSV table (RFC 4180 quoting, ``\\n`` line ends) that is safe to open in a spreadsheet.

    Text that a spreadsheet would evaluate as a formula (it starts with ``= + - @``, a tab or a
    carriage return) is prefixed with an apostrophe. Fractions have six decimals, None is an empty
    cell.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
