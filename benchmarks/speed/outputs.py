"""CPU time of all default outputs of ``predict`` relative to the mask alone, and between models.

    python -m benchmarks.speed.outputs EXAMINATION... [--model u2netp-glioma u2netp-lgg]
        [--rounds 3] [--json FILE]

``mask`` is ``--quick --write nifti``; ``all`` is the default: mask, page, picture, intervals, flag.
Each run is a fresh process, and all of them take turns; a ratio is that within each round, and its
median and range over the rounds are given, so that other work on the machine cancels out. CPU
seconds are those of the process and its children. Pin it to a core (``taskset -c 0``) so that
every run has the same threads.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Final

from benchmarks.harness import Timing, alternate, load, machine_facts, median, ratio, use_threads
from benchmarks.processes import run_fresh
from benchmarks.tables import Report, Table, benchmark_parser, run_and_output
from gliomask.config.shipped import DEFAULT

OUTPUTS: Final = {"mask": ("--quick", "--write", "nifti"), "all": ()}
"""Name -> options of the command."""
COLUMNS: Final = ("examination", "model", "mask s", "all s", "all / mask", "mask / last mask")

Run = tuple[str, str]
"""Model and outputs."""


def measure(examination: Path, run: Run) -> Timing:
    """One prediction in a new process."""
    model, outputs = run
    with tempfile.TemporaryDirectory() as out:
        words = ["-m", "gliomask", "predict", str(examination), "--out", out, "--model", model]
        return run_fresh([*words, "--device", "cpu", *OUTPUTS[outputs]]).timing


def rows(
    examination: Path, models: Sequence[str], timings: Mapping[Run, Sequence[Timing]]
) -> list[tuple[str | float, ...]]:
    """A row for each model."""
    last = timings[models[-1], "mask"]
    lines: list[tuple[str | float, ...]] = []
    for model in models:
        mask, everything = (timings[model, outputs] for outputs in OUTPUTS)
        seconds = (median(mask, "cpu"), median(everything, "cpu"))
        ratios = (str(ratio(everything, mask, "cpu")), str(ratio(mask, last, "cpu")))
        lines.append((examination.name, model, *seconds, *ratios))
    return lines


def run(options: argparse.Namespace, _place: Path) -> Report:
    """All examinations, one after another."""
    use_threads(1)
    machine = {**machine_facts(1), "load before": load()}
    lines = []
    for examination in options.examinations:
        runs = {f"{m} {o}": (m, o) for m, o in product(options.model, OUTPUTS)}

        def turn(
            name: str, _number: int, examination: Path = examination, runs: dict[str, Run] = runs
        ) -> Timing:
            return measure(examination, runs[name])

        timings = alternate(list(runs), options.rounds, turn, warm_up=0)
        lines += rows(examination, options.model, {runs[n]: t for n, t in timings.items()})
    table = Table("CPU time of predict", COLUMNS, tuple(lines))
    return Report({**machine, "load after": load()}, (table,))


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("examinations", nargs="+", type=Path)
    parser.add_argument("--model", nargs="+", default=[DEFAULT])
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args(words)


if __name__ == "__main__":
    run_and_output(run, parse())
