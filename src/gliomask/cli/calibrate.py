"""``gliomask calibrate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.calibrate import CalibrateOptions


def run(options: CalibrateOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.calibrate import calibrate

    with render.control() as control:
        result = calibrate(options, control)
    if json:
        render.as_json(result)
        return
    whose = "held-out patients of the folds" if options.folds else "validation patients"
    render.temperature(result.temperature, f"{result.patients} {whose}")
    render.lines(f"written to {result.model / 'card.json'}")


COMMAND = Command(
    name="calibrate",
    help="Calibrate a model's probabilities. Temperature scaling, as train does at its end.",
    options="CalibrateOptions",
    run=run,
    typed={
        "model": Typed(metavar="RUN", argument=True),
        "store": Typed(metavar="STORE", argument=True),
        "folds": Typed("--fold", metavar="RUN"),
        "missing": Typed("--missing", off="--no-missing"),
        "slice_smoothing_mm": Typed("--smooth-slices", metavar="MM"),
        "mirrored": Typed("--flip", off="--no-flip", old="--mirrored/--no-mirrored"),
    },
)
