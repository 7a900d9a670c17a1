"""``gliomask convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gliomask.cli.labels import AUTO, LabelsOption


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("convert")(run)


def run(
    source: Annotated[Path, typer.Argument(help="A data set in any known layout.")],
    to: Annotated[str, typer.Option(help="The layout to write: nnunet, msd or bids.")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    labels: LabelsOption = AUTO,
    sequences: Annotated[
        str | None, typer.Option(help="The channels, in order: t1,flair (default: all).")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Go on without cases that can't be used.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    folds: Annotated[int, typer.Option(help="Folds for nnU-Net.")] = 5,
    split: Annotated[
        Path | None, typer.Option(help="The split.json of a store, instead of a new split.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Write a data set as nnU-Net raw, Medical Decathlon or BIDS, with our folds."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.convert import ConvertOptions, convert

    given = {
        "source": source,
        "to": to,
        "out": out,
        "labels": labels,
        "sequences": None if sequences is None else tuple(sequences.split(",")),
        "skip_bad": skip_bad,
        "seed": seed,
        "folds": folds,
        "split": split,
    }
    with render.control() as control:
        result = convert(build(ConvertOptions, given, "convert"), control)
    if json:
        render.as_json(result)
        return
    if result.skipped:
        render.problems(result.skipped, "cases were left out")
    named = ", ".join(f"{number} {name}" for number, name in result.labels.items())
    render.lines(
        f"{result.training} cases with a mask and {result.bare} without, from {result.layout}",
        f"channels: {', '.join(result.sequences)}; labels: {named or 'none'}",
        f"licence of the data: {'; '.join(result.licences) or 'not known'}",
        f"{result.out}",
    )
