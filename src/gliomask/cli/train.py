"""``gliomask train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gliomask.workflows.train import TrainResult


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("train")(run)


def run(
    store: Annotated[Path, typer.Argument(help="Made by `gliomask prepare`.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="The run folder.")],
    recipe: Annotated[
        str | None, typer.Option(help="A name (see `gliomask models`) or a YAML file.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe.")
    ] = None,
    fold: Annotated[int | None, typer.Option(help="Leave this fold for the test.")] = None,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="Learn from all patients; the last epoch is kept.")
    ] = False,
    start: Annotated[
        Path | None, typer.Option("--from", metavar="MODEL", help="Begin with its weights.")
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="Learn from its word too, see loss.teacher."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where RUN stopped.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    devices: Annotated[int | None, typer.Option(help="On each machine.")] = None,
    nodes: Annotated[int | None, typer.Option(help="Machines.")] = None,
    workers: Annotated[int | None, typer.Option(help="Threads that prepare batches.")] = None,
    execution: Annotated[
        str, typer.Option(help="On a GPU: auto, eager, graph or compiled.")
    ] = "auto",
    calibration: Annotated[
        bool, typer.Option("--calibrate/--no-calibrate", help="At the end, see `calibrate`.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Train a network. Several processes: start with torchrun."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.train import TrainOptions, train

    keys = {
        "store": store,
        "out": out,
        "recipe": recipe,
        "changes": changes or [],
        "fold": fold,
        "everyone": everyone,
        "start": start,
        "teacher": teacher,
        "resume": resume,
        "device": device,
        "devices": devices,
        "nodes": nodes,
        "workers": workers,
        "execution": execution,
        "calibration": calibration,
    }
    options = build(TrainOptions, keys, "train")
    with render.control() as control:
        result = train(options, control)
    if not result.first:
        return
    if json:
        render.as_json(result)
        return
    render.lines(
        *result.notes,
        f"{result.epochs} epochs of recipe {result.recipe}; {_outcome(result)}",
        f"the run is {result.run}: curves in figures/, use it by --model {result.run}",
    )


def _outcome(result: TrainResult) -> str:
    if result.best_dice is None:
        return f"nobody validated, the network of epoch {result.best_epoch} is kept"
    return (
        f"best Dice {result.best_dice:.3f} over {result.patients} validation patients at the "
        f"network's resolution, in epoch {result.best_epoch}"
    )
