"""Result of a fault as a row of a table: the fault, the expected and the actual outcome."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import load
from benchmarks.tables import Report, Table, benchmark_parser, run_and_output

_COLUMNS = ("row", "fault", "expected", "result", "as expected")


@dataclass(frozen=True)
class Row:
    """A fault.

    Attributes:
        id: of the row; fault, expected, result: in words and figures; good: as expected.
    """

    id: str
    fault: str
    expected: str
    result: str
    good: bool


def report(title: str, rows: Sequence[Row], notes: Sequence[str] = ()) -> Report:
    """The rows as a table, with the load of the machine at the end."""
    cells = tuple(
        (row.id, row.fault, row.expected, row.result, "yes" if row.good else "NO") for row in rows
    )
    return Report({"load": load()}, (Table(title, _COLUMNS, cells),), tuple(notes))


def run(
    about: str | None,
    measure: Callable[[argparse.Namespace, Path], Report],
    **numbers: int | float,
) -> None:
    """The command line of a program of this folder.

    Args:
        about: its docstring; measure: what it does, in an empty folder.
        numbers: options that are numbers, with their defaults.
    """
    parser = benchmark_parser(about)
    for name, value in numbers.items():
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"default {value}")
    parser.add_argument("--study", type=Path, help="folder of one case; else a synthetic one")
    run_and_output(measure, parser.parse_args())
