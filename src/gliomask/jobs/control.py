"""Progress and cancellation of use cases.

A use case reports its progress and polls for a stop request between steps of less than half a
second. A stop raises ``StoppedError``, so the code that cleans up after an error also cleans up
after a stop, and no partial output is left.

    stop = threading.Event()
    control = Control(stop_requested=stop.is_set)
    predict_files(options, control)     # in one thread
    stop.set()                          # in another

Another process stops it likewise, by a ``multiprocessing.Event`` or by a file whose presence is
the request (``path.exists``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from gliomask.errors import StoppedError

POLL_S: Final = 0.1
"""Seconds between polls for a stop request while waiting."""


class Progress(Protocol):
    """A progress listener: a bar in a terminal, a log, a web page."""

    def start(self, total: float, what: str) -> None:
        """Start a phase of ``total`` steps; ``what`` is a short description."""

    def advance(self, steps: float = 1, note: str = "") -> None:
        """Report completed steps; ``note`` is the latest value to show, or empty."""


class _NoListener:
    def start(self, total: float, what: str) -> None:
        pass

    def advance(self, steps: float = 1, note: str = "") -> None:
        pass


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Control:
    """Progress reports and stop requests of a task.

    Attributes:
        progress: the listener.
        stop_requested: returns whether to stop; called often, from any thread or process.
    """

    progress: Progress = field(default_factory=_NoListener)
    stop_requested: Callable[[], bool] = _never

    def check(self) -> None:
        """Raise StoppedError if a stop was requested.

        Raises:
            StoppedError: a stop was requested.
        """
        if self.stop_requested():
            raise StoppedError("stopped")

    def start(self, total: float, what: str) -> None:
        """Start a phase, see ``Progress``, and check for a stop."""
        self.progress.start(total, what)
        self.check()

    def advance(self, steps: float = 1, note: str = "") -> None:
        """Report completed steps, see ``Progress``, and check for a stop."""
        self.progress.advance(steps, note)
        self.check()

    def wait(self, seconds: float) -> None:
        """Wait, and check for a stop."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, POLL_S))

    @contextmanager
    def part(self, name: str = "", steps: float = 1) -> Iterator[Control]:
        """A subtask that fills some steps of the current phase.

        Its own phases are shown as fractions of these steps; at its end all of them are completed.
        A stop is checked at its beginning, not at its end, so completed work is kept.

        Args:
            name: put before its notes.
            steps: of the present stretch.

        Yields:
            the control of the piece.
        """
        self.check()
        part = _Part(self.progress, name, steps)
        yield Control(part, self.stop_requested)
        part.finish()


SILENT: Final = Control()
"""Control without reports and stops."""


class _Part:
    """Reports the phases of a subtask as steps of the outer phase."""

    def __init__(self, outer: Progress, name: str, steps: float) -> None:
        self._outer, self._name, self._steps = outer, name, steps
        self._what, self._total, self._done, self._reported = "", 1.0, 0.0, 0.0

    def start(self, total: float, what: str) -> None:
        """See ``Progress``; starting again never goes back."""
        self._what, self._total, self._done = what, max(total, 1.0), 0.0

    def advance(self, steps: float = 1, note: str = "") -> None:
        self._done = min(self._done + steps, self._total)
        self._report(max(self._done / self._total, self._reported), note or self._position())

    def finish(self) -> None:
        """Report the remaining steps of the subtask."""
        self._report(1.0, "")

    def _position(self) -> str:
        """``slice 3 of 77``; nothing where steps have no name."""
        return f"{self._what} {self._done:g} of {self._total:g}" if self._what else ""

    def _report(self, share: float, note: str) -> None:
        text = ": ".join(filter(None, (self._name, note)))
        self._outer.advance((share - self._reported) * self._steps, text)
        self._reported = share
