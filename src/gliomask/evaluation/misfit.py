from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Occupancy:
    reference: str
    predicted: str


def occupancy(reference: object, predicted: object) -> Occupancy:
    return Occupancy("", "")


def describe_misfit(reference: object, predicted: object) -> str | None:
    return None


def exchanged(placed: Sequence[object]) -> tuple[tuple[str, str], ...]:
    return ()
