"""``gliomask inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.inspect import InspectOptions
    from gliomask.studies.dicom_audit import SeriesAudit
    from gliomask.workflows.inspect import CaseReport, Inspection


_SERIES = (
    ("patient", "study"),
    ("series",),
    ("sequence", "used", "contrast"),
    ("axes", "grid", "spacing", "slices"),
    ("evidence", "problems"),
)
"""The columns of the table of series; those in one group share a column where it is narrow."""


def run(options: InspectOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.inspect import EXAMINATIONS, inspect

    with render.control() as control:
        found = inspect(options, control)
    if json:
        render.as_json(found)
    elif found.layout == EXAMINATIONS:
        _examinations(found)
    else:
        _data_set(found)
    if found.problems:
        if not json:
            render.problems(found.problems, "cases can't be used")
        raise typer.Exit(code=0 if found.cases else 2)


COMMAND = Command(
    name="inspect",
    help="Check data before use. Shows what is there, what is wrong, what predict would use.",
    options="InspectOptions",
    run=run,
    typed={
        "paths": Typed(metavar="PATH", argument=True),
        "series": Typed(metavar="SEQUENCE=SERIES"),
        "labels": Typed(metavar="SCHEME"),
    },
)


def _data_set(found: Inspection) -> None:
    from gliomask.cli import render

    render.table(
        f"{found.paths[0]}: {found.layout}",
        ["case", "patient", "site", "sequences", "grid", "mm", "axes", "mask", "notes"],
        [_row(case) for case in found.cases],
    )
    render.lines(*found.explanation, *_summary(found))


def _examinations(found: Inspection) -> None:
    from gliomask.cli import render

    title = ", ".join(str(path) for path in found.paths)
    render.grouped_table(title, _SERIES, [_series_row(one) for one in found.series])
    render.lines(*found.explanation, *_counts(found))
    if found.cases:
        render.lines("predict would use")
    by_name = {one.case for one in found.series if not one.series_uid}
    for case in found.cases:
        uses = ", ".join(f"{sequence} = {what}" for sequence, what in case.uses.items())
        render.lines(f"  {case.case}: {uses}")
        if case.case in by_name:
            render.lines(*(f"    {note}" for note in case.notes))


def _series_row(one: SeriesAudit) -> list[object]:
    spacing, thick = _times(one.spacing_mm), one.slice_thickness_mm
    return [
        one.patient or "unknown",
        one.study_date,
        one.series,
        one.sequence or "none",
        "used" if one.used else "not used",
        one.contrast,
        one.axes,
        _times(one.shape),
        f"{spacing} mm" if spacing else "",
        "" if thick is None else f"{thick:.4g} mm thick",
        one.evidence,
        "; ".join(one.problems),
    ]


def _times(numbers: tuple[float, ...] | None) -> str:
    return " x ".join(f"{n:.4g}" for n in numbers) if numbers else ""


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


def _counts(found: Inspection) -> list[str]:
    patients = {one.patient for one in found.series}
    studies = {(one.patient, one.study or one.case) for one in found.series}
    depth = "every voxel was read" if found.full else "headers only; --full reads every voxel"
    counts = [(len(patients), "patients"), (len(studies), "studies"), (len(found.series), "series")]
    told = ", ".join(f"{n} {what}" for n, what in counts)
    return [f"{told} ({depth})", *(["all of it is synthetic"] if found.synthetic else [])]


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
