"""``gliomask models remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.models_add import RemoveOptions


def run(options: RemoveOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.nets.added_models import remove_model

    folder = remove_model(options.name)
    if json:
        render.as_json({"removed": str(folder)})
        return
    render.lines(f"{options.name} was removed")


COMMAND = Command(
    name="models remove",
    module="models_add",
    help="Remove a model that was added. Included models stay.",
    options="RemoveOptions",
    run=run,
    typed={"name": Typed(metavar="NAME", argument=True)},
)
