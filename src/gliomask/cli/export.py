"""``gliomask export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("export")(run)


def run(
    model: Annotated[str, typer.Argument(help="A run folder, or a model of `gliomask models`.")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    to: Annotated[str, typer.Option(help="onnx or openvino.")] = "onnx",
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Make a model run without gliomask: one graph from intensities to mask, and a runner."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.export import ExportOptions, export

    options = build(ExportOptions, {"model": model, "out": out, "to": to}, "export")
    with render.control() as control:
        result = export(options, control)
    if json:
        render.as_json(result)
        return
    files = " and ".join(result.sha256)
    render.lines(f"{result.model} as {files}, with run.py: {result.out}; for research use only")
