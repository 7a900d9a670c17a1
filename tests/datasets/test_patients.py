"""Patients by a table, unknown patients, and patients that several sources have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gliomask.core.case import Case
from gliomask.datasets.patients import read_patients, shared_patients, with_patients
from gliomask.errors import FormatError, InputError

ONE, TWO = Case("c1", "c1", {}), Case("c2", "c2", {}, patient_known=False)


def table(folder: Path, *rows: str) -> Path:
    path = folder / "patients.csv"
    path.write_text("\n".join(["case,patient", *rows]), encoding="utf-8")
    return path


def test_a_table_names_the_patients(tmp_path: Path) -> None:
    path = table(tmp_path, "c2,TCGA_DU_A5TR_1997", "another,x", "c2,tcga-du-a5tr")
    found = with_patients([ONE, TWO], read_patients(path), path)
    assert [(case.patient, case.patient_known) for case in found] == [
        ("c1", True),
        ("TCGA-DU-A5TR", True),
    ]


def test_no_ending_of_a_stated_patient_is_that_of_an_examination(tmp_path: Path) -> None:
    rows = ("c1,UKHD2_20010312", "c2,P07_tp1", "c3,P07_tp2")
    assert read_patients(table(tmp_path, *rows)) == dict(row.split(",") for row in rows)


def test_unknown_patients_are_asked_for() -> None:
    with pytest.raises(
        InputError, match=r"patients of 1 cases are unknown \(c2\).*`... patients=patients.csv`"
    ):
        with_patients([ONE, TWO], {}, None)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["c1,"], r"row 2 is incomplete \(patient="),
        ([",p"], r"row 2 is incomplete \(case="),
        (["c1,p", "c1,q"], r"row 3 gives the case another patient .*\(case=c1"),
    ],
)
def test_tables_that_make_no_sense(tmp_path: Path, rows: list[str], reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        read_patients(table(tmp_path, *rows))


def test_a_table_of_other_cases_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "c_1,p")
    with pytest.raises(
        InputError, match=r"contains none of the cases \(case=c_1, allowed c1, c2\)"
    ):
        with_patients([ONE, TWO], read_patients(path), path)


def test_patients_of_several_sources() -> None:
    three = replace(ONE, id="c3")
    assert shared_patients([[ONE, three], [TWO], [three]]) == ("c1",)
