"""Progress and cancellation: what a front door hands to a use case.

A use case reports how far it is and, between steps of less than half a second, looks whether it
is to stop. A stop is an ``StoppedError`` from there, so everything that cleans up after an error
cleans up after a stop: nothing partial stands under a final name.

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
"""Seconds between two looks for a stop while there is nothing to do but wait."""


class Progress(Protocol):
    """A listener to progress: a bar in a terminal, a log, a web page."""

    def start(self, total: float, what: str) -> None:
        """A stretch of ``total`` steps begins; ``what`` is a word or two for people."""

    def advance(self, steps: float = 1, note: str = "") -> None:
        """So many steps are done; ``note`` is the latest figure worth seeing, or empty."""


class _NoListener:
    def start(self, total: float, what: str) -> None:
        pass

    def advance(self, steps: float = 1, note: str = "") -> None:
        pass


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Control:
    """Reports the progress of a piece of work, and stops it on request.

    Attributes:
        progress: the listener.
        stop_requested: whether to stop; called often, from whatever thread or process works.
    """

    progress: Progress = field(default_factory=_NoListener)
    stop_requested: Callable[[], bool] = _never

    def check(self) -> None:
        """A moment to stop.

        Raises:
            StoppedError: a stop was requested.
        """
        if self.stop_requested():
            raise StoppedError("stopped")

    def start(self, total: float, what: str) -> None:
        """Begins a stretch of steps, see ``Progress``; a moment to stop."""
        self.progress.start(total, what)
        self.check()

    def advance(self, steps: float = 1, note: str = "") -> None:
        """Reports steps done, see ``Progress``; a moment to stop."""
        self.progress.advance(steps, note)
        self.check()

    def wait(self, seconds: float) -> None:
        """Waits, ready to stop."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, POLL_S))

    @contextmanager
    def part(self, name: str = "", steps: float = 1) -> Iterator[Control]:
        """A piece of work that fills some steps of the present stretch.

        Whatever stretches it begins are shown as shares of these steps; at its end all of them
        are done. Its beginning is a moment to stop, its end is none: what is done is kept.

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
"""Without reports and stops."""


class _Part:
    """Listens to the stretches of a piece of work, and reports them as steps of an outer one."""

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
        """Whatever is left of the piece is done."""
        self._report(1.0, "")

    def _position(self) -> str:
        """``slice 3 of 77``; nothing where steps have no name."""
        return f"{self._what} {self._done:g} of {self._total:g}" if self._what else ""

    def _report(self, share: float, note: str) -> None:
        text = ": ".join(filter(None, (self._name, note)))
        self._outer.advance((share - self._reported) * self._steps, text)
        self._reported = share
