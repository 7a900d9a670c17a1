"""``gliomask prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gliomask.cli.labels import AUTO, LabelsOption

if TYPE_CHECKING:
    from gliomask.core.split import Split


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("prepare")(run)


def run(
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE...", help="Folders or tables, any known layout.")
    ],
    out: Annotated[Path, typer.Option(metavar="STORE", help="The store to make or go on with.")],
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Go on without cases that can't be used.")
    ] = False,
    workers: Annotated[int | None, typer.Option(help="Processes; all processors.")] = None,
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    folds: Annotated[int, typer.Option(help="Folds for cross-validation.")] = 5,
    fold_by: Annotated[
        str, typer.Option(help="size: alike in site and size; site: each tests on one site.")
    ] = "size",
    shares: Annotated[
        tuple[float, float, float], typer.Option(help="Of training, validation, test patients.")
    ] = (0.7, 0.15, 0.15),
    split: Annotated[Path | None, typer.Option(help="A split file to use.")] = None,
    patients: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A table (columns case, patient) of who is who."),
    ] = None,
    labels: LabelsOption = AUTO,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Make a store of slices, split by patient, from data in any known layout."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.prepare import PrepareOptions, prepare

    keys = {
        "sources": sources,
        "out": out,
        "skip_bad": skip_bad,
        "workers": workers,
        "seed": seed,
        "folds": folds,
        "fold_by": fold_by,
        "shares": shares,
        "split": split,
        "patients": patients,
        "labels": labels,
    }
    with render.control() as control:
        result = prepare(build(PrepareOptions, keys, "prepare"), control)
    render.problems(result.skipped, "cases left out")
    if json:
        render.as_json(
            {
                "store": result.store,
                "cases": len(result.manifest.cases),
                "patients": {name: len(ids) for name, ids in result.split.holdout.named()},
                "folds": len(result.split.folds),
                "fold_by": result.split.fold_by,
                "fold_names": result.split.fold_names,
                "sequences": result.manifest.sequences,
                "regions": result.manifest.regions,
                "made": result.made,
                "skipped": result.skipped,
            }
        )
        return
    manifest = result.manifest
    slices = sum(case.shape[0] for case in manifest.cases)
    positive = sum(sum(n > 0 for n in case.tumour_px) for case in manifest.cases)
    parts = ", ".join(f"{len(ids)} {name}" for name, ids in result.split.holdout.named())
    render.lines(
        *result.explanation,
        f"{len(manifest.cases)} cases, {slices} slices, {positive} with tumour",
        f"sequences {', '.join(manifest.sequences)}; regions {', '.join(manifest.regions)}",
        f"patients: {parts}; {_folds(result.split)}",
        f"{result.made} patients prepared now, the store is {result.store}",
        *(f"licence of the data: {licence}" for licence in manifest.licences),
        *(["all of it is synthetic"] if manifest.synthetic else []),
    )


def _folds(split: Split) -> str:
    named = f" by site ({', '.join(split.fold_names)})" if split.fold_names else ""
    return f"{len(split.folds)} folds{named}"
