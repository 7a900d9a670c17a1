"""Order, litter and wrapping."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gliomask.datasets import folders as module
from gliomask.datasets.folders import (
    entries,
    examinations,
    folders,
    natural,
    one_each,
    pictures,
    stem,
    volumes,
)
from gliomask.errors import CaseError, LayoutError


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_numbers_sort_as_numbers() -> None:
    names = ["a_10", "a_9", "b", "A_1", "10", "9", ""]
    assert sorted(names, key=natural) == ["", "9", "10", "A_1", "a_9", "a_10", "b"]


def test_litter_is_not_data(tmp_path: Path) -> None:
    for name in ("a.tif", "._a.tif", ".DS_Store", "__MACOSX/a.tif", ".writing-1-b.tif"):
        touch(tmp_path / name)
    assert [path.name for path in entries(tmp_path)] == ["a.tif"]
    assert folders(tmp_path) == []
    assert [path.name for path in pictures(tmp_path)] == ["a.tif"]


def test_a_file_is_an_empty_folder_and_a_lost_one_an_error(tmp_path: Path) -> None:
    assert entries(touch(tmp_path / "a")) == []
    with pytest.raises(LayoutError, match="can't be listed"):
        entries(tmp_path / "b")


def test_too_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 2)
    for name in "abc":
        touch(tmp_path / name)
    with pytest.raises(LayoutError, match=r"too full .entries=3"):
        entries(tmp_path)


def test_wrapped_volumes_go_by_the_wrapping(tmp_path: Path) -> None:
    touch(tmp_path / "x_t1.nii" / "0001.nii")
    touch(tmp_path / "x_t2.nii.gz")
    touch(tmp_path / "notes.txt")
    assert [name for name, _ in volumes(tmp_path)] == ["x_t1", "x_t2"]
    assert folders(tmp_path) == []


def test_examinations(tmp_path: Path) -> None:
    for name in ("a_T1.nii", "a_t1.nii.gz", "a_t2.nii", "b_t1.nii", "c.nii"):
        touch(tmp_path / name)
    found = examinations(tmp_path, re.compile(r"(?P<case>.)_(?P<kind>t\d)", re.IGNORECASE))
    assert {case: sorted(kinds) for case, kinds in found.items()} == {
        "a": ["t1", "t2"],
        "b": ["t1"],
    }
    assert one_each(found["b"]) == {"t1": tmp_path / "b_t1.nii"}
    with pytest.raises(CaseError, match=r"several files for t1: a_T1\.nii, a_t1\.nii\.gz"):
        one_each(found["a"])


@pytest.mark.parametrize("name", ["a.b.nii.gz", "a.b.NII", "a.b.tif", "a.b.TIFF", "a.b.png", "a.b"])
def test_stems(name: str) -> None:
    assert stem(name) == "a.b"
