"""``gliomask inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gliomask.workflows.inspect import CaseReport, Inspection


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("inspect")(run)


def run(
    path: Annotated[Path, typer.Argument(help="A folder or table in any known layout.")],
    full: Annotated[
        bool, typer.Option("--full", help="Read every voxel, not only names and headers.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Show what is there: layout, patients, sequences, orientation, spacing, problems."""
    from gliomask.cli import render
    from gliomask.workflows.inspect import InspectOptions, inspect

    with render.progress() as progress:
        found = inspect(InspectOptions(path=path, full=full), progress)
    if json:
        render.as_json(found)
        return
    render.table(
        f"{path}: {found.layout}",
        ["case", "patient", "site", "sequences", "grid", "mm", "axes", "mask", "notes"],
        [_row(case) for case in found.cases],
    )
    render.lines(*found.explanation, *_summary(found))
    render.problems(found.problems, "cases can't be used")
    if found.problems:
        raise typer.Exit(code=0 if found.cases else 2)


def _row(case: CaseReport) -> list[object]:
    spacing = " x ".join(f"{mm:g}" for mm in case.spacing_mm) if case.spacing_mm else "unknown"
    masked = "yes" if case.masked else "no"
    return [
        case.case,
        case.patient,
        case.site,
        " ".join(case.sequences),
        " x ".join(str(n) for n in case.grid),
        spacing,
        case.axes,
        masked if case.tumour_voxels is None else f"{case.tumour_voxels} voxels",
        "; ".join(case.notes),
    ]


def _summary(found: Inspection) -> list[str]:
    patients = {case.patient for case in found.cases}
    masked = sum(case.masked for case in found.cases)
    sequences = sorted({" ".join(case.sequences) for case in found.cases})
    depth = "every voxel was read" if found.full else "headers only; --full reads every voxel"
    return [
        f"{len(found.cases)} cases of {len(patients)} patients, {masked} with a mask ({depth})",
        *(f"{sum(' '.join(c.sequences) == s for c in found.cases)} with {s}" for s in sequences),
        *(f"licence of the data: {licence}" for licence in found.licences),
        *(["all of it is synthetic"] if found.synthetic else []),
    ]
