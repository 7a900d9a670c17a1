"""Turns, medians and ratios, by hand numbers."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import pytest

from benchmarks.harness import (
    Timing,
    alternate,
    machine_facts,
    median,
    order,
    processor_seconds,
    ratio,
    usual_clock,
)


def timings(*pairs: tuple[float, float]) -> list[Timing]:
    return [Timing(wall, cpu) for wall, cpu in pairs]


def test_each_round_begins_one_further_along() -> None:
    names = ["a", "b", "c"]
    assert [order(names, number) for number in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]
    assert order([], 3) == []


def test_everybody_takes_a_turn_in_each_round_and_warm_up_is_not_kept() -> None:
    turns: list[tuple[str, int]] = []

    def turn(name: str, number: int) -> Timing:
        turns.append((name, number))
        return Timing(float(len(turns)), 0.0)

    kept = alternate(["a", "b"], 2, turn, warm_up=1)
    assert turns == [("a", 0), ("b", 0), ("a", 0), ("b", 0), ("b", 1), ("a", 1)]
    assert [one.wall_s for one in kept["a"]] == [3.0, 6.0]
    assert [one.wall_s for one in kept["b"]] == [4.0, 5.0]


def test_the_median_is_of_the_clock_that_counts() -> None:
    some = timings((1, 10), (5, 20), (2, 90))
    assert median(some, "wall") == 2
    assert median(some, "cpu") == 20
    with pytest.raises(statistics.StatisticsError):
        median([], "wall")


def test_a_ratio_is_worked_out_within_each_round() -> None:
    # A slow second round (both three times slower) changes nothing: 2, 2, 4 times as fast.
    theirs, ours = timings((4, 1), (12, 1), (8, 1)), timings((2, 1), (6, 1), (2, 1))
    found = ratio(theirs, ours, "wall")
    assert (found.median, found.low, found.high) == (2, 2, 4)
    assert str(found) == "2.00 (2.00 to 4.00)"
    assert ratio(theirs, ours, "cpu").median == 1
    with pytest.raises(ValueError, match="argument"):
        ratio(theirs, ours[:2], "wall")


def test_one_thread_is_told_by_processor_time() -> None:
    assert usual_clock(1) == "cpu"
    assert usual_clock(2) == "wall"


def test_the_machine_is_told_with_the_versions_that_are_there() -> None:
    facts = machine_facts(2)
    versions = facts["versions"]
    assert isinstance(versions, dict)
    assert {"torch", "numpy", "gliomask"} <= versions.keys()
    assert facts["threads"] == 2
    assert facts["processor"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems tell it at the end")
def test_the_work_of_a_child_counts_while_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0.0)  # of this process
    start = processor_seconds()
    busy = "import time\nwhile time.process_time() < 0.3: pass\nprint(1, flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        alive = processor_seconds() - start
        assert alive > 0.2
        child.communicate(b"\n")
    assert 0.9 < (processor_seconds() - start) / alive < 1.9  # counted once after its end, too
