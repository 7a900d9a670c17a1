"""Reliability flag of a prediction: a colour and its reasons.

Green means that no check failed, not that the mask is correct.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["green", "amber", "red"]
LEVELS: Final[tuple[Level, ...]] = ("green", "amber", "red")
"""Levels, from best to worst."""


@dataclass(frozen=True)
class Reason:
    """The result of one check.

    Attributes:
        level: contribution to the flag; ``green`` is for information only.
        code: identifier for programs, e.g. ``maps_disagree``.
        text: one sentence, with the value and its reference.
    """

    level: Level
    code: str
    text: str


@dataclass(frozen=True)
class Reliability:
    """Flag of a case.

    Attributes:
        level: the worst level of the reasons, green if there are none.
        reasons: worst first.
    """

    level: Level
    reasons: tuple[Reason, ...]


def unstated(notes: Iterable[str], reasons: Iterable[Reason]) -> tuple[str, ...]:
    """Return the notes that no reason begins with, for places that show both."""
    stated = tuple(reason.text for reason in reasons)
    return tuple(note for note in notes if not any(text.startswith(note) for text in stated))


def reliability(reasons: Iterable[Reason]) -> Reliability:
    """Combine any number of reasons to a flag."""
    ordered = sorted(reasons, key=lambda reason: -LEVELS.index(reason.level))
    return Reliability(ordered[0].level if ordered else "green", tuple(ordered))
