"""``inspect``: check of data before use.

Paths without a known data set layout are read like the input of ``predict``, with the same
function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gliomask.config.inspect import InspectOptions as InspectOptions
from gliomask.core.atomic import write_text
from gliomask.core.case import Case
from gliomask.core.geometry import axis_codes, spacing_mm
from gliomask.core.plausibility import MARK, doubtful_size, implausible_notes
from gliomask.core.regions import region_masks
from gliomask.datasets.find import find_cases
from gliomask.datasets.layout import FoundCases
from gliomask.datasets.load import load_case
from gliomask.errors import ConfigError, InputError, LayoutError
from gliomask.formats.archive import all_unpacked
from gliomask.formats.headers import image_header
from gliomask.jobs.control import SILENT, Control
from gliomask.studies.case_table import case_table
from gliomask.studies.dicom_audit import SeriesAudit
from gliomask.studies.find import audit
from gliomask.studies.image_audit import audit_images, called, other_grids
from gliomask.studies.survey import SurveyResult

EXAMINATIONS = "examinations"
"""Layout name of paths without a known data set layout."""


@dataclass(frozen=True)
class CaseReport:
    """Facts about one case.

    Attributes:
        case, patient, site: as in ``Case``.
        sequences: available sequences.
        notes: decisions of the reader.
        grid: (I, J, K).
        spacing_mm: along them, None for pictures.
        axes: e.g. ``LPS``.
        masked: whether it has a mask.
        tumour_voxels: voxels of the whole tumour; None unless everything was read.
        uses: sequence -> DICOM series, file or folder, for display.
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
    uses: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inspection:
    """Audit of a data set, or of examinations.

    Attributes:
        paths: paths of the input.
        layout: its name, or ``EXAMINATIONS``.
        explanation: evidence for the layout.
        synthetic: whether it is from the phantom.
        licences: distinct licences.
        cases: usable cases.
        problems: (case, reason) of the others.
        full: whether every voxel was read.
        series: for examinations, every DICOM series and every other image, used or not.
        table: the table of cases that was written.
        table_notes: (case, reason) of those without a mask in the table, or not in it.
    """

    paths: tuple[Path, ...]
    layout: str
    explanation: tuple[str, ...]
    synthetic: bool
    licences: tuple[str, ...]
    cases: tuple[CaseReport, ...]
    problems: tuple[tuple[str, str], ...]
    full: bool
    series: tuple[SeriesAudit, ...] = ()
    table: Path | None = None
    table_notes: tuple[tuple[str, str], ...] = ()


def inspect(options: InspectOptions, control: Control = SILENT) -> Inspection:
    """Audit a data set, or the input of ``predict``. Only ``table`` is written.

    Raises:
        InputError: as ``studies.find.audit``; neither a data set nor an examination, with the
            known layouts.
        ConfigError: a table of a data set in a known layout or of archives, or in place of a file.
        MachineError: the table can't be written.
    """
    if options.table is not None and options.table.exists():
        raise ConfigError("the table exists already", path=options.table, hint="use another name")
    with all_unpacked(options.paths) as paths:
        data_set = None if options.series else _data_set(paths, options.labels)
        if data_set is not None:
            _check_no_table(data_set, options)
            return _of_data_set(data_set, options, control)
        return _of_examinations(paths, options, control)


def _data_set(paths: Sequence[Path], labels: str) -> FoundCases | None:
    """The data set at the path; None if it has no known layout."""
    if len(paths) > 1:
        return None
    try:
        return find_cases(paths[0], labels)
    except LayoutError:
        if not paths[0].exists():
            raise
        return None


def _of_data_set(data_set: FoundCases, options: InspectOptions, control: Control) -> Inspection:
    cases_inspected = []
    control.start(len(data_set.cases), "reading cases" if options.full else "reading headers")
    for case in data_set.cases:
        with control.part(case.id) as part:
            cases_inspected.append(_inspect_case(case, full=options.full, control=part))
    inspection = _inspection(
        SurveyResult(data_set.cases, data_set.problems), cases_inspected, options
    )
    return replace(inspection, layout=data_set.layout, explanation=data_set.explanation)


