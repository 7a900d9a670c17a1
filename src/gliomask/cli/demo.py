"""``gliomask demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("demo")(run)


def run(
    out: Annotated[Path, typer.Option(help="A new folder, or that of an earlier demo.")] = Path(
        "demo"
    ),
    patients: Annotated[int, typer.Option(min=8, help="Synthetic patients.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Of the cohort.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Do the whole job on synthetic patients: prepare, train, evaluate, predict."""
    from gliomask.cli import render
    from gliomask.workflows.demo import DemoOptions, demo

    with render.control() as control:
        result = demo(DemoOptions(out=out, patients=patients, seed=seed), control)
    if json:
        render.as_json(result)
        return
    train, validation, test = result.patients
    minutes = sum(result.seconds.values()) / 60
    render.lines(
        f"synthetic patients: {train} to train on, {validation} to choose on, {test} to test on",
        f"Dice of the {test} held-out patients: {result.test_dice:.3f}, "
        f"of a new one: {result.new_dice:.3f}; {minutes:.1f} minutes",
        "look at",
        *(f"  {path}  {word}" for path, word in result.look_at),
        "All of it is synthetic and for research use only.",
    )
