"""Repeated time measurements within a budget."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ReadClock = Callable[[], float]
"""Seconds since some moment; tests replace it."""
MOST: Final = 15
"""Repetitions; more don't move a median of interest."""


@dataclass(frozen=True)
class RunTimes:
    """Run times of one repeated operation.

    Attributes:
        median, best: seconds.
        n: runs that they are of.
        warm: whether a run that is not counted came before. A first run is slower: memory is
            taken, kernels are chosen.
    """

    median: float
    best: float
    n: int
    warm: bool


class Budget:
    """Time that must do for everything.

    Args:
        seconds: in all, from now on.
        clock: clock of the measurement.
    """

    def __init__(self, seconds: float, clock: ReadClock = time.perf_counter) -> None:
        self.seconds, self.clock = seconds, clock
        self._start = clock()

    @property
    def used(self) -> float:
        """Seconds since the start."""
        return self.clock() - self._start

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self.seconds - self.used)


def time_runs(work: Callable[[], object], share: float, clock: ReadClock) -> RunTimes:
    """Runs something once to warm up, and then while it fits into its share of the budget.

    Args:
        work: function that returns when its result is complete.
        share: seconds for all runs together. The first is made whatever it is.
        clock: clock of the measurement.
    """
    first = _once(work, clock)
    spent, seconds = first, list[float]()
    while len(seconds) < MOST and spent + (seconds or [first])[-1] <= share:
        seconds.append(_once(work, clock))
        spent += seconds[-1]
    if not seconds:
        return RunTimes(first, first, 1, warm=False)
    return RunTimes(statistics.median(seconds), min(seconds), len(seconds), warm=True)


def _once(work: Callable[[], object], clock: ReadClock) -> float:
    start = clock()
    work()
    return clock() - start
