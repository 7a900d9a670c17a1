"""Tables grow, are cut back, and never lose a row silently."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from gliomask.errors import ConfigError
from gliomask.learning.history import Events, HistoryFile


def test_rows_are_added_below_one_header(tmp_path: Path) -> None:
    table = HistoryFile(tmp_path / "t.csv", ("epoch", "loss"))
    assert table.length == 0
    table.add([(1, 0.123456789)])
    table.add([(2, math.nan), ("x", 3e-7)])
    assert (tmp_path / "t.csv").read_text() == "epoch,loss\n1,0.123457\n2,\nx,3e-07\n"


def test_it_is_cut_back_to_a_length_that_it_had(tmp_path: Path) -> None:
    table = HistoryFile(tmp_path / "t.csv", ("epoch",))
    table.add([(1,)])
    length = table.length
    table.add([(2,), (3,)])
    with (tmp_path / "t.csv").open("a") as file:
        file.write("4")  # torn by a kill
    table.cut(length)
    table.add([(2,)])
    assert (tmp_path / "t.csv").read_text() == "epoch\n1\n2\n"


def test_cut_to_nothing(tmp_path: Path) -> None:
    table = HistoryFile(tmp_path / "t.csv", ("epoch",))
    table.cut(0)
    table.add([(1,)])
    table.cut(0)
    table.add([(5,)])
    assert (tmp_path / "t.csv").read_text() == "epoch\n5\n"


def test_lost_rows_are_noticed(tmp_path: Path) -> None:
    table = HistoryFile(tmp_path / "t.csv", ("epoch",))
    table.add([(1,)])
    with pytest.raises(ConfigError, match=r"lost rows.*bytes=8, allowed 9 or more"):
        table.cut(9)


def test_events_of_later_steps_are_void_after_a_cut(tmp_path: Path) -> None:
    first = Events(tmp_path)
    for step in (1, 2, 3):
        first.add(step, {"loss": float(step)})
    first.close()
    second = Events(tmp_path)
    second.cut(1)
    second.add(2, {"loss": 20.0})
    second.close()
    module = "tensorboard.backend.event_processing.event_accumulator"
    found = pytest.importorskip(module).EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(event.step, event.value) for event in found.Scalars("loss")] == [(1, 1.0), (2, 20.0)]
