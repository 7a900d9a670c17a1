"""``gliomask models add``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.models_add import AddOptions


def run(options: AddOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.nets.added_models import add_model

    added = add_model(options.folder, options.name)
    if json:
        render.as_json(added)
        return
    render.lines(
        f"{added.name} was added; licence: {added.licence}; for research use only",
        f"use it: gliomask predict IMAGES --model {added.name}",
    )


COMMAND = Command(
    name="models add",
    module="models_add",
    help="Add a model folder under a name, for all commands. The folder is copied.",
    options="AddOptions",
    run=run,
    typed={"folder": Typed(metavar="FOLDER", argument=True)},
)
