"""Results of a benchmark as text, Markdown or JSON."""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Cell = str | int | float | None
"""None and NaN are shown as a dash."""


@dataclass(frozen=True)
class Table:
    """Rows under columns; every row has a cell for each column."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.title}: a row of another length than the columns")


@dataclass(frozen=True)
class Report:
    """Results of a run of a benchmark.

    Attributes:
        machine: facts by name.
        tables: measurements.
        notes: remarks on the tables.
    """

    machine: Mapping[str, object]
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()


def benchmark_parser(about: str | None) -> argparse.ArgumentParser:
    """A parser with the first line of a docstring as description, and the options of ``output``."""
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    add_outputs(parser)
    return parser


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``output``."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")


def run_and_output(
    run: Callable[[argparse.Namespace, Path], Report], options: argparse.Namespace
) -> None:
    """Runs a benchmark with a temporary folder, and outputs its report."""
    with tempfile.TemporaryDirectory() as place:
        output(run(options, Path(place)), options)


def output(report: Report, options: argparse.Namespace) -> None:
    """Prints a report, and writes it as JSON to ``--json``."""
    if options.json is not None:
        options.json.write_text(as_json(report), encoding="utf-8")
    print(as_markdown(report) if options.markdown else as_text(report))


def as_text(report: Report) -> str:
    """A report as plain text."""
    parts = [f"{name}: {_fact(value)}" for name, value in report.machine.items()]
    for table in report.tables:
        lines = [table.columns, *([shown(cell) for cell in row] for row in table.rows)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(table.columns))]
        parts += ["", table.title, *(_aligned(line, widths) for line in lines)]
    return "\n".join([*parts, "", *report.notes]).rstrip()


def as_markdown(report: Report) -> str:
    """A report as Markdown."""
    parts = ["Machine: " + "; ".join(f"{k} {_fact(v)}" for k, v in report.machine.items()) + "."]
    for table in report.tables:
        parts += ["", f"{table.title}:", "", _bar(table.columns)]
        parts.append("|" + "---|" * len(table.columns))
        parts += [_bar([shown(cell) for cell in row]) for row in table.rows]
    return "\n".join([*parts, "", *(f"- {note}" for note in report.notes)]).rstrip()


def as_json(report: Report) -> str:
    """A report as JSON: the cells unrounded, NaN as null."""
    tables = [
        {
            "title": table.title,
            "rows": [dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows],
        }
        for table in report.tables
    ]
    content = {"machine": dict(report.machine), "tables": tables, "notes": list(report.notes)}
    return json.dumps(content, indent=1, default=str) + "\n"


def shown(cell: Cell) -> str:
    """A cell with three significant digits."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or cell == 0:
        return f"{cell:,.0f}"
    digits = 2 - math.floor(math.log10(abs(cell)))
    if digits > 6:
        return f"{cell:.1e}"
    return f"{cell:,.{max(0, digits)}f}"


def _plain(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _fact(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells in columns: the first aligned left, figures aligned right."""
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])


def _bar(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
