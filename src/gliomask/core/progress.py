"""How long work says how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Something that is told about progress: a bar in a terminal, a log, nothing."""

    def start(self, total: int, what: str) -> None:
        """A stretch of ``total`` steps begins; ``what`` is a word or two for people."""

    def advance(self, steps: float = 1, note: str = "") -> None:
        """So many steps are done; ``note`` is the latest figure worth seeing, or empty."""


class _Silent:
    def start(self, total: int, what: str) -> None:
        pass

    def advance(self, steps: float = 1, note: str = "") -> None:
        pass


SILENT: Progress = _Silent()
"""Listens to nothing."""


class OneStep:
    """The progress of a piece of work as one step of a longer stretch.

    Args:
        outer: is told the shares of its step.
        name: of the piece, for people.
    """

    def __init__(self, outer: Progress, name: str) -> None:
        self._outer, self._name = outer, name
        self._what, self._total, self._done, self._told = "", 1.0, 0.0, 0.0

    def start(self, total: int, what: str) -> None:
        """See ``Progress``; starting again never goes back."""
        self._what, self._total, self._done = what, max(total, 1), 0.0

    def advance(self, steps: float = 1, note: str = "") -> None:
        """See ``Progress``."""
        self._done = min(self._done + steps, self._total)
        share = max(self._done / self._total, self._told)
        where = f"{self._name}: {self._what} {self._done:g} of {self._total:g}"
        self._outer.advance(share - self._told, note or where)
        self._told = share

    def finish(self) -> None:
        """Whatever is left of the step is done."""
        self._outer.advance(1 - self._told, self._name)
        self._told = 1.0
