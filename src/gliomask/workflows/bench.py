"""``bench``: speed of this machine, measured within a time budget."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from gliomask.config.bench import BenchOptions as BenchOptions
from gliomask.inference.engines.engine import usable_threads
from gliomask.jobs.control import SILENT, Control
from gliomask.machine.processors import Processors, read_load, read_processors
from gliomask.speed.advice import Advice, advise
from gliomask.speed.peak import Peak, measure_peak
from gliomask.speed.session import BenchSession, Skipped
from gliomask.speed.slices import EngineSpeed
from gliomask.speed.subject import BenchNetwork, drawn, trained
from gliomask.speed.timing import Budget
from gliomask.speed.training import TrainingSpeed

_NETWORKS: Final = ("u2netp", "u2net")
_ALL_NETWORKS: Final = ("u2net-tiny", *_NETWORKS)
_SIZES: Final = (128, 256)
_PEAK_SHARE: Final = 0.03


@dataclass(frozen=True)
class NetworkMeasurement:
    """A network that was measured.

    Attributes:
        name: of the model.
        network: of its spec.
        trained: whether it has trained weights, or random ones.
        gmac: input size -> 10^9 multiply-adds for a slice.
    """

    name: str
    network: str
    trained: bool
    gmac: dict[int, float]


@dataclass(frozen=True)
class BenchResult:
    """Result of ``bench``.

    Attributes:
        processors: processors of this machine.
        threads: threads of the measurement.
        load: load average of the last minute; None if unknown.
        gpu: its name; None if there is none.
        peak: peak rates of the processors.
        models: the measured models.
        engines, training: measured speeds.
        advice: recommended engine for each model.
        skipped: omitted measurements.
        seconds: duration.
        budget_s: time budget.
    """

    processors: Processors
    threads: int
    load: float | None
    gpu: str | None
    peak: Peak
    models: tuple[NetworkMeasurement, ...]
    engines: tuple[EngineSpeed, ...]
    training: tuple[TrainingSpeed, ...]
    advice: tuple[Advice, ...]
    skipped: tuple[Skipped, ...]
    seconds: float
    budget_s: float


def bench(options: BenchOptions, control: Control = SILENT) -> BenchResult:
    """Measure this machine.

    Args:
        options: what to measure.
        control: receives the progress.

    Raises:
        ModelError: a run folder contains no usable model.
    """
    budget = Budget(options.seconds / 3 if options.quick else options.seconds)
    threads = options.threads or usable_threads()
    subjects, load = _subjects(options), read_load()
    with _torch_threads(threads), tempfile.TemporaryDirectory(prefix="gliomask-") as place:
        peak = measure_peak(_PEAK_SHARE * budget.seconds, budget.clock)
        session = BenchSession(budget, peak, threads, control)
        session.plan(subjects)
        for number, subject in enumerate(subjects):
            session.measure(subject, Path(place) / str(number))
    return _result(subjects, session, load)


def _subjects(options: BenchOptions) -> tuple[BenchNetwork, ...]:
    if options.models:
        return tuple(map(trained, options.models))
    names = _ALL_NETWORKS if options.everything else _NETWORKS
    return tuple(drawn(name, _SIZES[:1] if options.quick else _SIZES) for name in names)


def _result(
    subjects: Sequence[BenchNetwork], session: BenchSession, load: float | None
) -> BenchResult:
    budget, gpu = session.budget, torch.cuda.is_available()
    by_model = {s.name: [e for e in session.engines if e.model == s.name] for s in subjects}
    return BenchResult(
        processors=read_processors(),
        threads=session.threads,
        load=load,
        gpu=torch.cuda.get_device_name() if gpu else None,
        peak=session.peak,
        models=tuple(map(_measured, subjects)),
        engines=tuple(session.engines),
        training=tuple(session.training),
        advice=tuple(advise(name, tried) for name, tried in by_model.items()),
        skipped=tuple(session.skipped),
        seconds=budget.used,
        budget_s=budget.seconds,
    )


def _measured(subject: BenchNetwork) -> NetworkMeasurement:
    gmac = {size: subject.macs(size) / 1e9 for size in subject.sizes}
    return NetworkMeasurement(subject.name, subject.card.network, subject.run is not None, gmac)


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
