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
    "ms a slice",
    "s a case of 155",
    "GFLOP/s",
    "of the peak",
    "runs",
    "off by",
)
_BUSY = 0.5
"""Load for each processor from which a figure is doubted."""
_TRAINING = ("network", "on", "slices/s", "s for 1,000 slices", "precision", "runs")


def run(options: BenchOptions, *, json: bool) -> None:
    """Runs the command."""
    from gliomask.cli import render
    from gliomask.workflows.bench import bench

    with render.control() as control:
        found = bench(options, control)
    if json:
        render.as_json(found)
        return
    _machine(found)
    render.table("a prediction, network only", _SLICES, _slice_rows(found))
    if found.training:
        render.table("a training, batches of 8 at 128 pixels", _TRAINING, _training_rows(found))
    _rest(found)


COMMAND = Command(
    name="bench",
    help="Measure the speed of this machine. Predicts and trains for less than two minutes.",
    options="BenchOptions",
    run=run,
    typed={"models": Typed("--model", metavar="MODEL"), "everything": Typed("--all")},
    hidden=("seconds",),
)


def _machine(found: BenchResult) -> None:
    from gliomask.cli import render

    processors, peak = found.processors, found.peak
    of = "thread" if found.threads == 1 else "threads"
    render.lines(
        f"{processors.model or 'processors'}, {found.threads} {of} of {processors.usable}"
        + (f"; {found.gpu}" if found.gpu else ""),
        f"at best {peak.gflops:.0f} GFLOP/s (product of matrices), "
        f"{peak.copy_gb_s:.1f} GB/s (copy)",
    )


def _slice_rows(found: BenchResult) -> list[tuple[object, ...]]:
    """The fastest first, for each network and size."""
    rows = [(one, speed) for one in found.engines for speed in one.speeds]
    order = [model.name for model in found.models]
    rows.sort(key=lambda row: (order.index(row[0].model), row[1].size, row[1].slice_s))
    return [_slice_row(one, speed) for one, speed in rows]


def _slice_row(one: EngineSpeed, speed: SliceSpeed) -> tuple[object, ...]:
    return (
        one.model,
        speed.size,
        one.engine if one.device == "cpu" else f"{one.engine} on {one.device}",
        f"{1000 * speed.slice_s:.1f}",
        f"{speed.case_s:.1f}",
        f"{speed.gflops:.0f}",
        "" if speed.of_peak is None else f"{100 * speed.of_peak:.0f} %",
        _runs(speed.timing.n, speed.timing.warm),
        "" if one.difference is None else f"{one.difference:.0e}",
    )


def _training_rows(found: BenchResult) -> list[tuple[object, ...]]:
    return [
        (
            one.model,
            one.device,
            f"{one.slices_per_s:.1f}",
            f"{one.epoch_s:.0f}",
            one.precision,
            _runs(one.timing.n, one.timing.warm),
        )
        for one in found.training
    ]


def _runs(count: int, warm: bool) -> str:
    return str(count) if warm else "1, cold"


def _rest(found: BenchResult) -> None:
    from gliomask.cli import render

    for one in found.advice:
        render.lines(f"take {one.engine or 'no engine'} for {one.model}: {one.why}")
    wrong = [(f"{one.model} by {one.engine}", one.problem) for one in found.engines if one.problem]
    busy = found.load is not None and found.load > _BUSY * found.processors.usable
    if busy:
        why = f"other programs were busy (load {found.load:.1f})"
        render.lines(f"NOTE: {why}: all figures are lower than they can be, the peak too")
    for what, why in (*wrong, *((one.what, one.why) for one in found.skipped)):
        render.lines(f"NOTE: {what}: {why}")
    drawn = [model.name for model in found.models if not model.trained]
    if drawn:
        render.lines(
            f"The weights of {' and '.join(drawn)} are drawn, which times don't depend on."
        )
    if not busy and any((speed.of_peak or 0) > 1 for one in found.engines for speed in one.speeds):
        render.lines("Above the peak: Winograd's method needs fewer operations than are counted.")
    render.lines(f"measured in {found.seconds:.0f} s of {found.budget_s:.0f}")
