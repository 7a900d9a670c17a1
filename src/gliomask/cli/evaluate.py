"""``gliomask evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gliomask.cli.command import Command, Keys
from gliomask.cli.fields import Typed
from gliomask.cli.output_folders import place_for
from gliomask.config.shipped import DEFAULT

if TYPE_CHECKING:
    from gliomask.config.evaluate import EvaluateOptions
    from gliomask.workflows.evaluate import EvaluateResult


def run(options: EvaluateOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.evaluate import EvaluateResult, evaluate

    render.run_and_show(
        lambda control: evaluate(options, control),
        EvaluateResult,
        lambda result: _show(result, read=options.report, json=json),
    )


def _complete(keys: Keys) -> dict[str, Any]:
    """Default output folder: named after the source and the models."""
    models = keys.get("model", [DEFAULT])
    name = "-".join(Path(model).absolute().name for model in models)
    return {"model": models, "out": place_for([Path(keys["source"])], f"by-{name}")}


COMMAND = Command(
    name="evaluate",
    help="Evaluate a model on reference masks. Writes scores with intervals, and a report.",
    options="EvaluateOptions",
    run=run,
    typed={
        "source": Typed(metavar="SOURCE", argument=True),
        "model": Typed(metavar="MODEL", default=DEFAULT),
        "out": Typed(default="SOURCE-by-MODEL in this folder"),
        "labels": Typed(metavar="SCHEME"),
        "by": Typed(metavar="COLUMN"),
    },
    complete=_complete,
)


def _show(result: EvaluateResult, *, read: bool, json: bool) -> None:
    from gliomask.cli import render

    if json:
        render.as_json(result)
        return
    render.scores(result.what, result.summary)
    render.warnings_and_paths(result, read=read)
