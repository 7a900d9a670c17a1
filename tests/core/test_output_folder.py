"""What an output folder may hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gliomask.core.atomic import MARK
from gliomask.core.output_folder import check_absent, check_empty, check_folder, check_replaceable
from gliomask.errors import ConfigError, InputError, MachineError


def check(out: Path, names: tuple[str, ...] | None = ("a.json", "a.csv")) -> None:
    check_replaceable(out, "a result", marks=("a.json",), names=names)


def test_new_and_empty_folders(tmp_path: Path) -> None:
    for out in (tmp_path / "new" / "er", tmp_path):
        check(out)
        check_empty(out)


def test_an_earlier_result_is_replaced(tmp_path: Path) -> None:
    for name in ("a.json", "a.csv", f"{MARK}1234-a.csv"):
        (tmp_path / name).touch()
    check(tmp_path)
    (tmp_path / "thesis.tex").touch()
    check(tmp_path, names=None)
    with pytest.raises(
        InputError, match=r"other than a result \(entry=thesis\.tex\).*another folder"
    ):
        check(tmp_path)


def test_a_folder_without_the_mark_of_a_result(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    with pytest.raises(InputError, match=r"other than a result \(entry=a\.csv\)"):
        check(tmp_path)


def test_a_folder_that_is_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    check_empty(tmp_path, ignored=(".lock",))
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="not empty: it contains b; look there"):
        check_empty(tmp_path, "look there", ignored=(".lock",))


def test_a_file_of_the_user_in_a_folder_of_the_result(tmp_path: Path) -> None:
    names = ("a.json", "tables/*.csv")
    (tmp_path / "tables").mkdir()
    for name in ("a.json", "tables/scores.csv"):
        (tmp_path / name).touch()
    check(tmp_path, names)
    (tmp_path / "tables" / "notes.txt").touch()
    with pytest.raises(InputError, match=r"other than a result \(entry=tables/notes\.txt\)"):
        check(tmp_path, names)
    (tmp_path / "tables" / "notes.txt").unlink()
    (tmp_path / "tables" / "mine").mkdir()
    (tmp_path / "tables" / "mine" / "b.csv").touch()
    with pytest.raises(InputError, match=r"entry=tables/mine/b\.csv"):
        check(tmp_path, names)


def test_the_working_directory_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    for place in (tmp_path, tmp_path / "below"):
        monkeypatch.chdir(place)
        for out in (tmp_path, Path(), Path("..")):
            if place.is_relative_to(out.resolve()):
                with pytest.raises(InputError, match="working directory would be replaced; use an"):
                    check(out)
    check(tmp_path / "other")
    check(Path(), names=None)


def test_files_are_no_folders(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for guard in (check, check_empty):
        with pytest.raises(InputError, match="not a folder"):
            guard(tmp_path / "a")


GUARDS = (check, check_empty, check_absent, check_folder)


@pytest.mark.parametrize("guard", GUARDS)
def test_a_file_above_the_folder(guard: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(InputError) as refused:
        guard(tmp_path / "a" / "b" / "c")
    assert str(refused.value) == f"{tmp_path / 'a'}: not a folder; use another folder: `out`"


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("below", ["", "b"])
def test_a_link_to_nothing(guard: Callable[[Path], None], below: str, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("nowhere")
    with pytest.raises(InputError) as refused:
        guard(tmp_path / "a" / below)
    assert str(refused.value) == (
        f"{tmp_path / 'a'}: a link to a folder that does not exist (target=nowhere); create it, or "
        "use another folder: `out`"
    )
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "nowhere").mkdir()
    if guard is not check_absent:
        guard(tmp_path / "a" / below)


@pytest.mark.parametrize("guard", GUARDS)
def test_a_folder_that_can_not_be_written_to(
    guard: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(MachineError, match=r"can't be written to: .*use another folder: `out`"):
        guard(tmp_path / "new" / "er")


def test_a_folder_that_must_not_exist(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for out in (tmp_path, tmp_path / "a"):
        with pytest.raises(ConfigError, match=r"the output folder exists already; choose .*`out`"):
            check_absent(out)
    check_absent(tmp_path / "b")
