"""DICOM studies as cases: every series looked at, the sequences among them chosen, the rest said.

Of several series of one sequence the one with the most slices is taken, of equal ones that with
the finest voxels, then the one that was made first (by its number). But for T1 after contrast, a
name that says so goes before a header that only names an agent: some scanners write the agent of
the examination into the series before it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gliomask.core.case import Case, ImageFile, patient_key, safe_name, tcga_site
from gliomask.core.geometry import voxel_ml
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.dicom_audit import SeriesAudit, audit_of
from gliomask.datasets.dicom_files import files_below
from gliomask.datasets.find import is_synthetic, unique
from gliomask.datasets.layout import Problem
from gliomask.datasets.sequences import BY_NAME, Recognition, recognise
from gliomask.errors import CaseError, LayoutError
from gliomask.formats.archive import unpacked
from gliomask.formats.dicom.series import RefusedSeries, Series, survey_files
from gliomask.formats.dicom.tags import SeriesTags

SOURCE = "dicom"
MIN_SLICES = 5
"""With fewer a series shows too little of a brain: it is a localizer or a part."""
_TOLD = 10


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


def only_series(folder: Path) -> ImageFile:
    """The one series in a folder and all folders below it, whatever its sequence.

    Raises:
        CaseError: no series, or several; each is told.
    """
    survey = survey_files(files_below(folder))
    if len(survey.series) == 1:
        return survey.series[0].image
    if survey.series:
        told = ", ".join(_with_echo(series.tags) for series in survey.series[:_TOLD])
        raise CaseError(f"several series where one is due: {told}", path=folder)
    told = "; ".join(one.reason for one in survey.refused[:_TOLD]) or "no DICOM"
    raise CaseError(f"no series: {told}", path=folder)


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
    told = [(_number(one.series.tags), _audit(one, chosen)) for one in seen]
    told += [(_number(one.tags), audit_of(one.tags, (one.reason,))) for one in study.refused]
    audits = [audit for _, audit in sorted(told, key=lambda pair: pair[0])]
    tags = (study.series or study.refused)[0].tags
    name = _name(tags)
    if not chosen:
        return DicomStudies((), (Problem(name, _no_sequence(audits)),), tuple(audits), 0)
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


def _rank(one: _Seen) -> tuple[bool, int, float, int, str]:
    series, tags = one.series, one.series.tags
    doubtful = one.recognition.sequence == "t1ce" and BY_NAME not in one.recognition.evidence
    voxel = round(voxel_ml(series.affine), 9)
    return doubtful, -series.shape[2], voxel, _number(tags), tags.series_uid


def _number(tags: SeriesTags) -> int:
    return int(tags.series_number) if tags.series_number.isdecimal() else 0


def _audit(one: _Seen, chosen: dict[str, _Seen]) -> SeriesAudit:
    series, found = one.series, one.recognition
    best = chosen.get(found.sequence) if found.sequence else None
    problems = [*series.notes]
    if found.rejected:
        problems.insert(0, found.rejected)
    elif best is not None and best is not one:
        problems.insert(0, f"{best.series.tags.label} is used for {found.sequence} instead")
    return replace(
        audit_of(series.tags, tuple(problems), series),
        sequence=found.sequence,
        evidence="; ".join(found.evidence),
        used=best is one,
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


def _no_sequence(audits: Sequence[SeriesAudit]) -> str:
    told = "; ".join(f"{audit.series}: {audit.problems[0]}" for audit in audits[:_TOLD])
    more = f"; and {len(audits) - _TOLD} series more" if len(audits) > _TOLD else ""
    return f"no sequence is recognised: {told}{more}"


def _with_echo(tags: SeriesTags) -> str:
    return tags.label if tags.echo_time is None else f"{tags.label}, TE {tags.echo_time:g} ms"


def _name(tags: SeriesTags) -> str:
    """A name for the case: patient and date, as far as they are told."""
    told = [part for part in (tags.patient_id, tags.study_date) if part]
    return safe_name("_".join(told) or f"study-{tags.study_uid[-12:]}")
