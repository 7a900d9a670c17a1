"""Files that appear together or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.errors import InputError
from gliomask.results.prediction.staging import staged


def fill(folder: Path, text: str) -> None:
    (folder / "a.txt").write_text(text)
    (folder / "inner").mkdir()
    (folder / "inner" / "b.txt").write_text(text)


def test_everything_moves_and_replaces(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for text in ("first", "second"):
        with staged(out, "a.txt") as folder:
            fill(folder, text)
            assert (out / "a.txt").exists() == (text == "second")
            assert text == "first" or (out / "a.txt").read_text() == "first"
    assert (out / "a.txt").read_text() == (out / "inner" / "b.txt").read_text() == "second"
    assert {entry.name for entry in out.iterdir()} == {"a.txt", "inner"}


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    with staged(tmp_path / "out", "a.txt") as folder:
        fill(folder, "first")

    def fail() -> None:
        with staged(tmp_path / "out", "a.txt") as folder:
            fill(folder, "second")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert (tmp_path / "out" / "a.txt").read_text() == "first"
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_failure_leaves_no_new_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), staged(tmp_path / "out", "a.txt"):
        raise ValueError("no")
    assert not (tmp_path / "out").exists()


def test_out_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="not a folder"), staged(tmp_path / "out", "a.txt"):
        pass
