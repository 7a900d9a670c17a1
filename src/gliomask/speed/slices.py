"""Speed of an engine, slice by slice, and the correctness of its output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from gliomask.core.volume import FloatArray
from gliomask.errors import GliomaskError
from gliomask.inference.engines.choice import EngineName, open_engine
from gliomask.inference.engines.engine import Engine
from gliomask.inference.trial import GPU_TOLERANCE, TOLERANCE, Trial, too_far
from gliomask.speed.timing import ReadClock, RunTimes, time_runs

DeviceName = Literal["cpu", "cuda"]
CASE_SLICES: Final = 155
"""Slices of a case of BraTS."""


@dataclass(frozen=True)
class SliceSpeed:
    """An engine at one size.

    Attributes:
        size: pixels a side; batch: slices at once, as in a prediction if there was time for that.
        slice_s: seconds for a slice; case_s: for a case of 155, each processed once by the network
            alone.
        gflops: 10^9 operations a second, as if convolutions were done one by one. Winograd's
            method needs fewer, so this can be above the peak.
        of_peak: share of the measured peak of the processors; None on a GPU.
        timing: of a batch.
    """

    size: int
    batch: int
    slice_s: float
    case_s: float
    gflops: float
    of_peak: float | None
    timing: RunTimes


@dataclass(frozen=True)
class EngineSpeed:
    """An engine with one network.

    Attributes:
        model: the model; engine: as it is requested; device: that it ran on.
        name: of the engine with its version.
        open_s: seconds until it was ready.
        difference: of its probabilities from the right ones, the largest; None without answer.
        problem: reason why it can't be used or trusted; empty if it can.
        speeds: at each size that there was time for.
    """

    model: str
    engine: EngineName
    device: DeviceName
    name: str
    open_s: float
    difference: float | None
    problem: str
    speeds: tuple[SliceSpeed, ...] = ()


@dataclass(frozen=True, eq=False)
class Ready:
    """An engine with a network in it."""

    speed: EngineSpeed
    engine: Engine


@dataclass(frozen=True)
class EngineSetup:
    """Configuration of inference: an engine, a device, a number of threads."""

    engine: EngineName
    device: DeviceName
    threads: int


def make_ready(
    model: str, trial: Trial, runner: EngineSetup, clock: ReadClock
) -> Ready | EngineSpeed:
    """Opens an engine and compares its output with the correct one; a failure is reported."""
    engine, device = runner.engine, runner.device
    tried = EngineSpeed(model, engine, device, engine, 0.0, None, "")
    start = clock()
    try:
        opened = open_engine(trial.folder, engine, device, runner.threads).engine
        tried = replace(tried, name=opened.name, open_s=clock() - start)
        difference = trial.difference(opened)
    except (GliomaskError, RuntimeError, OSError) as problem:
        return replace(tried, problem=" ".join(str(problem).split()))
    allowed = TOLERANCE if device == "cpu" else GPU_TOLERANCE
    return Ready(
        replace(tried, difference=difference, problem=too_far(difference, allowed)), opened
    )


def measure_slices(engine: Engine, inputs: FloatArray, share: float, clock: ReadClock) -> RunTimes:
    """Time to run all inputs (N, C, size, size) at once."""
    return time_runs(partial(engine.logits, inputs), share, clock)


def slice_speed(
    flop: float, shape: tuple[int, ...], timing: RunTimes, peak_gflops: float | None
) -> SliceSpeed:
    """Convert a run time to a speed.

    Args:
        flop: operations for one slice.
        shape: (N, C, size, size) of the inputs.
        timing: of all N at once.
        peak_gflops: of the processors; None on a GPU.
    """
    batch, _, size, _ = shape
    slice_s = timing.median / batch
    gflops = flop / slice_s / 1e9
    of_peak = None if peak_gflops is None else gflops / peak_gflops
    return SliceSpeed(size, batch, slice_s, CASE_SLICES * slice_s, gflops, of_peak, timing)
