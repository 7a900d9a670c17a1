"""``gliomask export``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.export import ExportOptions


def run(options: ExportOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.export import export

    with render.control() as control:
        result = export(options, control)
    if json:
        render.as_json(result)
        return
    files = " and ".join(result.sha256)
    render.lines(f"{result.model} as {files}, with run.py: {result.out}; for research use only")


COMMAND = Command(
    name="export",
    help="Export a model to run without gliomask. One ONNX graph, images to mask.",
    options="ExportOptions",
    run=run,
    typed={"model": Typed(metavar="MODEL", argument=True)},
)
