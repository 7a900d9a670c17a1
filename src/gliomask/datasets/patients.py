"""Patients of the cases, from the data set or from a table of the user.

    case,patient
    Brats18_TCIA10_628_1,TCGA-DU-A5TR

A table overrides the names for its cases; it may list cases that do not exist. ``convert`` writes
such a table, ``patients.csv``, into the root of a data set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from gliomask.core.case import Case
from gliomask.core.counted import counted
from gliomask.core.identity import is_of_collection, safe_name, stated_patient
from gliomask.errors import FormatError, InputError, nearest, same_with
from gliomask.formats.table import CsvTable, read_table

PATIENTS_FILE: Final = "patients.csv"
_CASE, _PATIENT = "case", "patient"
_TOLD = 3


def read_patients(path: Path) -> dict[str, str]:
    """Read a table of patients: case -> patient, both as safe names.

    Raises:
        FormatError: no table, a column or a cell is missing, or a case has two patients.
    """
    return _patients_of(read_table(path), path)


def _patients_of(table: CsvTable, path: Path) -> dict[str, str]:
    table.need(_CASE, _PATIENT)
    patients: dict[str, str] = {}
    for number, row in table.rows:
        case, patient = row.get(_CASE, ""), row.get(_PATIENT, "")
        if not case or not patient:
            lacking = _PATIENT if case else _CASE
            raise FormatError(f"row {number} is incomplete", path=path, field=lacking, found="")
        key = stated_patient(patient)
        if patients.setdefault(safe_name(case), key) != key:
            what = f"row {number} gives the case another patient than an earlier row"
            raise FormatError(what, path=path, field=_CASE, found=case)
    return patients


def with_own_table(place: Path, cases: Sequence[Case]) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Assign the patients of the table that ``convert`` writes into a data set; with a note.

    Names of published collections state their patient themselves, and keep it. Other files of this
    name are left alone: those with other columns, and those that can't be read.

    Returns:
        the cases, and a note if patients of the table are used, or if it is damaged.
    """
    path = place / PATIENTS_FILE
    try:
        table = read_table(path) if path.is_file() else None
        if table is None or set(table.columns) != {_CASE, _PATIENT}:
            return tuple(cases), ()
        patients = _patients_of(table, path)
    except FormatError as problem:
        return tuple(cases), (f"{PATIENTS_FILE} is not used: {problem.what}",)
    own = [case.id for case in cases if case.id in patients and not is_of_collection(case.id)]
    stated = {name: patients[name] for name in own}
    note = f"the patients of {counted(len(stated), 'case')} are from {PATIENTS_FILE}"
    return _named(cases, stated), (note,) if stated else ()


def with_patients(
    cases: Sequence[Case], table: Mapping[str, str], path: Path | None
) -> tuple[Case, ...]:
    """Assign a patient to each case.

    Args:
        cases: the cases.
        table: case -> patient, see ``read_patients``.
        path: path of the table, for errors.

    Raises:
        InputError: the table contains none of the cases, or the patient of a case is unknown.
    """
    ids = {case.id for case in cases}
    if table and not ids & table.keys():
        first = min(table)
        raise InputError(
            "contains none of the cases",
            path=path,
            field=_CASE,
            found=first,
            allowed=_some(sorted(ids)),
            hint=nearest(first, ids),
        )
    named = _named(cases, table)
    unknown = [case.id for case in named if not case.patient_known]
    if unknown:
        what = f"the patients of {len(unknown)} cases are unknown ({_some(unknown)})"
        command = same_with(("patients", "patients.csv"))
        hint = f"list them in a table with the columns case and patient: {command}"
        raise InputError(f"{what}, and a split needs the patient of each case", hint=hint)
    return named


def _named(cases: Iterable[Case], table: Mapping[str, str]) -> tuple[Case, ...]:
    return tuple(
        replace(case, patient=table[case.id], patient_known=True) if case.id in table else case
        for case in cases
    )


def shared_patients(sources: Iterable[Sequence[Case]]) -> tuple[str, ...]:
    """Patients that occur in several sources, sorted."""
    counts: dict[str, int] = {}
    for cases in sources:
        for patient in {case.patient for case in cases}:
            counts[patient] = counts.get(patient, 0) + 1
    return tuple(sorted(patient for patient, count in counts.items() if count > 1))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_TOLD]) + (" ..." if len(names) > _TOLD else "")
