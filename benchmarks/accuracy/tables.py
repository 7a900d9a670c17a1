"""Tables of docs/explanation/accuracy-lgg.md from the results of ``benchmarks.accuracy.folds``.

    python -m benchmarks.accuracy.tables OUT [EXPERIMENT...] [--markdown]

For each experiment: Dice over all patients of the folds with its interval, the rate of
false-positive slices, and the paired difference from its base experiment with its interval and the
p of a sign-flip test, not corrected for the number of rows.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.folds import EVALUATION, Experiment, read_plan
from benchmarks.tables import Report, Table, benchmark_parser, output
from gliomask.statistics.comparison import PairedDifference, compare

Scores = dict[str, float]
REGION = "whole"


def dice_of(evaluation: Path) -> Scores:
    """Patient -> Dice of the whole tumour."""
    with (evaluation / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["region"] == REGION]
    return {row["patient"]: float(row["dice"]) for row in rows}


def difference(first: Scores, second: Scores) -> PairedDifference:
    """Paired difference, first minus second."""
    return compare({"first": {"dice": first}, "second": {"dice": second}}).differences[0]


def row(experiment: Experiment, base: Experiment | None, out: Path) -> tuple[str, ...]:
    """Row of an experiment, with its difference from the base."""
    evaluation = out / experiment.folder / EVALUATION
    summary: dict[str, Any] = json.loads((evaluation / "summary.json").read_text("utf-8"))
    dice, slices = summary["dice"][REGION], summary["slices"][REGION]
    cells = (
        experiment.name,
        _with_interval(dice["mean"], dice["ci95"], ".3f"),
        f"{dice['median']:.3f}",
        f"{dice['p10']:.3f}",
        f"{100 * slices['false_positive_rate']:.1f} %",
    )
    if base is None:
        return (*cells, "", "")
    paired = difference(dice_of(evaluation), dice_of(out / base.folder / EVALUATION))
    if paired.difference is None or paired.p is None:
        raise ValueError(f"{experiment.name}: no patients in common with {base.name}")
    return (*cells, _with_interval(paired.difference, paired.ci95, "+.3f"), f"{paired.p:.4f}")


def _with_interval(value: float, interval: Sequence[float] | None, form: str) -> str:
    """A value with its interval, which a single patient does not have."""
    around = "" if interval is None else f" [{interval[0]:{form}}, {interval[1]:{form}}]"
    return f"{value:{form}}{around}"


def table(names: Sequence[str], out: Path) -> Table:
    """Table of the evaluated experiments."""
    plan = read_plan()
    evaluated = {
        name: experiment
        for name, experiment in plan.items()
        if (out / experiment.folder / EVALUATION / "summary.json").is_file()
    }
    columns = ("experiment", "Dice", "median", "p10", "false-positive slices", "change", "p")
    done = [evaluated[name] for name in names if name in evaluated]
    rows = tuple(
        row(experiment, evaluated.get(experiment.against or ""), out) for experiment in done
    )
    return Table("Out of fold", columns, rows)


def main() -> None:
    """The command."""
    plan = read_plan()
    parser = benchmark_parser(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT")
    options = parser.parse_args()
    results = table(options.experiments or list(plan), options.out)
    output(Report({"experiments": len(results.rows)}, (results,)), options)


if __name__ == "__main__":
    main()
