"""A folder is tried by writing into it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from gliomask.machine.folders import try_folder, try_temporary


def test_a_folder_that_is_there_is_left_as_it_was(tmp_path: Path) -> None:
    found = try_folder(tmp_path)
    assert found.problem is None
    assert found.free is not None
    assert found.free > 0
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    found = try_folder(tmp_path / "a" / "b")
    assert found.problem is None
    assert found.path == tmp_path / "a" / "b"
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert try_folder(tmp_path / "file" / "below").problem == "Not a directory"


def test_no_temporary_folder_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    found = try_temporary()
    assert found.problem is not None
    assert "No usable temporary directory" in found.problem
