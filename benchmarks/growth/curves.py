"""Growth of time and memory with slices, resolution, channels and patients.

    python -m benchmarks.growth.curves --out FOLDER [--only slice ...] [--most N] [--small]
        [--json FILE]

Each point is a new process on one thread. Its time is that of the work without imports (CPU time;
wall time for several processes), its memory the peak of the process. A straight line gives the
cost of a unit and the fixed cost; the exponent of a power law gives the growth: 1 is linear. The
networks have random weights, which predict tumour in some per cent of the head, scattered;
measuring lesions is slow on such masks. The tables are printed, and curves are drawn into the
folder.
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
from benchmarks.tables import Cell, Report, Table, benchmark_parser, run_and_output

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
    """Timing in the last line that a point prints."""
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
    """Rows of the table of speed-ups by several processes."""
    alone = curve.points[0].work.wall_s
    return [
        (curve.series.name, p.value, p.work.wall_s, p.whole.cpu_s, alone / p.work.wall_s)
        for p in curve.points
    ]


def run(options: argparse.Namespace, place: Path) -> Report:
    """Measures all series; ``place`` is a folder for temporary files."""
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
    """Selected series, with values up to ``--most``."""
    most = options.most or float("inf")
    chosen = []
    for series in all_series(extent, place):
        values = tuple(value for value in series.values if value <= most)
        if len(values) > 1 and series.unit in (options.only or series.unit):
            chosen.append(replace(series, values=values))
    return chosen


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    units = ("slice", "pixel", "channel", "patient", "process")
    parser = benchmark_parser(__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a folder for the curves")
    parser.add_argument("--only", nargs="+", choices=units, help="axes; default: all")
    parser.add_argument("--small", action="store_true", help="a test run of a minute")
    parser.add_argument("--most", type=int, help="leave out values above this")
    return parser.parse_args(words)


if __name__ == "__main__":
    run_and_output(run, parse())
