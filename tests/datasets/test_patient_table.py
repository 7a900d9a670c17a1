"""What a table tells of patients."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.datasets.patient_table import read_traits
from gliomask.errors import FormatError, InputError

TABLE = """Patient,Grade,Age,Centre,Note
TCGA_CS_4941,2,67,A,x
TCGA-CS-4942,3,44,B,
TCGA_CS_4943,NA,37,,
p4,2,50.5,A,
p5,3,61,A,
p6,2,,B,
p7,2,71,B,
p8,2,29,B,
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "patients.csv"
    path.write_text(TABLE)
    return path


def test_columns_by_patient(table: Path) -> None:
    traits = read_traits(table, ["grade", "AGE", "centre"])
    assert traits["TCGA-CS-4941"] == {"grade": "2", "age": 67.0, "centre": "A"}
    assert traits["TCGA-CS-4943"] == {"grade": None, "age": 37.0, "centre": None}
    assert traits["p6"]["age"] is None


def test_no_table_no_traits() -> None:
    assert read_traits(None, ()) == {}


def test_columns_without_a_table() -> None:
    with pytest.raises(InputError, match=r"`\.\.\. table=patients.csv`"):
        read_traits(None, ["grade"])


def test_a_table_without_columns(table: Path) -> None:
    with pytest.raises(InputError, match="patient, grade, age, centre, note"):
        read_traits(table, ())


def test_no_such_column(table: Path) -> None:
    with pytest.raises(FormatError, match=r"column=grad.*did you mean 'grade'"):
        read_traits(table, ["grad"])


def test_no_ending_of_a_patient_is_that_of_an_examination(table: Path) -> None:
    table.write_text("patient,grade\nUKHD2_20010312,2\nUKHD2_20020824,3\n")
    assert set(read_traits(table, ["grade"])) == {"UKHD2_20010312", "UKHD2_20020824"}


def test_rows_of_one_patient_agree(table: Path) -> None:
    table.write_text("patient,grade\np1,2\np1,2\n")
    assert read_traits(table, ["grade"]) == {"p1": {"grade": "2"}}
    table.write_text("patient,grade\np1,2\np1,3\n")
    with pytest.raises(FormatError, match=r"row 3 differs.*patient=p1"):
        read_traits(table, ["grade"])
