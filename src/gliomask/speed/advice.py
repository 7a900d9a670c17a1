"""Which engine to take: the fastest of those that are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gliomask.inference.engines.choice import EngineName
from gliomask.inference.trial import TOLERANCE
from gliomask.speed.slices import EngineSpeed, Place


@dataclass(frozen=True)
class Advice:
    """What to take for a model, and why; None if nothing was measured that is right."""

    model: str
    engine: EngineName | None
    device: Place | None
    why: str


def advise(model: str, tried: Sequence[EngineSpeed]) -> Advice:
    """Compares engines at the largest size that most of them were measured at.

    Args:
        model: its name.
        tried: the engines that were tried with it.
    """
    right = [one for one in tried if not one.problem and one.speeds]
    if not right:
        return Advice(model, None, None, "no engine was measured whose answer is right")
    counts = Counter(speed.size for one in right for speed in one.speeds)
    size = max(counts, key=lambda size: (counts[size], size))
    seconds = {one: _seconds(one, size) for one in right if _seconds(one, size) is not None}
    ranked = sorted(seconds, key=lambda one: seconds[one] or 0.0)
    best = ranked[0]
    return Advice(model, best.engine, best.device, _why(ranked, seconds, size))


def _why(ranked: Sequence[EngineSpeed], seconds: dict[EngineSpeed, float | None], size: int) -> str:
    if len(ranked) == 1:
        return "the only one measured whose answer is right"
    best, last = ranked[0], ranked[-1]
    times = (seconds[last] or 0.0) / (seconds[best] or 1.0)
    of = f"the fastest of {len(ranked)} that are right to {TOLERANCE:g} of a probability"
    return f"{of}, {times:.1f} times as fast as {last.engine} at {size} pixels"


def _seconds(one: EngineSpeed, size: int) -> float | None:
    return next((speed.slice_s for speed in one.speeds if speed.size == size), None)
