"""A table of cases: what columns mean, and errors that name row and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.label_scheme import BRATS_2021
from gliomask.datasets.find import scan as scan_layout
from gliomask.datasets.load import load_series
from gliomask.datasets.table import cases, looks_like
from gliomask.errors import LayoutError
from tests.datasets.tiny import labels_of, mask, scan


def table(root: Path, text: str, name: str = "cases.csv") -> Path:
    scan(root / "t1.nii.gz", 1)
    scan(root / "deep" / "flair.nii.gz", 2)
    mask(root / "mask.nii.gz", 1, 2, 4)
    (root / name).write_bytes(text.encode())
    return root / name


FULL = "patient,case,t1,flair,mask,labels,site\np1,p1-a,t1.nii.gz,deep/flair.nii.gz,mask.nii.gz,"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("comma", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_row_is_a_case(tmp_path: Path, mark: str, comma: str, newline: str) -> None:
    text = (FULL + "brats2021,Mayo\n").replace(",", comma).replace("\n", newline)
    path = table(tmp_path, mark + text)
    for root in (path, tmp_path):
        assert looks_like(root).fits
        (case,), problems = cases(root)
        assert not problems
        assert (case.id, case.patient, case.site) == ("p1-a", "p1", "Mayo")
        assert case.scheme is BRATS_2021
        assert tuple(load_series(case)) == ("t1", "flair")
        assert np.unique(labels_of(case)).tolist() == [0, 1, 2, 3]


def test_no_ending_of_a_stated_patient_is_that_of_an_examination(tmp_path: Path) -> None:
    patients = ("UKHD2_20010312", "UKHD2_20020824", "KUM_MR0001", "P07_tp1", "Brats18_TCIA10_628_1")
    text = "patient,t1\n" + "".join(f"{patient},t1.nii.gz\n" for patient in patients)
    found, problems = cases(table(tmp_path, text))
    assert not problems
    assert tuple(case.patient for case in found) == (*patients[:4], "TCGA-DU-A5TR")


def test_cells_may_be_empty_and_columns_absent(tmp_path: Path) -> None:
    path = table(tmp_path, "Patient, T1 ,flair,age\np1,t1.nii.gz,,44\n\n p2 ,,deep/flair.nii.gz,\n")
    found, problems = cases(path)
    assert not problems
    assert [(case.id, tuple(case.images)) for case in found] == [
        ("p1", ("t1",)),
        ("p2", ("flair",)),
    ]
    assert all(case.label is None and case.scheme is None for case in found)
    assert "columns not used: age" in looks_like(path).why


def test_paths_may_lead_anywhere_and_ids_stay_names(tmp_path: Path) -> None:
    scan(tmp_path / "elsewhere" / "x.nii.gz")
    (tmp_path / "tables").mkdir()
    absolute = tmp_path / "elsewhere" / "x.nii.gz"
    text = f"patient,t1\n../../p,../elsewhere/x.nii.gz\nq,{absolute}\n"
    found, problems = cases(table(tmp_path / "tables", text))
    assert not problems
    assert [case.id for case in found] == ["_.._p-f0fab018", "q"]
    assert found[0].images["t1"].paths[0].resolve() == absolute.resolve()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",c,t1.nii.gz,,", "row 3: no patient (patient="),
        ("p2,c,,,mask.nii.gz", "row 3: no image in any of the columns"),
        ("p2,c,lost.nii.gz,,", "row 3: no such file (t1=lost.nii.gz)"),
        ("p2,c,t1.nii.gz,,lost.nii.gz", "row 3: no such file (mask=lost.nii.gz)"),
        ("p2,c,deep,,", "row 3: no such file (t1=deep)"),
        ("p2,a,t1.nii.gz,,", "row 3: an earlier row has this case (case=a)"),
        ("p2,c,t1.nii.gz,,,brats21", "row 3: unknown labels (labels=brats21"),
    ],
)
def test_errors_name_row_and_column(tmp_path: Path, row: str, reason: str) -> None:
    text = f"patient,case,t1,flair,mask,labels\np1,a,t1.nii.gz,,\n{row}\n"
    found, (problem,) = cases(table(tmp_path, text))
    assert len(found) == 1
    assert problem.reason.startswith(reason)
    assert "\n" not in problem.reason


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "lacks columns patient and one of"),
        ("patient,age\n", "lacks columns patient and one of"),
        ("case,t1\n", "lacks columns patient and one of"),
        ("patient,t1,fliar\n", "has a column fliar, did you mean flair?"),
        ("patient,t1,t1gd\n", "has a column t1gd, did you mean t1ce?"),
        ("patient,t1,t2 flair\n", "has a column t2 flair, did you mean flair?"),
        ("patient,t1,t1\n", "a column occurs twice"),
        ('patient,t1\n"p', "not a CSV table"),
    ],
)
def test_what_is_no_table_of_cases(tmp_path: Path, text: str, why: str) -> None:
    verdict = looks_like(table(tmp_path, text))
    assert not verdict.fits
    assert why in verdict.why


def test_a_column_that_only_speaks_of_a_sequence_is_left_alone(tmp_path: Path) -> None:
    assert looks_like(table(tmp_path, "patient,t1,t1_volume\n")).fits


def test_text_of_another_encoding_and_no_or_two_tables(tmp_path: Path) -> None:
    assert "no CSV table" in looks_like(tmp_path).why
    path = table(tmp_path, "patient,t1\np1,t1.nii.gz\n")
    (tmp_path / "other.csv").write_text("a,b\n")
    assert looks_like(tmp_path).fits
    table(tmp_path, "patient,t1\n", "third.csv")
    assert "several tables" in looks_like(tmp_path).why
    path.write_bytes("patient,t1\nä,t1.nii.gz\n".encode("latin-1"))
    assert "not UTF-8 text at byte 11" in looks_like(path).why


def test_a_case_may_be_for_training_only(tmp_path: Path) -> None:
    rows = "p1,t1.nii.gz,training\np2,t1.nii.gz,\np3,t1.nii.gz,test\n"
    found, (problem,) = cases(table(tmp_path, f"patient,t1,use\n{rows}"))
    assert [case.training_only for case in found] == [True, False]
    assert problem.reason == "row 4: unknown use (use=test, allowed training, or empty)"


def test_a_table_of_windows(tmp_path: Path) -> None:
    """As Excel saves "Unicode text", with its paths."""
    path = table(tmp_path, "")
    path.write_bytes("patient\tflair\nMüller\tdeep\\flair.nii.gz\n".encode("utf-16"))
    (case,), problems = cases(path)
    assert not problems
    assert case.images["flair"].paths == (tmp_path / "deep" / "flair.nii.gz",)
    path.write_bytes("patient,flair\nMüller,x\n".encode("latin-1"))
    with pytest.raises(LayoutError) as refused:
        scan_layout(path)
    assert str(refused.value) == (
        f"{path}: no data set in a known layout; a file must be a table of cases: not UTF-8 text "
        "at byte 15; save it as UTF-8"
    )
