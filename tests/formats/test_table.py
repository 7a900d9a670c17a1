"""Tables of comma-separated values: cells as other programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.formats.table import read_table

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
