"""Audit of a DICOM series, used or not."""

from __future__ import annotations

from dataclasses import dataclass

from gliomask.core.geometry import axis_codes, spacing_mm
from gliomask.formats.dicom.series import Series
from gliomask.formats.dicom.tags import SeriesTags
from gliomask.studies.sequences import agent


@dataclass(frozen=True)
class SeriesAudit:
    """Properties of a series, for users.

    Attributes:
        patient, study, series_uid: PatientID, StudyInstanceUID and SeriesInstanceUID.
        series: its label: number and description.
        study_date, study_description: values in the headers.
        description: of the series; empty if it has none.
        sequence: recognised sequence, None if none.
        evidence: for it, a phrase.
        axes: in which columns, rows and slices run, e.g. ``LPS``; empty if it is not a volume.
        shape: (I, J, K).
        spacing_mm: along them; None if it is not a volume.
        slice_thickness_mm: as the header has it; it may differ from the spacing.
        contrast: the agent that the header names, empty if none.
        problems: reasons why it isn't used, and other remarks; one line each.
        used: whether a case has it.
        case: the id of the case that its study is, empty if it is none.
    """

    patient: str
    study: str
    series_uid: str
    series: str
    study_date: str
    study_description: str
    description: str
    sequence: str | None
    evidence: str
    axes: str
    shape: tuple[int, int, int] | None
    spacing_mm: tuple[float, float, float] | None
    slice_thickness_mm: float | None
    contrast: str
    problems: tuple[str, ...]
    used: bool
    case: str = ""


def audit_of(
    tags: SeriesTags, problems: tuple[str, ...], series: Series | None = None
) -> SeriesAudit:
    """Audit of a series that is not used; ``series`` is its volume, if it is one."""
    return SeriesAudit(
        patient=tags.patient_id,
        study=tags.study_uid,
        series_uid=tags.series_uid,
        series=tags.label,
        study_date=tags.study_date,
        study_description=tags.study_description,
        description=tags.description,
        sequence=None,
        evidence="",
        axes=axis_codes(series.affine) if series else "",
        shape=series.shape if series else None,
        spacing_mm=spacing_mm(series.affine) if series else None,
        slice_thickness_mm=tags.slice_thickness,
        contrast=agent(tags),
        problems=problems,
        used=False,
    )
