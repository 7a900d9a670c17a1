"""All measurements in sequence, within one time budget.

How long a piece of work takes is foreseen from its arithmetic and the measured peak. It gets the
share of the time left that it has in all that is still to do, so a fast machine measures often and
a slow one seldom; what might not be completed once before the end is skipped and reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch

from gliomask.errors import MachineError
from gliomask.inference.engines.choice import engine_statuses
from gliomask.inference.trial import Trial, trial_inputs
from gliomask.jobs.control import Control
from gliomask.machine.allocator import keep_freed_memory
from gliomask.speed.peak import Peak
from gliomask.speed.slices import (
    DeviceName,
    EngineSetup,
    EngineSpeed,
    Ready,
    SliceSpeed,
    make_ready,
    measure_slices,
    slice_speed,
)
from gliomask.speed.subject import BenchNetwork
from gliomask.speed.timing import Budget
from gliomask.speed.training import BATCH, PASSES, SIZE, TrainingSpeed, measure_training

_MEASURING: Final = 0.6
"""Of the time that is left; the rest opens engines and works out right answers."""
_LOOKING: Final = 0.7
_LEARNING: Final = 0.25
"""Of the peak, as foreseen: what engines reach, and what a training step does."""
_SLOWEST: Final = 0.15
"""Of the peak: what may come at worst."""
_TRUTH: Final = 4.0
"""Double precision, and the slower paths that it takes, against single."""


@dataclass(frozen=True)
class Skipped:
    """Something that was not measured, and why."""

    what: str
    why: str


class BenchSession:
    """Measures, and keeps what it has measured.

    Args:
        budget: of time.
        peak: of the processors.
        threads: on them.
        control: receives the progress.
    """

    def __init__(self, budget: Budget, peak: Peak, threads: int, control: Control) -> None:
        self.budget, self.peak, self.threads, self.control = budget, peak, threads, control
        self.engines: list[EngineSpeed] = []
        self.training: list[TrainingSpeed] = []
        self.skipped: list[Skipped] = []
        self._places: tuple[DeviceName, ...] = (
            ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
        )
        self._runners = self._find_runners()
        self._planned = 0.0

    def plan(self, subjects: Sequence[BenchNetwork]) -> None:
        """Reckons with the arithmetic of everything that is measured of these."""
        looking = sum(
            self._looking(subject.flop(size)) for subject in subjects for size in subject.sizes
        )
        learning = sum(map(self._learning, subjects))
        self._planned = len(self._runners) * looking + len(self._places) * learning
        pieces = len(subjects) * (len(self._runners) + len(self._places))
        self.control.start(pieces, "measuring")

    def measure(self, subject: BenchNetwork, folder: Path) -> None:
        """Measures one network with every engine, and learning.

        Args:
            subject: subject to measure.
            folder: for its weights.

        Raises:
            ModelError: its weights are damaged.
        """
        if self._fits(subject.name, _TRUTH * subject.flop(subject.tried_at), "cpu"):
            trial = subject.prepare(folder)
            for runner in self._runners:
                self.engines.append(self._try(subject, trial, runner))
                self.control.advance(note=f"{subject.name} by {runner.engine}")
        for place in self._places:
            self._learn(subject, place)
            self.control.advance(note=f"training {subject.name}")

    def _find_runners(self) -> tuple[EngineSetup, ...]:
        statuses = engine_statuses()
        self.skipped += [
            Skipped(status.name, status.problem) for status in statuses if status.problem
        ]
        names = [status.name for status in statuses if not status.problem]
        on_gpu = [EngineSetup("torch", "cuda", self.threads)] if "cuda" in self._places else []
        return (*(EngineSetup(name, "cpu", self.threads) for name in names), *on_gpu)

    def _try(self, subject: BenchNetwork, trial: Trial, runner: EngineSetup) -> EngineSpeed:
        ready = make_ready(subject.name, trial, runner, self.budget.clock)
        if not isinstance(ready, Ready):
            return ready
        speeds = [self._look(subject, ready, size) for size in subject.sizes]
        return replace(ready.speed, speeds=tuple(speed for speed in speeds if speed is not None))

    def _look(self, subject: BenchNetwork, ready: Ready, size: int) -> SliceSpeed | None:
        flop, speed = subject.flop(size), ready.speed
        share = self._share(self._looking(flop))
        batch = self._batch(ready, flop, share)
        what = f"{subject.name} at {size} pixels by {speed.engine}"
        if not self._fits(what, batch * flop, speed.device):
            return None
        inputs = trial_inputs(batch, subject.card.in_channels, size)
        timing = measure_slices(ready.engine, inputs, share, self.budget.clock)
        peak = self.peak.gflops if speed.device == "cpu" else None
        return slice_speed(flop, inputs.shape, timing, peak)

    def _batch(self, ready: Ready, flop: float, share: float) -> int:
        """Slices at once: as many as in a prediction, or one a thread if time is short."""
        batch, few = ready.engine.batch, min(ready.engine.batch, self.threads)
        enough = ready.speed.device == "cuda" or 3 * self._looking(flop) * batch / few <= share
        return batch if enough else few

    def _learn(self, subject: BenchNetwork, place: DeviceName) -> None:
        share = self._share(self._learning(subject))
        what = f"training {subject.name} on {place}"
        if not self._fits(what, _step_flop(subject), place):
            return
        keep_freed_memory()  # as a training does
        try:
            card, clock = subject.card, self.budget.clock
            self.training.append(measure_training(subject.name, card, place, share, clock))
        except MachineError as problem:
            self.skipped.append(Skipped(what, str(problem)))

    def _looking(self, flop: float) -> float:
        """Seconds foreseen for one slice on each thread."""
        return self.threads * flop / (_LOOKING * self.peak.gflops * 1e9)

    def _learning(self, subject: BenchNetwork) -> float:
        """Seconds foreseen for a step of training."""
        return _step_flop(subject) / (_LEARNING * self.peak.gflops * 1e9)

    def _share(self, foreseen: float) -> float:
        """Seconds for a piece of work, which is planned no longer."""
        share = _MEASURING * self.budget.left * foreseen / self._planned
        self._planned = max(self._planned - foreseen, foreseen)
        return share

    def _fits(self, what: str, flop: float, place: DeviceName) -> bool:
        """Return True if the work ends in time at its slowest; GPUs are fast enough in any case."""
        needed = flop / (_SLOWEST * self.peak.gflops * 1e9) if place == "cpu" else 0.0
        if needed < self.budget.left:
            return True
        why = f"not measured: it may take {needed:.0f} s, and {self.budget.left:.0f} s are left"
        self.skipped.append(Skipped(what, why))
        return False


def _step_flop(subject: BenchNetwork) -> float:
    return PASSES * BATCH * subject.flop(SIZE)
