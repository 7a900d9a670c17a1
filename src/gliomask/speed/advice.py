"""Recommendation of an engine: the fastest with correct outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gliomask.inference.engines.choice import EngineName
from gliomask.inference.trial import TOLERANCE
from gliomask.speed.slices import DeviceName, EngineSpeed, SliceSpeed


@dataclass(frozen=True)
class Advice:
    """Recommended engine for a model, with the reason; None without a correct measurement."""

    model: str
    engine: EngineName | None
    device: DeviceName | None
    why: str


def advise(model: str, tried: Sequence[EngineSpeed]) -> Advice:
    """Compares engines at the largest size that most of them were measured at.

    Args:
        model: its name.
        tried: the engines that were tried with it.
    """
    right = [engine for engine in tried if not engine.problem and engine.speeds]
    if not right:
        return Advice(model, None, None, "no measured engine has a correct output")
    counts = Counter(speed.size for engine in right for speed in engine.speeds)
    size = max(counts, key=lambda size: (counts[size], size))
    ranked = sorted(
        ((speed, engine) for engine in right for speed in engine.speeds if speed.size == size),
        key=lambda pair: pair[0].slice_s,
    )
    best = ranked[0][1]
    return Advice(model, best.engine, best.device, _why(ranked))


def _why(ranked: Sequence[tuple[SliceSpeed, EngineSpeed]]) -> str:
    if len(ranked) == 1:
        return "the only measured engine with a correct output"
    (best, _), (last, slowest) = ranked[0], ranked[-1]
    reason = f"the fastest of {len(ranked)} engines with probabilities correct to {TOLERANCE:g}"
    times = f"{last.slice_s / best.slice_s:.1f} times as fast as {slowest.engine}"
    cold = "" if all(speed.timing.warm for speed, _ in ranked) else ", from single runs"
    return f"{reason}, {times} at {best.size} pixels{cold}"
