"""Contestants in processes of their own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial

import pytest

from benchmarks.speed.contestants import Contestant, ContestantError, Field, Work


def adding(start: int) -> Callable[[int], tuple[int, int]]:
    """Adds up what it is given; tells its process too."""
    total = [start]

    def turn(more: int) -> tuple[int, int]:
        sys.stdout.write("this stays out of the table\n")
        total[0] += more
        return total[0], os.getpid()

    return turn


def with_own_clocks() -> Callable[[float], None]:
    """Replaces the clocks of its process: a turn takes the given seconds, half of them CPU time."""
    now = [0.0]
    time.perf_counter = lambda: now[0]
    time.process_time = lambda: now[0] / 2

    def turn(seconds: float) -> None:
        now[0] += seconds

    return turn


def broken() -> Work:
    """Can't start."""
    raise RuntimeError("no such engine")


def test_contestants_keep_their_state_in_processes_of_their_own(
    capfd: pytest.CaptureFixture[str],
) -> None:
    makes: dict[str, Callable[[], Work]] = {
        "a": partial(adding, 1),
        "b": partial(adding, 10),
        "c": broken,
    }
    with Field({name: Contestant(make) for name, make in makes.items()}) as field:
        assert field.absent == {"c": "RuntimeError: no such engine"}
        results = {
            name: [worker.turn(k)[1] for k in (1, 2)] for name, worker in field.workers.items()
        }
        with pytest.raises(ContestantError, match="TypeError"):
            field.workers["a"].turn("text")
    assert [total for total, _ in results["a"]] == [2, 4]
    assert [total for total, _ in results["b"]] == [11, 13]
    assert len({pid for found in results.values() for _, pid in found} | {os.getpid()}) == 3
    assert "table" not in capfd.readouterr().out


def test_a_turn_is_timed_in_its_process() -> None:
    with Field({"a": Contestant(with_own_clocks, keeps_memory=True)}) as field:
        timing, _ = field.workers["a"].turn(4.0)
    assert (timing.wall_s, timing.cpu_s) == (4.0, 2.0)
