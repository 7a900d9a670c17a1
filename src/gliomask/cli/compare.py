"""``gliomask compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("compare")(run)


def run(
    evaluations: Annotated[
        list[Path], typer.Argument(help="Two or more folders of evaluate or score.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    metric: Annotated[
        list[str] | None, typer.Option(help="A score to compare (dice and HD95); repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of bootstrap and test.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Compare evaluations of the same patients: paired differences, intervals, tests."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.compare import CompareOptions, compare_evaluations

    keys = {
        "evaluations": tuple(evaluations),
        "out": out,
        "metrics": tuple(metric or ()),
        "seed": seed,
    }
    with render.control() as control:
        result = compare_evaluations(build(CompareOptions, keys, "compare"), control)
    if json:
        render.as_json(result)
        return
    render.comparison(result.comparison)
    render.lines(f"written to {result.out}, to be read: {result.out / 'report.html'}")
