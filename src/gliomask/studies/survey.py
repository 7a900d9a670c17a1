"""Survey of input files: cases, problems, and every DICOM series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gliomask.core.case import Case
from gliomask.datasets.case_names import with_distinct_ids
from gliomask.datasets.find import unique
from gliomask.datasets.layout import Problem
from gliomask.studies.dicom_audit import SeriesAudit


@dataclass(frozen=True)
class SurveyResult:
    """Result of a survey.

    Attributes:
        cases: the usable ones; ids unique.
        problems: inputs that can't be used.
        series: every DICOM series, used or not; none for other files.
    """

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...] = ()
    series: tuple[SeriesAudit, ...] = ()


def joined(parts: Sequence[SurveyResult]) -> SurveyResult:
    """Several as one. Cases that share an id get a folder's name or a number, their series too."""
    cases = unique(with_distinct_ids([case for part in parts for case in part.cases]))
    names = iter(cases)
    series: list[SeriesAudit] = []
    for part in parts:
        called = {case.id: next(names).id for case in part.cases}
        series += [replace(audit, case=called.get(audit.case, "")) for audit in part.series]
    problems = tuple(problem for part in parts for problem in part.problems)
    return SurveyResult(cases, problems, tuple(series))
