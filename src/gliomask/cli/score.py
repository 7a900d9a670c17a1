"""``gliomask score``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.score import ScoreOptions
    from gliomask.workflows.score import ScoreResult


def run(options: ScoreOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.score import ScoreResult, score

    render.run_and_show(
        lambda control: score(options, control),
        ScoreResult,
        lambda result: _show(result, options, json=json),
    )


_SCHEME = Typed(metavar="SCHEME")
COMMAND = Command(
    name="score",
    help="Score masks of any tool against reference masks.",
    options="ScoreOptions",
    run=run,
    typed={
        "references": Typed(metavar="REFERENCES", argument=True),
        "predictions": Typed(metavar="PREDICTIONS", argument=True),
        "labels": _SCHEME,
        "reference_labels": _SCHEME,
        "prediction_labels": _SCHEME,
        "by": Typed(metavar="COLUMN"),
    },
)


def _show(result: ScoreResult, options: ScoreOptions, *, json: bool) -> None:
    from gliomask.cli import render

    if json:
        render.as_json(result)
        return
    render.scores(str(options.predictions), result.summary)
    render.lines(*result.explanation)
    render.warnings_and_paths(result, read=options.report)
