"""``gliomask phantom``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.phantom import PhantomOptions


def run(options: PhantomOptions) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.phantom import phantom

    with render.control() as control:
        root = phantom(options, control)
    what = f"{options.patients} synthetic patients in the layout {options.layout}"
    render.lines(f"{what}: {root}")


COMMAND = Command(
    name="phantom",
    help="Make synthetic patients with masks. In the folder layout of a published data set.",
    options="PhantomOptions",
    run=run,
    typed={"out": Typed(metavar="FOLDER", argument=True), "layout": Typed(metavar="NAME")},
    extra={},
)