def _of_examinations(
    paths: Sequence[Path], options: InspectOptions, control: Control
) -> Inspection:
    surveyed = audit(paths, picks=options.series)
    of_case: dict[str, list[SeriesAudit]] = {}
    for row in surveyed.series:
        of_case.setdefault(row.case, []).append(row)
    cases_inspected, rows = [], of_case.pop("", [])
    control.start(len(surveyed.cases), "reading cases" if options.full else "reading headers")
    for case in surveyed.cases:
        with control.part(case.id) as part:
            audits = of_case.get(case.id) or audit_images(case)
            inspected = _inspect_case(case, audits, full=options.full, control=part)
        cases_inspected.append(inspected)
        rows += inspected.rows
    inspection = replace(_inspection(surveyed, cases_inspected, options), series=tuple(rows))
    if options.table is None or not inspection.cases:
        return inspection
    if paths != options.paths:
        what = "a table can't list files in an archive"
        raise ConfigError(what, path=options.table, hint="unpack it first")
    usable = {report.case for report in inspection.cases}
    cases = [case for case in surveyed.cases if case.id in usable]
    text, notes = case_table(cases, options.table.parent, [p for p in paths if p.is_dir()])
    write_text(options.table, text)
    noted = tuple((note.case, note.reason) for note in notes)
    return replace(inspection, table=options.table, table_notes=noted)


def _check_no_table(data_set: FoundCases, options: InspectOptions) -> None:
    if options.table is not None:
        what = f"a data set in the known layout {data_set.layout} needs no table"
        hint = f"`prepare {options.paths[0]}` reads it"
        raise ConfigError(what, path=options.paths[0], hint=hint)


@dataclass(frozen=True)
class _Inspected:
    """Report of a case, or the reason why ``predict`` refuses it; and the rows of its images."""

    report: CaseReport | None
    problems: tuple[tuple[str, str], ...] = ()
    rows: tuple[SeriesAudit, ...] = ()


def _inspect_case(
    case: Case, rows: Sequence[SeriesAudit] = (), *, full: bool, control: Control
) -> _Inspected:
    uses = {row.sequence: row.series for row in rows if row.used and row.sequence}
    try:
        if rows:
            apart = other_grids(case)
            rows = [_with_problem(row, apart.get(row.sequence or "")) for row in rows]
        uses = {name: uses.get(name) or called(file) for name, file in case.images.items()}
        return _Inspected(_report(case, uses, full=full, control=control), (), tuple(rows))
    except InputError as problem:
        refused = tuple(_refused(row) if row.used else row for row in rows)
        return _Inspected(None, ((case.id, str(problem)),), refused)


def _with_problem(row: SeriesAudit, problem: str | None) -> SeriesAudit:
    return replace(row, problems=(*row.problems, problem)) if problem and row.used else row


def _refused(row: SeriesAudit) -> SeriesAudit:
    return replace(row, used=False, problems=("its case can't be used", *row.problems))


def _inspection(
    surveyed: SurveyResult, cases_inspected: Sequence[_Inspected], options: InspectOptions
) -> Inspection:
    """Rows of examinations; a data set has none."""
    problems = [(problem.case, problem.reason) for problem in surveyed.problems]
    problems += [problem for inspected in cases_inspected for problem in inspected.problems]
    return Inspection(
        paths=options.paths,
        layout=EXAMINATIONS,
        explanation=("no known data set layout: read like the input of predict",),
        synthetic=bool(surveyed.cases) and all(case.synthetic for case in surveyed.cases),
        licences=tuple(sorted({case.licence for case in surveyed.cases if case.licence})),
        cases=tuple(
            inspected.report for inspected in cases_inspected if inspected.report is not None
        ),
        problems=tuple(sorted(problems)),
        full=options.full,
    )


def _report(case: Case, uses: dict[str, str], *, full: bool, control: Control) -> CaseReport:
    tumour = None
    doubts: tuple[str, ...] = ()
    if full:
        volume, labels = load_case(case, control)
        doubts = implausible_notes(volume)
        grid, affine, has_world = volume.shape, volume.affine, volume.has_world
        if labels is not None:
            tumour = int(region_masks(labels, ("whole",)).sum())
    else:
        header = image_header(next(iter(case.images.values())))
        grid, affine, has_world = header.shape, header.affine, header.has_world
        size = doubtful_size(grid, affine) if has_world else None
        doubts = (f"{MARK}{size}",) if size else ()
    return CaseReport(
        case=case.id,
        patient=case.patient,
        site=case.site,
        sequences=tuple(case.images),
        notes=(*case.notes, *doubts),
        grid=grid,
        spacing_mm=spacing_mm(affine) if has_world else None,
        axes=axis_codes(affine),
        masked=case.label is not None,
        tumour_voxels=tumour,
        uses=uses,
    )
