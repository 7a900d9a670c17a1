"""How long work says how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Something that is told about progress: a bar in a terminal, a log, nothing."""

    def start(self, total: int, what: str) -> None:
        """A stretch of ``total`` steps begins; ``what`` is a word or two for people."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """So many steps are done; ``note`` is the latest figure worth seeing, or empty."""


class _Silent:
    def start(self, total: int, what: str) -> None:
        pass

    def advance(self, steps: int = 1, note: str = "") -> None:
        pass


SILENT: Progress = _Silent()
"""Listens to nothing."""
