"""``gliomask compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.compare import CompareOptions


def run(options: CompareOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.compare import compare_evaluations

    with render.control() as control:
        result = compare_evaluations(options, control)
    if json:
        render.as_json(result)
        return
    render.comparison(result.comparison)
    render.lines(*result.notes)
    render.lines(f"written to {result.out}", f"open: {result.out / 'report.html'}")


COMMAND = Command(
    name="compare",
    help="Compare evaluations of the same patients. Shows paired differences, intervals and tests.",
    options="CompareOptions",
    run=run,
    typed={
        "evaluations": Typed(metavar="EVALUATION", argument=True),
        "metrics": Typed("--metric", metavar="NAME"),
    },
)
