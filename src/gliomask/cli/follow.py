"""``gliomask follow``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gliomask.cli.labels import AUTO, LabelsOption


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("follow")(run)


def run(
    inputs: Annotated[
        list[Path],
        typer.Argument(help="Folders of predict with one case each, or masks, in order of time."),
    ],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    dates: Annotated[
        str, typer.Option(help="A date for each, e.g. 2024-01-31,2024-04-30; sorts them.")
    ] = "",
    registered: Annotated[
        bool, typer.Option("--registered", help="The scans are registered: match lesions.")
    ] = False,
    labels: LabelsOption = AUTO,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Measure masks of one patient over time: volumes, diameters, changes, their errors."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.follow import FollowOptions, follow

    keys = {
        "inputs": tuple(inputs),
        "out": out,
        "dates": tuple(filter(None, dates.split(","))),
        "registered": registered,
        "labels": labels,
    }
    with render.control() as control:
        result = follow(build(FollowOptions, keys, "follow"), control)
    if json:
        render.as_json(result)
        return
    render.courses(result.followed)
    render.lines(f"written to {result.out}, to be read: {result.out / 'follow.html'}")
