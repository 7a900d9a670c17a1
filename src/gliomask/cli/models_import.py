"""``gliomask models import``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.import_model import ImportOptions


def run(options: ImportOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.import_model import import_model

    with render.control() as control:
        result = import_model(options, control)
    if json:
        render.as_json(result)
        return
    render.lines(
        f"{result.name}: {result.network} for {', '.join(result.sequences)}, {result.size} pixels",
        f"from {result.layout}; layers {result.evidence}",
        f"batch norms with epsilon {result.norm_epsilon:g}",
        *result.notes,
        f"{result.out}; for research use only",
    )


COMMAND = Command(
    name="models import",
    module="import_model",
    help="Import weights of another program. Makes a model folder of Keras, ONNX or PyTorch files.",
    options="ImportOptions",
    run=run,
    typed={
        "file": Typed(metavar="FILE", argument=True),
        "sequences": Typed(metavar="NAME,NAME,...", commas=True),
        "regions": Typed(metavar="NAME,NAME,...", commas=True),
        "sides": Typed(metavar="N,N,...", commas=True),
    },
)
