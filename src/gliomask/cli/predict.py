"""``gliomask predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gliomask.cli.series import SeriesOption, pairs

if TYPE_CHECKING:
    from gliomask.workflows.predict import PredictedCase


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("predict")(run)


def run(
    out: Annotated[Path, typer.Option(help="The folder to write into.")],
    model: Annotated[str, typer.Option(help="A run folder.")],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT...", help="Volumes, slices, folders of them, data sets."),
    ] = None,
    t1: Annotated[Path | None, typer.Option(help="The native T1, by hand.")] = None,
    t1ce: Annotated[Path | None, typer.Option(help="The post-contrast T1, by hand.")] = None,
    t2: Annotated[Path | None, typer.Option(help="The T2, by hand.")] = None,
    flair: Annotated[Path | None, typer.Option(help="The FLAIR, by hand.")] = None,
    series: SeriesOption = None,
    write: Annotated[str, typer.Option(help="What to write: nifti, png.")] = "nifti,png",
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write probability maps too.")
    ] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Probability from which a voxel is tumour.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Resample the other sequences to the grid of this one, e.g. flair."),
    ] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Lay the other sequences onto the reference.")
    ] = False,
    n4: Annotated[bool, typer.Option("--n4", help="Take out the coil's shading first.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Segment scans: a mask on each one's own grid, its volume, a picture."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.predict import PredictOptions, predict

    by_hand = {"t1": t1, "t1ce": t1ce, "t2": t2, "flair": flair}
    keys = {
        "inputs": inputs or [],
        "out": out,
        "model": model,
        "sequences": {name: path for name, path in by_hand.items() if path is not None},
        "series": pairs(series),
        "write": [kind.strip() for kind in write.split(",") if kind.strip()],
        "probabilities": probabilities,
        "threshold": threshold,
        "reference": reference,
        "register_series": register,
        "n4": n4,
        "device": device,
    }
    options = build(PredictOptions, keys, "predict")
    with render.progress() as progress:
        result = predict(options, progress)
    if json:
        render.as_json(result)
        return
    render.table(
        f"masks by {result.model}",
        ["case", "tumour", "sequences", "missing", "notes"],
        [_row(case) for case in result.cases],
    )
    render.lines(f"written to {result.out}, for research use only")


def _row(case: PredictedCase) -> list[object]:
    if case.volumes_ml is None:
        sizes = [f"{region} {voxels} voxels" for region, voxels in case.voxels.items()]
    else:
        sizes = [f"{region} {ml:.1f} ml" for region, ml in case.volumes_ml.items()]
    words = ", ".join(sizes) if any(case.voxels.values()) else "no tumour found"
    return [case.case, words, " ".join(case.used), " ".join(case.missing), "; ".join(case.notes)]
