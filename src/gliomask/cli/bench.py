"""``gliomask bench``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gliomask.cli.command import Command
from gliomask.cli.fields import Typed

if TYPE_CHECKING:
    from gliomask.config.bench import BenchOptions
    from gliomask.speed.slices import EngineSpeed, SliceSpeed
    from gliomask.workflows.bench import BenchResult


_SLICES = (
    "network",
    "pixels",
    "engine",
    "ms per slice",
    "s per 155 slices",
    "GFLOP/s",
    "of peak",
    "runs",
    "difference",
)
_BUSY = 0.5
"""Load per processor from which the measurements get a warning."""
_TRAINING = ("network", "on", "slices/s", "s per 1,000 slices", "precision", "runs")


def run(options: BenchOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.bench import bench

    with render.control() as control:
        result = bench(options, control)
    if json:
        render.as_json(result)
        return
    _machine(result)
    render.table("prediction, network only", _SLICES, _slice_rows(result))
    if result.training:
        render.table("training, batches of 8 at 128 pixels", _TRAINING, _training_rows(result))
    _rest(result)


COMMAND = Command(
    name="bench",
    help="Measure the speed of this machine. Predicts and trains for less than two minutes.",
    options="BenchOptions",
    run=run,
    typed={"models": Typed("--model", metavar="MODEL"), "everything": Typed("--all")},
    hidden=("seconds",),
)


def _machine(result: BenchResult) -> None:
    from gliomask.cli import render

    processors, peak = result.processors, result.peak
    unit = "thread" if result.threads == 1 else "threads"
    render.lines(
        f"{processors.model or 'processors'}, {result.threads} {unit} of {processors.usable}"
        + (f"; {result.gpu}" if result.gpu else ""),
        f"measured peak: {peak.gflops:.0f} GFLOP/s (matrix product), "
        f"{peak.copy_gb_s:.1f} GB/s (copy)",
    )


def _slice_rows(result: BenchResult) -> list[tuple[object, ...]]:
    """Rows of the table of engines, the fastest first for each network and size."""
    rows = [(engine, speed) for engine in result.engines for speed in engine.speeds]
    order = [model.name for model in result.models]
    rows.sort(key=lambda row: (order.index(row[0].model), row[1].size, row[1].slice_s))
    return [_slice_row(engine, speed) for engine, speed in rows]


def _slice_row(engine_speed: EngineSpeed, speed: SliceSpeed) -> tuple[object, ...]:
    return (
        engine_speed.model,
        speed.size,
        engine_speed.engine
        if engine_speed.device == "cpu"
        else f"{engine_speed.engine} on {engine_speed.device}",
        f"{1000 * speed.slice_s:.1f}",
        f"{speed.case_s:.1f}",
        f"{speed.gflops:.0f}",
        "" if speed.of_peak is None else f"{100 * speed.of_peak:.0f} %",
        _runs(speed.timing.n, speed.timing.warm),
        "" if engine_speed.difference is None else f"{engine_speed.difference:.0e}",
    )


def _training_rows(result: BenchResult) -> list[tuple[object, ...]]:
    return [
        (
            training.model,
            training.device,
            f"{training.slices_per_s:.1f}",
            f"{training.epoch_s:.0f}",
            training.precision,
            _runs(training.timing.n, training.timing.warm),
        )
        for training in result.training
    ]


def _runs(count: int, warm: bool) -> str:
    return str(count) if warm else "1, cold"


def _rest(result: BenchResult) -> None:
    from gliomask.cli import render

    for row in result.advice:
        render.lines(f"{row.model}: use {row.engine or 'no engine'}, {row.why}")
    wrong = [(f"{row.model} by {row.engine}", row.problem) for row in result.engines if row.problem]
    busy = result.load is not None and result.load > _BUSY * result.processors.usable
    if busy:
        why = f"other programs were busy (load {result.load:.1f})"
        render.lines(f"NOTE: {why}: all speeds are underestimated, including the peak")
    for what, why in (*wrong, *((row.what, row.why) for row in result.skipped)):
        render.lines(f"NOTE: {what}: {why}")
    drawn = [model.name for model in result.models if not model.trained]
    if drawn:
        render.lines(
            f"The weights of {' and '.join(drawn)} are random; times do not depend on them."
        )
    if not busy and any((speed.of_peak or 0) > 1 for row in result.engines for speed in row.speeds):
        render.lines("Above the peak: Winograd's method needs fewer operations than are counted.")
    render.lines(f"measured in {result.seconds:.0f} s of {result.budget_s:.0f}")
