"""Whole under the final name, or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.core.atomic import atomic_folder, atomic_path, write_text
from gliomask.errors import ConfigError, InputError


def write_half_and_fail(path: Path) -> None:
    path.write_text("half")
    raise KeyError


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    final = tmp_path / "deep" / "mask.nii.gz"
    with atomic_path(final) as temporary:
        assert temporary.name.endswith("mask.nii.gz")
        temporary.write_bytes(b"abc")
        assert not final.exists()
    assert final.read_bytes() == b"abc"
    assert [entry.name for entry in final.parent.iterdir()] == ["mask.nii.gz"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    final = tmp_path / "a.txt"
    write_text(final, "old")
    with pytest.raises(KeyError), atomic_path(final) as temporary:
        write_half_and_fail(temporary)
    assert final.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    final = tmp_path / "run"
    for content in ("one", "two"):
        with atomic_folder(final) as temporary:
            (temporary / content).write_text(content)
    assert [entry.name for entry in final.iterdir()] == ["two"]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failed_folder_leaves_the_old_one(tmp_path: Path) -> None:
    final = tmp_path / "run"
    with atomic_folder(final) as temporary:
        (temporary / "kept").touch()
    with pytest.raises(KeyError), atomic_folder(final) as temporary:
        write_half_and_fail(temporary / "new")
    assert [entry.name for entry in final.iterdir()] == ["kept"]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_to_a_folder_stays(tmp_path: Path) -> None:
    real, link = tmp_path / "disk" / "results", tmp_path / "out"
    real.mkdir(parents=True)
    link.symlink_to(real)
    for content in ("one", "two"):
        with atomic_folder(link) as temporary:
            write_text(temporary / content, content)
    assert link.is_symlink()
    assert [entry.name for entry in real.iterdir()] == ["two"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["disk", "out"]
    assert [entry.name for entry in real.parent.iterdir()] == ["results"]


def test_the_working_directory_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="the working directory would be replaced"):
        write_in(Path())
    assert not list(tmp_path.iterdir())


def write_in(folder: Path) -> None:
    with atomic_folder(folder) as temporary:
        write_half_and_fail(temporary / "a")


def test_a_working_directory_that_is_gone_protects_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with atomic_folder(tmp_path / "out") as temporary:
        write_text(temporary / "a", "a")
    assert (tmp_path / "out" / "a").read_text() == "a"


def _write_both(temporary: Path, final: Path, kind: str) -> None:
    """Writes the result, while another process creates something under the final name."""
    write_text(temporary / "second", "second")
    match kind:
        case "file":
            final.write_text("first")
        case "link":
            final.symlink_to("nowhere")
        case _:
            final.mkdir()
    if kind == "folder":
        write_text(final / "first", "first")


@pytest.mark.parametrize("kind", ["folder", "empty folder", "file", "link"])
def test_what_comes_up_meanwhile_is_not_replaced(tmp_path: Path, kind: str) -> None:
    final = tmp_path / "out"
    words = "out: exists already, and is not replaced; use another"
    with pytest.raises(ConfigError, match=words), atomic_folder(final, replace=False) as temporary:
        _write_both(temporary, final, kind)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert kind == "link" or not (final / "second").exists()
    assert kind != "folder" or (final / "first").is_file()


def test_a_new_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    final = tmp_path / "deep" / "out"
    with atomic_folder(final, replace=False) as temporary:
        write_text(temporary / "a", "a")
        assert not final.exists()
    assert (final / "a").read_text() == "a"
    assert len(list(final.parent.iterdir())) == 1
