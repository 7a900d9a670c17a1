"""Content of the case page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gliomask.core.regions import REGIONS
from gliomask.jobs.control import SILENT, Control
from gliomask.lesions.description import LesionReport
from gliomask.provenance.record import software
from gliomask.report.case.page import CasePage, PageTable, write_case_page
from gliomask.report.case.viewer import sequence_name
from gliomask.results.prediction.outcome import Outcome

_MOST_LESIONS = 12


def write_page(path: Path, outcome: Outcome, still: Path | None, control: Control = SILENT) -> None:
    """Write the page of a case.

    Args:
        path: of the page.
        outcome: result to show.
        still: a picture of it that is drawn already.
        control: a stop ends it between two layers.
    """
    prediction = outcome.prediction
    page = CasePage(
        prediction=prediction,
        volume=outcome.volume,
        audit=(*_audit(outcome), *_series(outcome), *_lesions(outcome)),
        timings=outcome.timings_s,
        provenance={"software": ", ".join(f"{k} {v}" for k, v in software().items())},
        still=still.read_bytes() if still else None,
    )
    write_case_page(path, page, control)


def _audit(outcome: Outcome) -> tuple[PageTable, ...]:
    """The images that were read, with notes on them."""
    rows = [(sequence_name(name), origin) for name, origin in outcome.origins.items()]
    return (PageTable("Input images", rows, note="; ".join(outcome.case.notes)),)


def _series(outcome: Outcome) -> tuple[PageTable, ...]:
    """Table of all series of a DICOM study."""
    rows = [
        (
            used_series.series,
            sequence_name(used_series.sequence) if used_series.sequence else "",
            used_series.used,
            used_series.why,
        )
        for used_series in outcome.case.series
    ]
    if not rows:
        return ()
    rows_of_series = [
        (series, kind, "used" if used else "", why) for series, kind, used, why in rows
    ]
    return (PageTable("Series of the study", rows_of_series, ("series", "taken for", "", "why")),)


def _lesions(outcome: Outcome) -> tuple[PageTable, ...]:
    """Table of the lesions of the first region, largest first."""
    region = outcome.prediction.regions[0]
    region_lesions = [lesion for lesion in outcome.lesions if lesion.region == region]
    if not region_lesions:
        return ()
    note = "Diameters in the axial plane after RANO, ± half a voxel of the outline."
    if len(region_lesions) > _MOST_LESIONS:
        note += f" {len(region_lesions) - _MOST_LESIONS} smaller ones are in the JSON file."
    columns = ("", "volume (ml)", "long × short (mm)", "measurable")
    title = f"Lesions, {REGIONS[region].title}"
    return (PageTable(title, _lesion_rows(region_lesions[:_MOST_LESIONS]), columns, note),)


def _lesion_rows(lesions: Sequence[LesionReport]) -> list[tuple[object, ...]]:
    return [
        (
            lesion.number,
            f"{lesion.volume_ml.value:.1f}",
            f"{lesion.long.length_mm:.0f} × {lesion.short.length_mm:.0f}",
            "yes" if lesion.measurable else f"no: {lesion.why_not}",
        )
        for lesion in lesions
    ]
