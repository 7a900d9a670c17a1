"""Reader of CSV tables (also with semicolons or tabs): column -> cell for each row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gliomask.errors import FormatError, nearest
from gliomask.formats.content import read_text

_CALLED: Final[Mapping[str, str]] = MappingProxyType(
    {",": "a comma", ";": "a semicolon", "\t": "a tab"}
)
"""Separator of cells -> its name in messages."""
_STATED: Final = re.compile(r'"?sep=([,;\t])"?[,;\t]*\r?\n', re.IGNORECASE)


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

    As spreadsheets write them, a first line ``sep=;`` may state the separator, and columns at the
    end may be empty. Columns without a name are left out.

    Raises:
        FormatError: no text, no CSV, a column that occurs twice, or a row with more cells than the
            header has names: a separator in a cell would shift the others.
    """
    text, delimiter = _separated(read_text(path))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        cells = [[cell.strip() for cell in row] for row in reader]
    except csv.Error as problem:
        raise FormatError(f"not a CSV table: {problem}", path=path) from None
    header = [name.lower() for name in cells[0][: _filled(cells[0])]] if cells else []
    columns = tuple(name for name in header if name)
    if twice := next((name for name in columns if columns.count(name) > 1), None):
        raise FormatError("a column occurs twice", path=path, field="header", found=twice)
    rows = []
    for number, row in enumerate(cells[1:], start=2):
        if (filled := _filled(row)) > len(header):
            raise FormatError(
                f"row {number} has more cells than the header",
                path=path,
                field="cells",
                found=filled,
                allowed=f"up to {len(header)}",
                hint=f"write a cell that contains {_CALLED[delimiter]} in double quotes",
            )
        if filled:
            named = zip(header, row, strict=False)
            rows.append((number, {name: cell for name, cell in named if name}))
    return CsvTable(path, columns, tuple(rows))


def path_of_cell(cell: str, folder: Path) -> Path:
    """Path that a cell states relative to a folder, also with the backslashes of Windows."""
    path = folder / cell
    with suppress(OSError):  # a name that is too long
        if path.exists():
            return path
    return folder / cell.replace("\\", "/")


def _separated(text: str) -> tuple[str, str]:
    """The text of a table without a line that states its separator, and the separator."""
    if stated := _STATED.match(text):
        return text[stated.end() :], stated[1]
    return text, max(_CALLED, key=text.partition("\n")[0].count)


def _filled(row: Sequence[str]) -> int:
    """Number of cells of a row up to the last one that is not empty."""
    return max((place for place, cell in enumerate(row, start=1) if cell), default=0)
