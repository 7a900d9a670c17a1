"""A folder in parts, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.parcel import pack, unpack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "store" / "deep").mkdir(parents=True)
    noise = np.random.default_rng(0).bytes(2_500_000)  # does not become smaller: three parts
    (tmp_path / "store" / "deep" / "noise").write_bytes(noise)
    (tmp_path / "store" / "note.txt").write_text("a note")
    return tmp_path / "store"


def test_it_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    files = pack(folder, tmp_path / "parts", mib=1)
    assert [file.name for file in files] == ["part000", "part001", "part002", "parcel.json"]
    assert max(file.stat().st_size for file in files) == 2**20
    unpack(tmp_path / "parts", tmp_path / "back")
    for name in ("deep/noise", "note.txt"):
        assert (tmp_path / "back" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("harm", ["damaged", "missing"])
def test_a_part_that_is_not_whole_is_named(folder: Path, tmp_path: Path, harm: str) -> None:
    _, second, *_ = pack(folder, tmp_path / "parts", mib=1)
    if harm == "missing":
        second.unlink()
    else:
        second.write_bytes(second.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match=f"part001: {harm}"):
        unpack(tmp_path / "parts", tmp_path / "back")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "store"]


def test_nothing_there_is_replaced(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "parts")
    with pytest.raises(FileExistsError):
        unpack(tmp_path / "parts", folder)
    with pytest.raises(FileExistsError):
        pack(folder, tmp_path / "parts")
