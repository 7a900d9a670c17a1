"""DICOM studies as cases: every series looked at, the sequences among them chosen, the rest said.

Of several series of one sequence the one with the most slices is taken, of equal ones that with
the finest voxels, then the one that was made first (by its number).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gliomask.core.case import Case, patient_key, safe_name, tcga_site
from gliomask.core.geometry import axis_codes, spacing_mm, voxel_ml
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.dicom_files import files_below
from gliomask.datasets.find import is_synthetic, unique
from gliomask.datasets.layout import Problem
from gliomask.datasets.sequences import Recognition, agent, recognise
from gliomask.errors import LayoutError
from gliomask.formats.archive import unpacked
from gliomask.formats.dicom.series import RefusedSeries, Series, survey_files
from gliomask.formats.dicom.tags import SeriesTags

SOURCE = "dicom"
MIN_SLICES = 5
"""With fewer a series shows too little of a brain: it is a localizer or a part."""


@dataclass(frozen=True)
class SeriesAudit:
    """What is known of one series, for people.

    Attributes:
        patient, study, series: PatientID, StudyInstanceUID and a label (number and description).
        study_date, study_description: of the study, as they stand there.
        description: of the series; empty if it has none.
        sequence: that it was recognised as, None if as none.
        evidence: for it, a phrase.
        axes: in which columns, rows and slices run, e.g. ``LPS``; empty if it is no volume.
        shape: (I, J, K); spacing_mm: along them; None if it is no volume.
        slice_thickness_mm: as the header has it; it may differ from the spacing.
        contrast: the agent that the header names, empty if none.
        problems: why it isn't used, or what else to know; one line each.
        used: whether a case has it.
    """

    patient: str
    study: str
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


@dataclass(frozen=True)
class DicomStudies:
    """What was found.

    Attributes:
        cases: a case for each study with a sequence; ids unique.
        problems: the studies without one, and files that belong to none.
        audits: every series, used or not.
        skipped: files that are no DICOM image.
    """

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]
    audits: tuple[SeriesAudit, ...]
    skipped: int


@contextmanager
def dicom_studies(place: Path) -> Iterator[DicomStudies]:
    """The studies in a folder or a zip archive, which stays unpacked while the block runs.

    Raises:
        FormatError: no archive, or one that breaks the rules (``formats.archive``).
        LayoutError: no such folder, or no DICOM in it.
        MachineError: the disk failed or is full.
    """
    with unpacked(place) as folder:
        yield find_dicom_studies(folder)


def find_dicom_studies(folder: Path) -> DicomStudies:
    """The studies in a folder and all folders below it.

    Raises:
        LayoutError: no such folder, or no DICOM in it.
        MachineError: the disk failed.
    """
    found = studies_of_files(files_below(folder), synthetic=is_synthetic(folder))
    if not found.audits and not found.problems:
        what = f"no DICOM among {found.skipped} files"
        raise LayoutError(what, path=folder)
    return found


def studies_of_files(paths: Sequence[Path], *, synthetic: bool = False) -> DicomStudies:
    """The studies that files belong to; those that are no DICOM are counted."""
    survey = survey_files(paths)
    studies: dict[tuple[str, str], _Study] = {}
    unreadable = []
    for one in survey.refused:
        if not one.tags.series_uid and not one.tags.study_uid:
            unreadable.append(one)
        else:
            _study(studies, one.tags).refused.append(one)
    for series in survey.series:
        _study(studies, series.tags).series.append(series)
    results = [_result(study, synthetic) for study in studies.values()]
    cases = unique(case for result in results for case in result.cases)
    problems = [problem for result in results for problem in result.problems]
    problems += [Problem(one.files[0].name, one.reason) for one in unreadable]
    audits = [audit for result in results for audit in result.audits]
    return DicomStudies(cases, tuple(problems), tuple(audits), survey.skipped)


@dataclass(frozen=True)
class _Study:
    series: list[Series]
    refused: list[RefusedSeries]


def _study(studies: dict[tuple[str, str], _Study], tags: SeriesTags) -> _Study:
    return studies.setdefault((tags.patient_id, tags.study_uid), _Study([], []))


def _result(study: _Study, synthetic: bool) -> DicomStudies:
    """The case of one study, if it has a sequence, and the audits of all its series."""
    seen = [_Seen(series, _recognised(series)) for series in study.series]
    chosen = _choose(seen)
    audits = [_audit(one, chosen) for one in seen] + [_refusal(one) for one in study.refused]
    tags = (study.series or study.refused)[0].tags
    name = _name(tags)
    if not chosen:
        reasons = "; ".join(f"{a.series}: {a.problems[0]}" for a in audits)
        return DicomStudies((), (Problem(name, f"no sequence: {reasons}"),), tuple(audits), 0)
    case = Case(
        id=name,
        patient=patient_key(tags.patient_id) if tags.patient_id else name,
        images={s: chosen[s].series.image for s in SEQUENCES if s in chosen},
        source=SOURCE,
        site=tcga_site(tags.patient_id),
        synthetic=synthetic,
        notes=_notes(chosen, audits),
    )
    return DicomStudies((case,), (), tuple(audits), 0)


@dataclass(frozen=True, eq=False)
class _Seen:
    series: Series
    recognition: Recognition


def _recognised(series: Series) -> Recognition:
    found, slices = recognise(series.tags), series.shape[2]
    if found.sequence and slices < MIN_SLICES:
        reason = f"only {slices} slices (allowed {MIN_SLICES} and more)"
        return Recognition(None, found.evidence, reason)
    return found


def _choose(seen: Iterable[_Seen]) -> dict[str, _Seen]:
    """Sequence -> the series to use, by the rule at the top of this file."""
    chosen: dict[str, _Seen] = {}
    for one in sorted(seen, key=_rank):
        if one.recognition.sequence:
            chosen.setdefault(one.recognition.sequence, one)
    return chosen


def _rank(one: _Seen) -> tuple[int, float, int, str]:
    tags = one.series.tags
    number = int(tags.series_number) if tags.series_number.isdecimal() else 0
    return -one.series.shape[2], round(voxel_ml(one.series.affine), 9), number, tags.series_uid


def _audit(one: _Seen, chosen: dict[str, _Seen]) -> SeriesAudit:
    series, found = one.series, one.recognition
    best = chosen.get(found.sequence) if found.sequence else None
    problems = [*series.notes]
    if found.rejected:
        problems.insert(0, found.rejected)
    elif best is not None and best is not one:
        problems.insert(0, f"{best.series.tags.label} is used for {found.sequence} instead")
    return _with_tags(
        series.tags,
        sequence=found.sequence,
        evidence="; ".join(found.evidence),
        series=series,
        problems=tuple(problems),
        used=best is one,
    )


def _refusal(one: RefusedSeries) -> SeriesAudit:
    return _with_tags(one.tags, problems=(one.reason,))


def _with_tags(
    tags: SeriesTags,
    *,
    problems: tuple[str, ...],
    series: Series | None = None,
    sequence: str | None = None,
    evidence: str = "",
    used: bool = False,
) -> SeriesAudit:
    return SeriesAudit(
        patient=tags.patient_id,
        study=tags.study_uid,
        series=tags.label,
        study_date=tags.study_date,
        study_description=tags.study_description,
        description=tags.description,
        sequence=sequence,
        evidence=evidence,
        axes=axis_codes(series.affine) if series else "",
        shape=series.shape if series else None,
        spacing_mm=spacing_mm(series.affine) if series else None,
        slice_thickness_mm=tags.slice_thickness,
        contrast=agent(tags),
        problems=problems,
        used=used,
    )


def _notes(chosen: dict[str, _Seen], audits: Iterable[SeriesAudit]) -> tuple[str, ...]:
    """What was taken for which sequence and why, what was not, and whether all lie in one space."""
    used = [
        f"{s} is {chosen[s].series.tags.label}: {'; '.join(chosen[s].recognition.evidence)}"
        for s in SEQUENCES
        if s in chosen
    ]
    left = [f"{a.series} is not used: {a.problems[0]}" for a in audits if not a.used]
    spaces = {one.series.tags.frame_of_reference for one in chosen.values()}
    moved = ["the series don't share a frame of reference: the patient may have moved"]
    return (*used, *left, *(moved if len(spaces) > 1 else ()))


def _name(tags: SeriesTags) -> str:
    """A name for the case: patient and date, as far as they are told."""
    told = [part for part in (tags.patient_id, tags.study_date) if part]
    return safe_name("_".join(told) or f"study-{tags.study_uid[-12:]}")
