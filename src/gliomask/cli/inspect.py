"""``gliomask inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed
from gliomask.core.counted import counted

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
        inspection = inspect(options, control)
    if json:
        render.as_json(inspection)
    elif inspection.layout == EXAMINATIONS:
        _examinations(inspection)
    else:
        _data_set(inspection)
    if inspection.table is not None and not json:
        render.problems(inspection.table_notes, "without a mask in the table")
        render.lines(f"written to {inspection.table}: check it, then gliomask prepare it")
    if inspection.problems:
        if not json:
            render.problems(inspection.problems, "can't be used")
        raise typer.Exit(code=0 if inspection.cases else 2)


COMMAND = Command(
    name="inspect",
    help="Check data before use. Shows its content, its problems, and the images for predict.",
    options="InspectOptions",
    run=run,
    typed={
        "paths": Typed(metavar="PATH", argument=True),
        "series": Typed(metavar="SEQUENCE=SERIES"),
        "labels": Typed(metavar="SCHEME"),
        "table": Typed(metavar="FILE"),
    },
)


def _data_set(inspection: Inspection) -> None:
    from gliomask.cli import render

    named = any(case.patient != case.case for case in inspection.cases)
    render.table(
        f"{inspection.paths[0]}: {inspection.layout}",
        ["case", "patient", "site", "sequences", "grid", "mm", "axes", "mask", "notes"],
        [_row(case, named=named) for case in inspection.cases],
    )
    render.lines(*inspection.explanation, *_summary(inspection))


def _examinations(inspection: Inspection) -> None:
    from gliomask.cli import render

    title = ", ".join(str(path) for path in inspection.paths)
    render.grouped_table(title, _SERIES, [_series_row(audit) for audit in inspection.series])
    render.lines(*inspection.explanation, *_counts(inspection))
    if inspection.cases:
        render.lines("predict would use")
    by_name = {audit.case for audit in inspection.series if not audit.series_uid}
    for case in inspection.cases:
        uses = ", ".join(f"{sequence} = {what}" for sequence, what in case.uses.items())
        render.lines(f"  {case.case}: {uses}")
        if case.case in by_name:
            render.lines(*(f"    {note}" for note in case.notes))


def _series_row(audit: SeriesAudit) -> list[object]:
    spacing, thick = _times(audit.spacing_mm), audit.slice_thickness_mm
    return [
        audit.patient or "unknown",
        audit.study_date,
        audit.series,
        audit.sequence or "none",
        "used" if audit.used else "not used",
        audit.contrast,
        audit.axes,
        _times(audit.shape),
        f"{spacing} mm" if spacing else "",
        "" if thick is None else f"{thick:.4g} mm thick",
        audit.evidence,
        "; ".join(audit.problems),
    ]


def _times(numbers: tuple[float, ...] | None) -> str:
    return " x ".join(f"{n:.4g}" for n in numbers) if numbers else ""


def _row(case: CaseReport, *, named: bool) -> list[object]:
    """Cells of a case; that of the patient is empty unless patients have names of their own."""
    spacing = " x ".join(f"{mm:g}" for mm in case.spacing_mm) if case.spacing_mm else "unknown"
    masked = "yes" if case.masked else "no"
    return [
        case.case,
        case.patient if named else "",
        case.site,
        " ".join(case.sequences),
        " x ".join(str(n) for n in case.grid),
        spacing,
        case.axes,
        masked if case.tumour_voxels is None else f"{case.tumour_voxels} voxels",
        "; ".join(case.notes),
    ]


def _counts(inspection: Inspection) -> list[str]:
    patients = {audit.patient for audit in inspection.series}
    studies = {(audit.patient, audit.study or audit.case) for audit in inspection.series}
    depth = "every voxel was read" if inspection.full else "headers only; --full reads every voxel"
    what = ", ".join(
        (
            counted(len(patients), "patient"),
            counted(len(studies), "study", "studies"),
            f"{len(inspection.series)} series",
        )
    )
    return [f"{what} ({depth})", *(["all data is synthetic"] if inspection.synthetic else [])]


def _summary(inspection: Inspection) -> list[str]:
    patients = {case.patient for case in inspection.cases}
    masked = sum(case.masked for case in inspection.cases)
    sequences = sorted({" ".join(case.sequences) for case in inspection.cases})
    depth = "every voxel was read" if inspection.full else "headers only; --full reads every voxel"
    return [
        f"{counted(len(inspection.cases), 'case')} of {counted(len(patients), 'patient')}, "
        f"{masked} with a mask ({depth})",
        *(
            f"{sum(' '.join(c.sequences) == s for c in inspection.cases)} with {s}"
            for s in sequences
        ),
        *(f"licence of the data: {licence}" for licence in inspection.licences),
        *(["all data is synthetic"] if inspection.synthetic else []),
    ]
