"""Tables of comma-separated values: cells as other programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.errors import FormatError
from gliomask.formats.table import path_of_cell, read_table

ODD = ("North\nWest", "Mu\x85nchen", "x\u2028y", "a\x1cb", "a\x0bb", 'say "so"', "a,b")


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_cell_is_read_as_it_was_written(tmp_path: Path, text: str, end: str) -> None:
    path = tmp_path / "t.csv"
    cell = '"' + text.replace('"', '""') + '"'
    path.write_bytes(f"patient,site{end}p1,{cell}{end}p2,b{end}".encode())
    table = read_table(path)
    assert [row for _, row in table.rows] == [
        {"patient": "p1", "site": text},
        {"patient": "p2", "site": "b"},
    ]
    assert [number for number, _ in table.rows] == [2, 3]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_header_decides_what_separates(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"patient{separator}site\np1{separator}a\n")
    assert read_table(path).rows == ((2, {"patient": "p1", "site": "a"}),)


def test_an_empty_file_is_an_empty_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("")
    assert (read_table(path).columns, read_table(path).rows) == ((), ())


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "t.csv"
    rows = ("patient", "age", "grade"), ("p1", "63", "4"), ("p2", "51", "5", "4")
    path.write_text("\n".join(separator.join(row) for row in rows))
    with pytest.raises(FormatError) as caught:
        read_table(path)
    assert str(caught.value).startswith(
        f"{path}: row 3 has more cells than the header (cells=4, allowed up to 3); write a cell"
    )


def test_a_quoted_separator_is_part_of_its_cell(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('case,patient\nP0,"Smith, John"\n')
    assert read_table(path).rows == ((2, {"case": "P0", "patient": "Smith, John"}),)


@pytest.mark.parametrize(
    "text",
    [
        "patient;grade;;\r\np1;4;;\r\np2;3;;\r\n",
        "patient;grade\r\np1;4;;\r\np2;3; \r\n;;\r\n",
        "sep=;\r\npatient;grade\r\np1;4\r\np2;3\r\n",
        '"sep=;"\npatient;grade\np1;4\np2;3\n',
        "SEP=,\npatient,grade\np1,4\np2,3\n",
        "\ufeffsep=\t\npatient\tgrade\np1\t4\np2\t3\n",
    ],
)
def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    table = read_table(path)
    assert table.columns == ("patient", "grade")
    assert table.rows == (
        (2, {"patient": "p1", "grade": "4"}),
        (3, {"patient": "p2", "grade": "3"}),
    )


def test_a_stated_separator_is_used_even_if_another_is_more_frequent(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\npatient;a,b,c\np1;x,y\n")
    assert read_table(path).rows == ((2, {"patient": "p1", "a,b,c": "x,y"}),)


def test_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(",patient,,grade\n0,p1,x,4\n1,p2,,\n")
    table = read_table(path)
    assert table.columns == ("patient", "grade")
    assert table.rows == (
        (2, {"patient": "p1", "grade": "4"}),
        (3, {"patient": "p2", "grade": ""}),
    )


def test_cells_below_empty_columns_at_the_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("patient;age;grade;;\np1;63;5;4;\n")
    with pytest.raises(FormatError, match=r"row 2 has more cells .*cells=4, allowed up to 3"):
        read_table(path)


def test_the_column_that_occurs_twice_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("patient;Grade;grade\np1;4;3\n")
    with pytest.raises(FormatError, match=r"a column occurs twice \(header=grade\)"):
        read_table(path)


def test_a_cell_that_is_too_long_for_a_path_is_no_file(tmp_path: Path) -> None:
    assert not path_of_cell("a\\b", tmp_path).exists()
    assert path_of_cell("a" * 300, tmp_path).name == "a" * 300
