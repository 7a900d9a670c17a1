"""``inspect``: what is there, before anything is done with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gliomask.config import Options
from gliomask.core.case import Case
from gliomask.core.geometry import axis_codes, spacing_mm
from gliomask.core.labels import region_masks
from gliomask.core.progress import SILENT, Progress
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.errors import InputError
from gliomask.formats.headers import image_header


class InspectOptions(Options):
    """What ``inspect`` is asked to look at."""

    path: Path
    """A folder or table in any known layout."""
    full: bool = False
    """Read every voxel, not only names and headers."""


@dataclass(frozen=True)
class CaseReport:
    """What is known of one case.

    Attributes:
        case, patient, site: as in ``Case``.
        sequences: present; notes: what the reader decided.
        grid: (I, J, K); spacing_mm: along them, None for pictures; axes: e.g. ``LPS``.
        masked: whether a mask is there.
        tumour_voxels: in the whole tumour; None unless everything was read.
    """

    case: str
    patient: str
    site: str | None
    sequences: tuple[str, ...]
    notes: tuple[str, ...]
    grid: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] | None
    axes: str
    masked: bool
    tumour_voxels: int | None


@dataclass(frozen=True)
class Inspection:
    """The audit of a data set.

    Attributes:
        path: of it; layout: its name; explanation: how it was recognised.
        synthetic: made by the phantom; licences: each once.
        cases: those that can be used; problems: (case, reason) of those that can't.
        full: whether every voxel was read.
    """

    path: Path
    layout: str
    explanation: tuple[str, ...]
    synthetic: bool
    licences: tuple[str, ...]
    cases: tuple[CaseReport, ...]
    problems: tuple[tuple[str, str], ...]
    full: bool


def inspect(options: InspectOptions, progress: Progress = SILENT) -> Inspection:
    """Audits a data set. Nothing is written.

    Raises:
        LayoutError: it is in no known layout; the text lists what was looked for.
    """
    found = find_cases(options.path)
    reports: list[CaseReport] = []
    problems = [(problem.case, problem.reason) for problem in found.problems]
    progress.start(len(found.cases), "reading cases" if options.full else "reading headers")
    for case in found.cases:
        try:
            reports.append(_report(case, full=options.full))
        except InputError as problem:
            problems.append((case.id, str(problem)))
        progress.advance()
    return Inspection(
        path=options.path,
        layout=found.layout,
        explanation=found.explanation,
        synthetic=bool(found.cases) and all(case.synthetic for case in found.cases),
        licences=tuple(sorted({case.licence for case in found.cases if case.licence})),
        cases=tuple(reports),
        problems=tuple(sorted(problems)),
        full=options.full,
    )


def _report(case: Case, *, full: bool) -> CaseReport:
    tumour = None
    if full:
        volume, labels = load_case(case)
        grid, affine, has_world = volume.shape, volume.affine, volume.has_world
        if labels is not None:
            tumour = int(region_masks(labels, ("whole",)).sum())
    else:
        header = image_header(next(iter(case.images.values())))
        grid, affine, has_world = header.shape, header.affine, header.has_world
    return CaseReport(
        case=case.id,
        patient=case.patient,
        site=case.site,
        sequences=tuple(case.images),
        notes=case.notes,
        grid=grid,
        spacing_mm=spacing_mm(affine) if has_world else None,
        axes=axis_codes(affine),
        masked=case.label is not None,
        tumour_voxels=tumour,
    )
