"""LaTeX tables for papers that load ``booktabs``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

NONE = "--"
"""Text of a cell without a value: an en dash."""
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]*")
_ESCAPES = MappingProxyType(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "`": r"\textasciigrave{}",
    }
)
_LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)|(?<=[!?])(?=\\textasciigrave)")


@dataclass(frozen=True)
class FigureWithInterval:
    """A figure with its interval, shown as ``0.812 [0.790, 0.831]``.

    Attributes:
        value: the figure; None shows a dash alone.
        bounds: lower and upper; None shows the figure alone.
    """

    value: float | None
    bounds: tuple[float, float] | None


LatexCell = str | int | float | FigureWithInterval | None


@dataclass(frozen=True)
class LatexTable:
    """Content of a LaTeX table.

    Attributes:
        columns: their names.
        rows: of as many cells as there are columns.
        caption: as plain text.
        label: for ``\\ref``: letters, digits and ``: . _ -``.
        decimals: of all fractions; integers have none.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[LatexCell, ...], ...]
    caption: str
    label: str
    decimals: int = 3


def latex_table(table: LatexTable) -> str:
    """The table as a floating environment, its caption above, every text escaped.

    Columns without text are set flush right: with one number of decimals for all, the points
    stand below each other.

    Raises:
        ValueError: no columns, a row of another length, a label that LaTeX could not read, a
            number that is not finite.
    """
    if not table.columns or any(len(row) != len(table.columns) for row in table.rows):
        raise ValueError(f"not all rows have the {len(table.columns)} cells of the columns")
    if not _LABEL.fullmatch(table.label):
        raise ValueError(f"the label {table.label!r} contains other than letters, digits, : . _ -")
    turned = [[row[k] for row in table.rows] for k in range(len(table.columns))]
    sides = "".join("l" if any(isinstance(c, str) for c in cells) else "r" for cells in turned)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(table.caption)}}}",
        rf"\label{{{table.label}}}",
        rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule",
        _line([escape(name) for name in table.columns]),
        r"\midrule",
        *(_line([_cell(cell, table.decimals) for cell in row]) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands; what can't be printed becomes a space.

    Hyphens, apostrophes and commas in a row are kept from becoming a dash or a quotation mark.
    """
    printable = "".join(c if c.isprintable() else " " for c in text)
    return _LIGATURES.sub("{}", "".join(_ESCAPES.get(c, c) for c in printable))


def _line(cells: Sequence[str]) -> str:
    text = " & ".join(cells)
    # After the end of a line LaTeX takes a star or a bracket for an option of it.
    return (f"{{}}{text}" if text.startswith(("[", "*")) else text) + r" \\"


def _cell(cell: LatexCell, decimals: int) -> str:
    if isinstance(cell, str):
        return escape(cell)
    if isinstance(cell, FigureWithInterval):
        return _interval(cell, decimals)
    return NONE if cell is None else _number(cell, decimals)


def _interval(cell: FigureWithInterval, decimals: int) -> str:
    if cell.value is None or cell.bounds is None:
        return _cell(cell.value, decimals)
    low, high = (_number(bound, decimals) for bound in cell.bounds)
    return f"{_number(cell.value, decimals)} [{low}, {high}]"


def _number(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} in a table")
    text = str(value) if isinstance(value, int) else f"{value:.{decimals}f}"
    return f"$-${text[1:]}" if text.startswith("-") else text
