"""``gliomask follow``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.follow import FollowOptions


def run(options: FollowOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.follow import follow

    with render.control() as control:
        result = follow(options, control)
    if json:
        render.as_json(result)
        return
    render.courses(result.followed)
    render.lines(f"written to {result.out}", f"open: {result.out / 'follow.html'}")


COMMAND = Command(
    name="follow",
    help="Measure a patient's tumour over time. Volumes, diameters, changes, errors.",
    options="FollowOptions",
    run=run,
    typed={
        "inputs": Typed(metavar="INPUT", argument=True),
        "dates": Typed(metavar="DATE,DATE,...", commas=True),
        "labels": Typed(metavar="SCHEME"),
    },
)
