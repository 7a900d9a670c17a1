"""A data set defined by a table: a CSV file with a row for each case.

    patient,case,t1,t1ce,t2,flair,mask,labels
    p1,p1-a,p1/t1.nii.gz,,,p1/flair.nii.gz,p1/mask.nii.gz,binary

``patient`` and at least one sequence are required. Paths are relative to the table's folder; an
empty cell means that there is no file. The default of ``case`` is the patient. ``labels`` states
the meaning of the numbers in the mask, as the option of that name (``mask_labels.option``); without
it, names and numbers decide. ``use`` is ``training`` for a case that is never evaluated, because
its mask is a correction of a model's mask.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import safe_name, stated_patient, tcga_site
from gliomask.core.label_scheme import LabelScheme
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.folders import entries
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, Problem
from gliomask.datasets.mask_labels.option import AUTO, scheme_of_option
from gliomask.datasets.name_reading import called
from gliomask.errors import CaseError, ConfigError, FormatError, InputError
from gliomask.formats.table import path_of_cell, read_table

COLUMNS = ("patient", "case", *SEQUENCES, "mask", "labels", "site", "use")
"""Known columns; others are ignored."""
TRAINING = "training"
"""The only value of the column ``use``."""


def looks_like(root: Path) -> LayoutVerdict:
    """Check for a CSV file with these columns, or a folder with one such file."""
    tables = [root] if root.is_file() else [p for p in entries(root) if p.suffix.lower() == ".csv"]
    verdicts = [_verdict(path) for path in tables]
    fitting = [verdict for verdict in verdicts if verdict.fits]
    if len(fitting) > 1:
        return LayoutVerdict(False, "several tables of cases, use one of them")
    return (fitting or verdicts or [LayoutVerdict(False, "no CSV table of cases")])[0]


def cases(root: Path) -> Cases:
    """Each row is a case; errors name row and column."""
    tables = [root] if root.is_file() else [p for p in entries(root) if p.suffix.lower() == ".csv"]
    table = read_table(next(path for path in tables if _verdict(path).fits))
    cases_found: dict[str, Case] = {}
    problems = []
    for number, row in table.rows:
        name = row.get("case") or row.get("patient") or f"row {number}"
        try:
            case = _case(name, row, table.path)
            if case.id in cases_found:
                raise CaseError("an earlier row has this case", field="case", found=name)
            cases_found[case.id] = case
        except InputError as problem:
            problems.append(Problem(name, f"row {number}: {problem}"))
    return tuple(cases_found.values()), tuple(problems)


LAYOUT = Layout("table", looks_like, cases, by_folder=False)


def _verdict(path: Path) -> LayoutVerdict:
    try:
        table = read_table(path)
    except FormatError as problem:
        return LayoutVerdict(False, str(problem))
    sequences = [name for name in SEQUENCES if name in table.columns]
    if "patient" not in table.columns or not sequences:
        return LayoutVerdict(
            False, f"{path.name} lacks columns patient and one of {', '.join(SEQUENCES)}"
        )
    unused = [name for name in table.columns if name not in COLUMNS]
    for name in unused:
        close = difflib.get_close_matches(name, COLUMNS, n=1, cutoff=0.7)
        if meant := called(name) or next(iter(close), None):
            return LayoutVerdict(False, f"{path.name} has a column {name}, did you mean {meant}?")
    left = f"; columns not used: {', '.join(unused)}" if unused else ""
    return LayoutVerdict(True, f"{path.name} has columns patient, {', '.join(sequences)}{left}")


def _case(name: str, row: Mapping[str, str], table: Path) -> Case:
    if not row.get("patient"):
        raise CaseError("no patient", field="patient", found="", allowed="a name")
    images = {s: _file(row[s], s, table) for s in SEQUENCES if row.get(s)}
    if not images:
        raise CaseError(
            "no image in any of the columns", field="columns", found=", ".join(SEQUENCES)
        )
    return Case(
        id=safe_name(name),
        patient=stated_patient(row["patient"]),
        images=images,
        label=_file(row["mask"], "mask", table) if row.get("mask") else None,
        scheme=_scheme(row),
        training_only=_training_only(row),
        source=LAYOUT.name,
        site=row.get("site") or tcga_site(row["patient"]),
    )


def _scheme(row: Mapping[str, str]) -> LabelScheme | None:
    try:
        return scheme_of_option(row.get("labels") or AUTO)
    except ConfigError as problem:
        column, text = "labels", problem.found
        raise CaseError(
            problem.what, field=column, found=text, allowed=problem.allowed, hint=problem.hint
        ) from None


def _training_only(row: Mapping[str, str]) -> bool:
    cell = row.get("use", "")
    if cell not in ("", TRAINING):
        allowed = f"{TRAINING}, or empty"
        raise CaseError("unknown use", field="use", found=cell, allowed=allowed)
    return cell == TRAINING


def _file(cell: str, column: str, table: Path) -> ImageFile:
    path = path_of_cell(cell, table.parent)
    if not path.is_file():
        raise CaseError("no such file", field=column, found=cell)
    return ImageFile((path,))
