"""At every moment there is a whole checkpoint, and a damaged one is never gone on from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gliomask.core import atomic
from gliomask.errors import ConfigError, MachineError
from gliomask.learning import checkpoint
from gliomask.learning.checkpoint import Checkpoints


def save(checkpoints: Checkpoints, number: int, *, best: bool = False) -> None:
    state = {"number": number, "weights": torch.full((100,), float(number)), "none": None}
    checkpoints.save(state, best=best)


def load(run: Path) -> tuple[int, tuple[str, ...]]:
    state, notes = Checkpoints(run).load()
    assert float(state["weights"][0]) == state["number"]
    return state["number"], notes


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_newest_is_loaded(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for number in (1, 2, 3):
        save(checkpoints, number, best=number == 2)
    assert load(tmp_path) == (3, ())
    names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert names == {f"{n}.{s}" for n in ("last", "previous", "best") for s in ("pt", "json")}
    best = torch.load(tmp_path / "checkpoints" / "best.pt", weights_only=True)
    assert best["number"] == 2


def test_a_damaged_newest_gives_way_to_the_previous_and_says_so(tmp_path: Path) -> None:
    for number in (1, 2):
        save(Checkpoints(tmp_path), number)
    damage(tmp_path / "checkpoints" / "last.pt")
    number, notes = load(tmp_path)
    assert number == 1
    assert notes == ("the newest checkpoint is missing or damaged; the previous one is used",)
    assert (tmp_path / "checkpoints" / "damaged.pt").is_file()
    save(Checkpoints(tmp_path), 3)
    assert load(tmp_path) == (3, ())


def test_two_damaged_ones_are_refused(tmp_path: Path) -> None:
    for number in (1, 2):
        save(Checkpoints(tmp_path), number)
    damage(tmp_path / "checkpoints" / "last.pt")
    (tmp_path / "checkpoints" / "previous.json").write_text("{")
    with pytest.raises(ConfigError, match="no checkpoint is valid"):
        load(tmp_path)


def test_nothing_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no checkpoint to resume from"):
        load(tmp_path)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(Checkpoints(tmp_path), 1)
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    with pytest.raises(ConfigError, match=r"another version \(format=1, allowed 2\)"):
        load(tmp_path)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("moment", range(12))
def test_a_kill_at_any_moment_leaves_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """Every flush and every rename of a save is cut short in turn."""
    for number in (1, 2):
        save(Checkpoints(tmp_path), number)
    count = 0

    def step(real: Callable[..., object]) -> Callable[..., object]:
        def cut(*args: object) -> object:
            nonlocal count
            count += 1
            if count > moment:
                raise Killed
            return real(*args)

        return cut

    monkeypatch.setattr(atomic, "_flush", step(atomic._flush))
    monkeypatch.setattr(Path, "replace", step(Path.replace))
    try:
        save(Checkpoints(tmp_path), 3)
    except Killed:
        pass
    else:
        assert moment >= count
    monkeypatch.undo()
    assert load(tmp_path)[0] in (2, 3)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(Checkpoints(tmp_path), 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
    with pytest.raises(MachineError, match=r"free megabytes=0, allowed 1 or more"):
        save(Checkpoints(tmp_path), 2)
    assert load(tmp_path) == (1, ())


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("in the way")
    with pytest.raises(MachineError, match=r"checkpoints: can't be written: File exists"):
        save(Checkpoints(tmp_path), 1)
    assert (tmp_path / "checkpoints").read_text() == "in the way"


def test_the_checksum_stands_beside(tmp_path: Path) -> None:
    save(Checkpoints(tmp_path), 1)
    keys = json.loads((tmp_path / "checkpoints" / "last.json").read_text())
    assert keys["bytes"] == (tmp_path / "checkpoints" / "last.pt").stat().st_size
    assert len(keys["sha256"]) == 64
