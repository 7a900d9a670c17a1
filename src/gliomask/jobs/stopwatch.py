"""Stopwatch for the steps of a long task."""

from __future__ import annotations

import time


class Clock:
    """Runs from when it is made.

    Attributes:
        seconds: step -> how long it took, steps of one name added up.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """Ends a step, and begins the next one."""
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._last
        self._last = now
