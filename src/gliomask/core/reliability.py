"""The reliability flag of one prediction: a colour and the reasons for it.

Green says that nothing was found that speaks against it, not that it is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["green", "amber", "red"]
LEVELS: Final[tuple[Level, ...]] = ("green", "amber", "red")
"""From the best to the worst."""


@dataclass(frozen=True)
class Reason:
    """The result of one check.

    Attributes:
        level: what it does to the case; ``green`` is for information only.
        code: names it for programs, e.g. ``side_maps_disagree``.
        text: one sentence for people, with the value and its reference.
    """

    level: Level
    code: str
    text: str


@dataclass(frozen=True)
class Reliability:
    """The flag of one case.

    Attributes:
        level: the worst of the reasons', green if there are none.
        reasons: the worst first.
    """

    level: Level
    reasons: tuple[Reason, ...]


def reliability(reasons: Iterable[Reason]) -> Reliability:
    """The flag that some reasons, of any number, add up to."""
    ordered = sorted(reasons, key=lambda reason: -LEVELS.index(reason.level))
    return Reliability(ordered[0].level if ordered else "green", tuple(ordered))
