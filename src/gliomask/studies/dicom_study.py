"""DICOM studies as cases: selection of the sequences, with a report on every series.

``dicom_choice`` has the rule by which series are chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gliomask.core.case import Case
from gliomask.core.identity import patient_of, safe_name, tcga_site
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.layout import Problem
from gliomask.errors import CaseError
from gliomask.formats.dicom.series import RefusedSeries, Series, survey_files
from gliomask.formats.dicom.tags import SeriesTags
from gliomask.studies.contrast_order import after_injection
from gliomask.studies.dicom_audit import SeriesAudit
from gliomask.studies.dicom_choice import SeriesChoice, choose_series
from gliomask.studies.dicom_dates import first_acquisition, study_date
from gliomask.studies.dicom_files import files_below
from gliomask.studies.dicom_identity import contradiction, is_placeholder
from gliomask.studies.dicom_picks import NOTHING_PICKED, TOLD, picked, with_echo
from gliomask.studies.read_series import recognised
from gliomask.studies.study_audit import audits, notes, uses
from gliomask.studies.survey import SurveyResult, joined

SOURCE = "dicom"


@dataclass(frozen=True)
class DicomStudies:
    """DICOM studies of a folder.

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


def studies_of_files(
    paths: Sequence[Path], picks: Mapping[str, str] = NOTHING_PICKED, *, synthetic: bool = False
) -> DicomStudies:
    """Group files into studies; other files are counted.

    ``picks``: sequence -> the series to take for it in each study, see ``dicom_picks.picked``. A
    study without it is a problem.
    """
    survey = survey_files(paths)
    studies: dict[tuple[str, str], _Study] = {}
    unreadable = []
    for refused in survey.refused:
        if not refused.tags.series_uid and not refused.tags.study_uid:
            unreadable.append(Problem(refused.files[0].name, refused.reason))
        else:
            _study(studies, refused.tags).refused.append(refused)
    for series in survey.series:
        _study(studies, series.tags).series.append(series)
    result = joined([_result(study, picks, synthetic) for study in studies.values()])
    problems = (*result.problems, *unreadable)
    return DicomStudies(result.cases, problems, result.series, survey.skipped)


def only_series(folder: Path) -> Series:
    """The only series in a folder and its subfolders, of any sequence.

    Raises:
        CaseError: no series, or several; each is listed.
    """
    survey = survey_files(files_below(folder))
    if len(survey.series) == 1:
        return survey.series[0]
    if survey.series:
        names = ", ".join(with_echo(series.tags) for series in survey.series[:TOLD])
        raise CaseError(f"several series instead of one: {names}", path=folder)
    names = "; ".join(refused.reason for refused in survey.refused[:TOLD]) or "no DICOM"
    raise CaseError(f"no series: {names}", path=folder)


@dataclass(frozen=True)
class _Study:
    series: list[Series]
    refused: list[RefusedSeries]


def _study(studies: dict[tuple[str, str], _Study], tags: SeriesTags) -> _Study:
    return studies.setdefault((tags.patient_id, tags.study_uid), _Study([], []))


def _result(study: _Study, picks: Mapping[str, str], synthetic: bool) -> SurveyResult:
    """Case of a study, if it has a sequence, and the audits of all its series."""
    among, problem = [recognised(series) for series in study.series], None
    refused_tags = [item.tags for item in study.refused]
    among = after_injection(among, refused_tags)
    try:
        if two := contradiction([*(item.series.tags for item in among), *refused_tags]):
            raise CaseError(two)
        choice = choose_series(picked(among, study.refused, picks))
    except CaseError as wrong:
        problem, choice = str(wrong), SeriesChoice(tuple(among))
    audited = audits(choice, study.refused)
    if problem:
        lacking = ("its study can't be used",)
        audited = [replace(item, problems=item.problems or lacking) for item in audited]
    tags = (study.series or study.refused)[0].tags
    name = _name(tags)
    chosen = choice.chosen
    if not chosen:
        return SurveyResult((), (Problem(name, problem or _no_sequence(audited)),), tuple(audited))
    case = Case(
        id=name,
        patient=_patient(tags, name),
        patient_known=_names_patient(tags),
        images={s: chosen[s].series.image for s in SEQUENCES if s in chosen},
        source=SOURCE,
        site=tcga_site(tags.patient_id),
        synthetic=synthetic,
        notes=notes(choice),
        series=uses(audited, choice),
        contrast_order=choice.contrast_order,
        study_date=study_date(tags.study_date),
        acquired=first_acquisition([item.series.tags for item in chosen.values()]),
        study_uid=tags.study_uid,
    )
    return SurveyResult((case,), (), tuple(replace(audit, case=name) for audit in audited))


def _patient(tags: SeriesTags, name: str) -> str:
    """The patient of a study; without a real PatientID, each study is a separate patient."""
    if _names_patient(tags):
        return patient_of(tags.patient_id)
    return safe_name(f"study-{tags.study_uid[-12:]}") if tags.study_uid else name


def _names_patient(tags: SeriesTags) -> bool:
    """Return True if the PatientID is one of a patient, not empty or a placeholder."""
    return bool(tags.patient_id) and not is_placeholder(tags.patient_id)


def _no_sequence(audits: Sequence[SeriesAudit]) -> str:
    reasons = "; ".join(f"{audit.series}: {audit.problems[0]}" for audit in audits[:TOLD])
    more = f"; and {len(audits) - TOLD} series more" if len(audits) > TOLD else ""
    return f"no sequence is recognised: {reasons}{more}"


def _name(tags: SeriesTags) -> str:
    """Id of the case: patient and date, if known."""
    parts = [part for part in (tags.patient_id, tags.study_date) if part]
    return safe_name("_".join(parts) or f"study-{tags.study_uid[-12:]}")
