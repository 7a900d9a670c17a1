"""``gliomask phantom``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("phantom")(run)


def run(
    out: Annotated[Path, typer.Argument(help="The folder to make.")],
    layout: Annotated[str, typer.Option(help="The data set whose layout to write.")] = "brats",
    patients: Annotated[int, typer.Option(min=1, help="How many.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same cohort.")] = 0,
) -> None:
    """Make a synthetic cohort, labelled, in the layout of a published data set."""
    from gliomask.cli import render
    from gliomask.workflows.phantom import PhantomOptions, phantom

    options = PhantomOptions(out=out, layout=layout, patients=patients, seed=seed)
    with render.control() as control:
        made = phantom(options, control)
    render.lines(f"{patients} synthetic patients in the layout {layout}: {made}")
