"""Dice of an evaluation by data set and kind of image: tables for docs/explanation/accuracy.md.

    python -m benchmarks.accuracy.by_data_set EVALUATION [--json FILE] [--markdown]

``EVALUATION`` is a folder that ``gliomask evaluate`` wrote for a store of several data sets. The
data set of a case is recognised by its name.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.tables import Cell, Report, Table, benchmark_parser, output
from gliomask.core.regions import REGIONS
from gliomask.statistics.summary import Summary, by_patient, summarise

DATA_SETS: Final[Mapping[str, str]] = {
    r"BraTS-SSA-": "BraTS-Africa",
    r"BraTS2021_": "BraTS 2021",
    r"Brats1[78]_": "BraTS 2017/18",
    r"UPENN-GBM": "UPENN-GBM",
    r"TCGA_": "LGG",
    r"glioma-\d": "Cheng et al.",
    r"BTP-\d": "Brain-Tumor-Progression",
}
"""Regular expression that the case names of a data set match at their start -> its name."""
KINDS: Final[Mapping[str, str]] = {
    "LGG": "whole heads",
    "Cheng et al.": "post-contrast T1 alone",
    "Brain-Tumor-Progression": "post-contrast T1 alone",
}
"""Kind of image of a data set; all others are skull-stripped."""
SKULL_STRIPPED: Final = "skull-stripped"
ALL: Final = "all"
COLUMNS: Final = ("region", "data set", "patients", "Dice", "95 %", "median", "p10", "min")


def data_set(case: str) -> str:
    """Data set of a case.

    Raises:
        ValueError: a name of no known data set.
    """
    for start, name in DATA_SETS.items():
        if re.match(start, case):
            return name
    raise ValueError(f"{case}: of no known data set")


def groups(case: str) -> tuple[str, ...]:
    """Groups of a case: its data set, its kind of image, all."""
    own = data_set(case)
    return (own, KINDS.get(own, SKULL_STRIPPED), ALL)


def dice_by_data_set(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], Summary]:
    """Dice by (region, group), a patient's cases in one group averaged.

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
    return {key: summarise(by_patient(scores[key])) for key in sorted(scores, key=_order)}


def table_of(summaries: Mapping[tuple[str, str], Summary]) -> Table:
    """Table of the summaries."""
    return Table(
        "Dice by data set",
        COLUMNS,
        tuple(_row(*key, summary) for key, summary in summaries.items()),
    )


def _row(region: str, group: str, summary: Summary) -> tuple[Cell, ...]:
    interval = f"{summary.ci95[0]:.3f} to {summary.ci95[1]:.3f}" if summary.ci95 else None
    return (
        region,
        group,
        summary.n,
        summary.mean,
        interval,
        summary.median,
        summary.p10,
        summary.min,
    )


def _order(key: tuple[str, str]) -> tuple[int, int]:
    region, group = key
    names = [*DATA_SETS.values(), *dict.fromkeys(KINDS.values()), SKULL_STRIPPED, ALL]
    return tuple(REGIONS).index(region), names.index(group)


def main() -> None:
    """The command."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("evaluation", type=Path)
    options = parser.parse_args()
    with (options.evaluation / "metrics.csv").open(encoding="utf-8", newline="") as file:
        summaries = dice_by_data_set(csv.DictReader(file))
    output(Report({}, (table_of(summaries),)), options)


if __name__ == "__main__":
    main()
