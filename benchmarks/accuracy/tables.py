"""The tables of docs/explanation/accuracy-lgg.md from what ``benchmarks.accuracy.folds`` has made.

    python -m benchmarks.accuracy.tables OUT [EXPERIMENT...] [--markdown]

Each experiment next to the one that it is compared with, if that was evaluated: Dice over all
patients of the folds with its interval, how often slices without tumour are marked, and the paired
difference with its interval and the p of a sign-flip test, not corrected for the number of rows.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.folds import EVALUATION, Experiment, read_plan
from benchmarks.tables import Report, Table, add_outputs, tell
from gliomask.statistics.comparison import PairedDifference, compare

Scores = dict[str, float]
REGION = "whole"


def dice_of(evaluation: Path) -> Scores:
    """Patient -> Dice of the whole tumour."""
    with (evaluation / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["region"] == REGION]
    return {row["patient"]: float(row["dice"]) for row in rows}


def difference(first: Scores, second: Scores) -> PairedDifference:
    """First minus second, patient by patient."""
    return compare({"first": {"dice": first}, "second": {"dice": second}}).differences[0]


def row(one: Experiment, base: Experiment | None, out: Path) -> tuple[str, ...]:
    """An experiment as a row, beside the one that it is held against."""
    evaluation = out / one.folder / EVALUATION
    summary: dict[str, Any] = json.loads((evaluation / "summary.json").read_text("utf-8"))
    dice, slices = summary["dice"][REGION], summary["slices"][REGION]
    cells = (
        one.name,
        _with_interval(dice["mean"], dice["ci95"], ".3f"),
        f"{dice['median']:.3f}",
        f"{dice['p10']:.3f}",
        f"{100 * slices['false_positive_rate']:.1f} %",
    )
    if base is None:
        return (*cells, "", "")
    found = difference(dice_of(evaluation), dice_of(out / base.folder / EVALUATION))
    if found.difference is None or found.p is None:
        raise ValueError(f"{one.name}: no patients in common with {base.name}")
    return (*cells, _with_interval(found.difference, found.ci95, "+.3f"), f"{found.p:.4f}")


def _with_interval(value: float, interval: Sequence[float] | None, form: str) -> str:
    """One patient alone has no interval."""
    around = "" if interval is None else f" [{interval[0]:{form}}, {interval[1]:{form}}]"
    return f"{value:{form}}{around}"


def table(names: Sequence[str], out: Path) -> Table:
    """The experiments that are judged already."""
    plan = read_plan()
    judged = {
        name: one
        for name, one in plan.items()
        if (out / one.folder / EVALUATION / "summary.json").is_file()
    }
    columns = ("experiment", "Dice", "median", "p10", "false-positive slices", "change", "p")
    done = [judged[name] for name in names if name in judged]
    rows = tuple(row(one, judged.get(one.against or ""), out) for one in done)
    return Table("Out of fold", columns, rows)


def main() -> None:
    """The command."""
    plan = read_plan()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT")
    add_outputs(parser)
    options = parser.parse_args()
    found = table(options.experiments or list(plan), options.out)
    tell(Report({"experiments": len(found.rows)}, (found,)), options)


if __name__ == "__main__":
    main()
