"""A listener to progress that remembers."""

from __future__ import annotations


class Heard:
    """Remembers stretches, steps and notes."""

    def __init__(self) -> None:
        self.started: list[tuple[float, str]] = []
        self.steps: list[float] = []
        self.notes: list[str] = []

    def start(self, total: float, what: str) -> None:
        self.started.append((total, what))

    def advance(self, steps: float = 1, note: str = "") -> None:
        self.steps.append(steps)
        self.notes.append(note)
