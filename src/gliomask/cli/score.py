"""``gliomask score``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gliomask.cli.labels import AUTO, LabelsOption

if TYPE_CHECKING:
    from gliomask.workflows.score import ScoreOptions, ScoreResult


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("score")(run)


def run(
    references: Annotated[Path, typer.Argument(help="Reference masks, or data with masks.")],
    predictions: Annotated[Path, typer.Argument(help="Masks of any tool, for the same cases.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    labels: LabelsOption = AUTO,
    reference_labels: Annotated[str, typer.Option(help="--labels of the references only.")] = AUTO,
    prediction_labels: Annotated[
        str, typer.Option(help="--labels of the predictions only.")
    ] = AUTO,
    pairs: Annotated[
        Path | None, typer.Option(help="A table (reference, prediction) instead of names.")
    ] = None,
    table: Annotated[Path | None, typer.Option(help="A table of patients, for --by.")] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="A column of it to group scores by; repeatable.")
    ] = None,
    figures: Annotated[int, typer.Option(help="Cases to draw, from the worst to the best.")] = 6,
    workers: Annotated[int | None, typer.Option(help="Processes (as many as processors).")] = None,
    report: Annotated[bool, typer.Option(help="Write the report and its figures too.")] = True,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Judge masks, ours or those of any other tool."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.errors import BatchError
    from gliomask.workflows.score import ScoreOptions, ScoreResult, score

    keys = {
        "references": references,
        "predictions": predictions,
        "out": out,
        "labels": labels,
        "reference_labels": reference_labels,
        "prediction_labels": prediction_labels,
        "pairs": pairs,
        "table": table,
        "by": tuple(by or ()),
        "figures": figures,
        "report": report,
        "workers": workers,
    }
    options = build(ScoreOptions, keys, "score")
    try:
        with render.control() as control:
            result = score(options, control)
    except BatchError as failed:
        if isinstance(failed.result, ScoreResult):  # the others are judged
            _show(failed.result, options, json=json)
        raise
    _show(result, options, json=json)


def _show(result: ScoreResult, options: ScoreOptions, *, json: bool) -> None:
    from gliomask.cli import render

    if json:
        render.as_json(result)
        return
    render.scores(str(options.predictions), result.summary)
    render.lines(*result.explanation)
    render.judged(result, read=options.report)
