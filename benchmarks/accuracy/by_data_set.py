"""Dice of an evaluation by data set and kind of image: tables for docs/explanation/accuracy.md.

    python -m benchmarks.accuracy.by_data_set EVALUATION [--json FILE] [--markdown]

``EVALUATION`` is a folder that ``gliomask evaluate`` wrote for a store of several data sets. The
data set of a case is read off its name.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.tables import Cell, Report, Table, add_outputs, tell
from gliomask.statistics import scores_by_patient, summarise

DATA_SETS: Final[Mapping[str, str]] = {
    r"BraTS-SSA-": "BraTS-Africa",
    r"BraTS2021_": "BraTS 2021",
    r"Brats1[78]_": "BraTS 2017/18",
    r"UPENN-GBM": "UPENN-GBM",
    r"TCGA_": "LGG",
}
"""How the names of a data set's cases begin, as a regular expression -> the data set."""
WHOLE_HEADS: Final = frozenset({"LGG"})
"""Data sets of whole heads; the others are skull-stripped."""
COLUMNS: Final = ("region", "data set", "patients", "Dice", "95 %", "median", "p10", "min")


def data_set(case: str) -> str:
    """The data set that a case is of.

    Raises:
        ValueError: its name is of none.
    """
    for start, name in DATA_SETS.items():
        if re.match(start, case):
            return name
    raise ValueError(f"{case}: of no known data set")


def groups(case: str) -> tuple[str, ...]:
    """All groups that a case counts in: its data set, its kind of image, all."""
    own = data_set(case)
    return (own, "whole heads" if own in WHOLE_HEADS else "skull-stripped", "all")


def dice_by_data_set(rows: Iterable[Mapping[str, str]]) -> Table:
    """Dice by region and group, a patient's cases in one group averaged.

    Args:
        rows: of ``metrics.csv``; those without a Dice are left out.
    """
    scores: dict[tuple[str, str], list[tuple[str, float | None]]] = {}
    for row in rows:
        if row["dice"]:
            for group in groups(row["case"]):
                scores.setdefault((row["region"], group), []).append(
                    (row["patient"], float(row["dice"]))
                )
    lines: list[tuple[Cell, ...]] = []
    for (region, group), found in sorted(scores.items(), key=lambda item: _order(*item[0])):
        summary = summarise(list(scores_by_patient(found).values()))
        interval = summary.ci95
        lines.append(
            (
                region,
                group,
                summary.n,
                summary.mean,
                f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else None,
                summary.median,
                summary.p10,
                summary.min,
            )
        )
    return Table("Dice by data set", COLUMNS, tuple(lines))


def _order(region: str, group: str) -> tuple[int, int]:
    names = [*DATA_SETS.values(), "whole heads", "skull-stripped", "all"]
    return ("whole", "core", "enhancing").index(region), names.index(group)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("evaluation", type=Path)
    add_outputs(parser)
    options = parser.parse_args()
    with (options.evaluation / "metrics.csv").open(encoding="utf-8", newline="") as file:
        table = dice_by_data_set(csv.DictReader(file))
    tell(Report({}, (table,)), options)


if __name__ == "__main__":
    main()
