"""One process at a time."""

from __future__ import annotations

import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gliomask.errors import ConfigError
from gliomask.learning.lock import LOCK, lock_folder


def hold(folder: Path, told: Connection) -> None:
    with lock_folder(folder):
        told.send("held")
        time.sleep(60)


def test_another_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    ours, theirs = get_context("spawn").Pipe()
    holder = get_context("spawn").Process(target=hold, args=(tmp_path, theirs))
    holder.start()
    try:
        assert ours.recv() == "held"
        with (
            pytest.raises(ConfigError, match=rf"process {holder.pid} on .* is writing"),
            lock_folder(tmp_path),
        ):
            pass
    finally:
        holder.kill()  # no time to clean up
        holder.join()
    with lock_folder(tmp_path):
        assert "process" in (tmp_path / LOCK).read_text()


def test_it_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with lock_folder(tmp_path / "new"):
            pass
