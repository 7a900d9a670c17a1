"""``gliomask evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gliomask.cli.labels import AUTO, LabelsOption
from gliomask.cli.places import place_for

if TYPE_CHECKING:
    from gliomask.workflows.evaluate import EvaluateResult


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("evaluate")(run)


def run(
    source: Annotated[Path, typer.Argument(help="A store, or data in any known layout.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A run folder, or a model of `gliomask models` (default: u2netp-lgg); several run "
            "folders for the folds of a cross-validation."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write (default: SOURCE-by-MODEL, here).")
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="Of a store: train, validation, test (default) or all.")
    ] = None,
    fold: Annotated[int | None, typer.Option(help="Of a store, instead of its hold-out.")] = None,
    labels: LabelsOption = AUTO,
    figures: Annotated[int, typer.Option(help="Cases to draw, from the worst to the best.")] = 6,
    table: Annotated[Path | None, typer.Option(help="A table of patients, for --by.")] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="A column of it to group scores by; repeatable.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    engine: Annotated[
        str, typer.Option(help="auto (the fastest), mnn, openvino, onnxruntime or torch.")
    ] = "auto",
    report: Annotated[bool, typer.Option(help="Write the report and its figures too.")] = True,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Judge a model on patients: every score with its interval, a report, figures."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.errors import BatchError
    from gliomask.nets.shipped import DEFAULT
    from gliomask.workflows.evaluate import EvaluateOptions, EvaluateResult, evaluate

    models = model or [DEFAULT]
    keys = {
        "source": source,
        "model": tuple(models),
        "out": out or place_for([source], f"by-{_names(models)}"),
        "part": part,
        "fold": fold,
        "labels": labels,
        "figures": figures,
        "report": report,
        "table": table,
        "by": tuple(by or ()),
        "device": device,
        "engine": engine,
    }
    options = build(EvaluateOptions, keys, "evaluate")
    try:
        with render.control() as control:
            result = evaluate(options, control)
    except BatchError as failed:
        if isinstance(failed.result, EvaluateResult):  # the others are judged
            _show(failed.result, read=report, json=json)
        raise
    _show(result, read=report, json=json)


def _show(result: EvaluateResult, *, read: bool, json: bool) -> None:
    from gliomask.cli import render

    if json:
        render.as_json(result)
        return
    render.scores(result.what, result.summary)
    render.judged(result, read=read)
    render.lines(*(f"WARNING: {text}" for text in result.warnings))


def _names(models: list[str]) -> str:
    """Evaluations by different models have different places."""
    return "-".join(Path(model).absolute().name for model in models)
