"""Going on where a stopped batch was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from gliomask.errors import CaseError, ModelError
from gliomask.formats.file_key import file_key
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.journal import Journal, go_on


@dataclass(frozen=True)
class Piece:
    name: str
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Task:
    case: str
    key: str


TASKS = [Task(name, f"key of {name}") for name in ("a", "b", "c")]


def work(task: Task, _control: Control) -> Piece:
    if task.case == "c":
        raise CaseError("no good")
    return Piece(task.case, (1.0, 2.5))


def forbidden(task: Task, _control: Control) -> Piece:
    raise AssertionError(f"{task.case} was done already")


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Journal(out, Piece) as journal:
        done = go_on(work, TASKS, journal, SILENT, 1)
    assert [piece.name for piece in done.pieces] == ["a", "b"]
    assert done.failures == [("c", "no good")]
    assert done.resumed == 0
    with Journal(out, Piece) as journal:
        again = go_on(forbidden, TASKS[:2], journal, SILENT, 1)
    assert again.pieces == done.pieces
    assert again.resumed == 2
    journal.discard()
    assert list(tmp_path.iterdir()) == []


def test_another_key_is_another_piece(tmp_path: Path) -> None:
    with Journal(tmp_path / "out", Piece) as journal:
        go_on(work, TASKS[:1], journal, SILENT, 1)
        assert journal.get("key of a") == Piece("a", (1.0, 2.5))
        assert journal.get("another key of a") is None


def test_what_a_killed_process_left_is_not_read(tmp_path: Path) -> None:
    with Journal(tmp_path / "out", Piece) as journal:
        go_on(work, TASKS[:2], journal, SILENT, 1)
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[:-10])
    with Journal(tmp_path / "out", Piece) as journal:
        assert len(journal) == 1
        done = go_on(work, TASKS[:2], journal, SILENT, 1)
    assert [piece.name for piece in done.pieces] == ["a", "b"]
    with Journal(tmp_path / "out", Piece) as journal:
        assert len(journal) == 2


@pytest.mark.parametrize(
    "line", ["[]", "{}", '{"key": 1}', "\x00\xff", '{"key": "k", "piece": {"name": 3}}', "[" * 5000]
)
def test_strange_lines_are_passed_over(tmp_path: Path, line: str) -> None:
    with Journal(tmp_path / "out", Piece) as journal:
        go_on(work, TASKS[:1], journal, SILENT, 1)
    journal.path.write_bytes(line.encode("latin-1") + b"\n" + journal.path.read_bytes())
    with Journal(tmp_path / "out", Piece) as journal:
        assert len(journal) == 1


def test_another_version_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(tmp_path / "out", Piece) as journal:
        go_on(work, TASKS[:1], journal, SILENT, 1)
    monkeypatch.setattr("gliomask.jobs.journal.version", lambda _: "99")
    with Journal(tmp_path / "out", Piece) as journal:
        assert journal.get("key of a") is None


def test_a_bad_model_ends_all(tmp_path: Path) -> None:
    def broken(_task: Task, _control: Control) -> Piece:
        raise ModelError("gives values that are not finite")

    with Journal(tmp_path / "out", Piece) as journal, pytest.raises(ModelError):
        go_on(broken, TASKS, journal, SILENT, 1)


def test_a_file_s_key_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mask.nii"
    path.write_bytes(b"one")
    key = file_key([path])
    assert key == file_key([path])
    path.write_bytes(b"other")
    assert key != file_key([path])
    assert json.loads(key)[0][0] == str(path)
