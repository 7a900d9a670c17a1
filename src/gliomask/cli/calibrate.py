"""``gliomask calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("calibrate")(run)


def run(
    model: Annotated[str, typer.Argument(help="A run folder; its card is changed.")],
    store: Annotated[Path, typer.Argument(help="The store that it was trained on.")],
    fold: Annotated[
        list[Path] | None,
        typer.Option(help="A run folder of a fold, to measure instead; repeatable."),
    ] = None,
    mirrored: Annotated[
        bool | None,
        typer.Option(help="Let the mean with mirror images count: better, and half as fast."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Make a model's probabilities mean what they say (train does it at its end)."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.calibrate import CalibrateOptions, calibrate

    keys = {"model": model, "store": store, "folds": tuple(fold or ())}
    keys |= {"mirrored": mirrored, "device": device}
    with render.control() as control:
        result = calibrate(build(CalibrateOptions, keys, "calibrate"), control)
    if json:
        render.as_json(result)
        return
    whose = "that its folds left out" if fold else "it was chosen on"
    render.temperature(result.temperature, f"{result.patients} patients {whose}")
    render.lines(f"written to {result.model / 'card.json'}")
