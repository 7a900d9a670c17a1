"""Reader of CSV tables (also with semicolons or tabs): column -> cell for each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gliomask.errors import FormatError, nearest
from gliomask.formats.content import read_text


@dataclass(frozen=True)
class CsvTable:
    """A table with a header.

    Attributes:
        path: of its file.
        columns: its header, in lower case and without spaces around.
        rows: (row number, column -> cell), the header being row 1; cells are without spaces
            around, empty rows are left out, a short row lacks its last columns.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]

    def need(self, *columns: str) -> None:
        """Refuses a table that lacks one of these columns.

        Raises:
            FormatError: it does.
        """
        for column in columns:
            if column not in self.columns:
                raise FormatError(
                    "the table lacks a column",
                    path=self.path,
                    field="column",
                    found=column,
                    allowed=", ".join(self.columns),
                    hint=nearest(column, self.columns),
                )


def read_table(path: Path) -> CsvTable:
    """Reads a table; what separates its cells is what its header has most of.

    Raises:
        FormatError: no text, no CSV, or a column that occurs twice.
    """
    text = read_text(path)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        cells = list(reader)
    except csv.Error as problem:
        raise FormatError(f"not a CSV table: {problem}", path=path) from None
    header = tuple(cell.strip().lower() for cell in cells[0]) if cells else ()
    if len(set(header)) < len(header):
        raise FormatError("a column occurs twice", path=path, field="header", found=header)
    rows = [
        (number, {name: cell.strip() for name, cell in zip(header, row, strict=False)})
        for number, row in enumerate(cells[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
    return CsvTable(path, header, tuple(rows))
