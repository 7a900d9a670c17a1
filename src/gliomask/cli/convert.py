"""``gliomask convert``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed
from gliomask.core.counted import counted

if TYPE_CHECKING:
    from gliomask.config.convert import ConvertOptions


def run(options: ConvertOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.convert import convert

    with render.control() as control:
        result = convert(options, control)
    if json:
        render.as_json(result)
        return
    if result.skipped:
        render.problems(result.skipped, "omitted")
    named = ", ".join(f"{number} {name}" for number, name in result.labels.items())
    render.lines(
        f"{counted(result.training, 'case')} with a mask and {result.bare} without, "
        f"from {result.layout}",
        f"channels: {', '.join(result.sequences)}; labels: {named or 'none'}",
        f"licence of the data: {'; '.join(result.licences) or 'not known'}",
        f"{result.out}",
    )


COMMAND = Command(
    name="convert",
    help="Write a data set in another layout. As nnU-Net raw, Decathlon or BIDS, with folds.",
    options="ConvertOptions",
    run=run,
    typed={
        "source": Typed(metavar="SOURCE", argument=True),
        "labels": Typed(metavar="SCHEME"),
        "sequences": Typed(metavar="NAME,NAME,...", commas=True),
        "split": Typed(metavar="FILE"),
    },
)
