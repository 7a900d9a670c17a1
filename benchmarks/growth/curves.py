"""Growth of time and memory with slices, resolution, channels and patients.

    python -m benchmarks.growth.curves --out FOLDER [--only slice ...] [--most N] [--small]
        [--json FILE]

Each point is a fresh process on one thread: its seconds are those of the work without imports (of
the processor; for several processes those that pass), its memory the most that the process
held. A straight line tells what one unit costs and what is fixed; the exponent of a power law
tells how it grows: 1 is linear. The networks have random weights, whose tumour of some per cent is
scattered over the head; that is dear for what measures lesions. The tables are printed, curves are
drawn into the folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.growth.curve import Curve, Point
from benchmarks.growth.fits import grow
from benchmarks.growth.plot import draw
from benchmarks.growth.series import LITTLE, Extent, Series, all_series
from benchmarks.harness import Timing, load, machine_facts, use_threads
from benchmarks.processes import run_fresh
from benchmarks.tables import Cell, Report, Table, add_outputs, run_and_tell

SUMMARY = (
    "what",
    "per",
    "from",
    "to",
    "ms per unit",
    "fixed s",
    "exponent",
    "exponent of the larger half",
    "KiB per unit",
    "fixed MiB",
    "memory's exponent",
)
PROCESSES = ("what", "processes", "wall s", "CPU s of all", "times as fast")
POINTS = ("what", "per", "value", "wall s", "CPU s", "peak MiB", "load")


def measure(series: Series) -> Curve:
    """All points of a series, each in a fresh process."""
    points = []
    for value in series.values:
        ran = run_fresh(["-m", "benchmarks.growth.points", *series.words(value)])
        point = Point(value, _timing(ran.output), ran.timing, ran.peak_mib, ran.load)
        print(f"{series.name}, {series.unit} {value}: {point}", file=sys.stderr)
        points.append(point)
    return Curve(series, tuple(points))


def _timing(output: str) -> Timing:
    """What a point prints last."""
    wall, cpu = json.loads(output.splitlines()[-1])
    return Timing(wall, cpu)


def summary(curve: Curve) -> tuple[Cell, ...]:
    """A row of the first table."""
    time, memory = grow(curve.x, curve.seconds), grow(curve.x, curve.peaks)
    values = curve.series.values
    return (
        curve.series.name,
        curve.series.unit,
        values[0],
        values[-1],
        1000 * time.per_unit,
        time.fixed,
        time.exponent,
        time.last_exponent,
        1024 * memory.per_unit,
        memory.fixed,
        memory.exponent,
    )


def processes(curve: Curve) -> list[tuple[Cell, ...]]:
    """Rows of the table that tells what several processes are good for."""
    alone = curve.points[0].work.wall_s
    return [
        (curve.series.name, p.value, p.work.wall_s, p.whole.cpu_s, alone / p.work.wall_s)
        for p in curve.points
    ]


def run(options: argparse.Namespace, place: Path) -> Report:
    """All series; ``place`` is a folder for what is made on the way."""
    use_threads(1)
    machine = {**machine_facts(1), "load before": load()}
    extent = LITTLE if options.small else Extent()
    curves = [measure(series) for series in _chosen(options, extent, place)]
    options.out.mkdir(parents=True, exist_ok=True)
    points = [
        (c.series.name, c.series.unit, p.value, p.work.wall_s, p.work.cpu_s, p.peak_mib, p.load)
        for c in curves
        for p in c.points
    ]
    grown = [curve for curve in curves if curve.series.unit != "process"]
    shared = [row for curve in curves if curve not in grown for row in processes(curve)]
    draw(grown, options.out)
    tables = (
        Table("growth", SUMMARY, tuple(map(summary, grown))),
        Table("processes", PROCESSES, tuple(shared)),
        Table("points", POINTS, tuple(points)),
    )
    return Report({**machine, "load after": load()}, tables)


def _chosen(options: argparse.Namespace, extent: Extent, place: Path) -> list[Series]:
    """The series that are wanted, as far as is wanted."""
    most = options.most or float("inf")
    found = []
    for series in all_series(extent, place):
        values = tuple(value for value in series.values if value <= most)
        if len(values) > 1 and series.unit in (options.only or series.unit):
            found.append(replace(series, values=values))
    return found


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    units = ("slice", "pixel", "channel", "patient", "process")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder for the curves")
    parser.add_argument("--only", nargs="+", choices=units, help="what grows; all")
    parser.add_argument("--small", action="store_true", help="a minute's worth, to see it run")
    parser.add_argument("--most", type=int, help="leave out values above this")
    add_outputs(parser)
    return parser.parse_args(words)


def main() -> None:
    """Prints both tables."""
    run_and_tell(run, parse())


if __name__ == "__main__":
    main()
