"""``gliomask train``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.train import TrainOptions
    from gliomask.workflows.train import TrainResult


def run(options: TrainOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.train import train

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
        f"the run is {result.run}: curves in figures/, use it with --model {result.run}",
    )


COMMAND = Command(
    name="train",
    help="Train a network. For several processes start it with torchrun.",
    options="TrainOptions",
    run=run,
    typed={
        "store": Typed(metavar="STORE", argument=True),
        "out": Typed(metavar="RUN"),
        "recipe": Typed(metavar="RECIPE"),
        "changes": Typed("--set", metavar="KEY=VALUE"),
        "all_patients": Typed("--all-patients", old="--everyone"),
        "calibration": Typed("--calibrate"),
        "start": Typed("--from", metavar="MODEL"),
        "teacher": Typed(metavar="MODEL"),
    },
)


def _outcome(result: TrainResult) -> str:
    if result.best_dice is None:
        return f"no validation patients: the weights of epoch {result.best_epoch} are kept"
    return (
        f"best Dice {result.best_dice:.3f} over {result.patients} validation patients at the "
        f"network's resolution, in epoch {result.best_epoch}"
    )
