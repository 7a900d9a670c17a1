"""``gliomask demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command

if TYPE_CHECKING:
    from gliomask.config.demo import DemoOptions


def run(options: DemoOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.demo import demo

    with render.control() as control:
        result = demo(options, control)
    if json:
        render.as_json(result)
        return
    train, validation, test = result.patients
    minutes = sum(result.seconds.values()) / 60
    render.lines(
        f"synthetic patients: {train} for training, {validation} for validation, {test} for test",
        f"Dice of the {test} test patients: {result.test_dice:.3f}, "
        f"of a new one: {result.new_dice:.3f}; {minutes:.1f} minutes",
        "look at",
        *(f"  {path}  {word}" for path, word in result.look_at),
        "All data is synthetic and for research use only.",
    )


COMMAND = Command(
    name="demo",
    help="Run the whole pipeline on synthetic patients. Prepares, trains, evaluates and predicts.",
    options="DemoOptions",
    run=run,
    hidden=("recipe",),
)
