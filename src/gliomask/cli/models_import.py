"""``gliomask models import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    file: Annotated[Path, typer.Argument(help="Weights of a U²-Net: Keras, ONNX or PyTorch.")],
    out: Annotated[Path, typer.Option(help="The model folder to make.")],
    sequences: Annotated[
        str | None,
        typer.Option(help="Sequences of the input channels, in order: t1ce,t2."),
    ] = None,
    regions: Annotated[
        str | None, typer.Option(help="What the output channels mark: whole, core, enhancing.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Side of the input in pixels.")] = None,
    sides: Annotated[
        str | None,
        typer.Option(help="Order of the side outputs, if a Keras file does not tell: 1,2,3,4,5,6."),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Of the weights.")] = None,
    trained_on: Annotated[str | None, typer.Option(help="The data of their training.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Make a model folder of another program's weights: Keras .h5 or .keras, ONNX, .pth."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.import_model import ImportOptions, import_model

    given = {
        "file": file,
        "out": out,
        "sequences": _listed(sequences),
        "regions": _listed(regions),
        "size": size,
        "sides": _listed(sides),
        "licence": licence,
        "trained_on": trained_on,
    }
    result = import_model(build(ImportOptions, given, "models import"))
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


def _listed(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(","))
