"""Accuracy of the detection of the post-contrast series among two T1 series from the images.

    python benchmarks/contrast_pairs.py FOLDER [FOLDER...] [--csv scores.csv]

Each folder is a data set with T1 before and after contrast on one grid (BraTS, UPENN-GBM, the LGG
set). The score changes its sign when the two are exchanged, so each pair stands for both orders.
The patients are split into halves by a hash of their key; the threshold is fitted on one (a tenth
beyond the largest score for the wrong order) and reported on the other.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import sys
from pathlib import Path

from gliomask.alignment.enhancement import CLEAR, brightening
from gliomask.core.case import Case
from gliomask.core.geometry import spacing_mm
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_series

PICTURES_MM = (1.0, 1.0, 5.0)
"""About the voxel size of the LGG set, whose pictures don't state it."""

Row = tuple[str, str, str, float, float, float]


def measured(case: Case, dataset: str) -> Row | None:
    """Data set, patient, case, shares and score; None without both T1."""
    if not {"t1", "t1ce"} <= set(case.images):
        return None
    series = load_series(case)
    before, after = series["t1"], series["t1ce"]
    spacing = spacing_mm(before.affine) if before.has_world else PICTURES_MM
    comparison = brightening(before.array, after.array, spacing)
    shares = (
        (0.0, 0.0, 0.0)
        if comparison is None
        else (comparison.second, comparison.first, comparison.score)
    )
    return (dataset, case.patient, case.id, *shares)


def half_of(patient: str) -> int:
    """0 for patients that the threshold is fitted on, 1 for those that are reported."""
    return hashlib.sha256(patient.encode()).digest()[0] % 2


def line(name: str, scores: list[float], threshold: float) -> str:
    right = sum(score >= threshold for score in scores)
    wrong = sum(score <= -threshold for score in scores)
    undecided = len(scores) - right - wrong
    share = (right + undecided) / len(scores) if scores else math.nan
    counts = f"{right} right, {undecided} undecided, {wrong} wrong"
    return f"{name}: {counts} of {len(scores)} ({share:.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    rows: list[Row] = []
    for folder in arguments.folders:
        for case in find_cases(folder).cases:
            if (row := measured(case, folder.name)) is not None:
                rows.append(row)
                print(*row, file=sys.stderr, flush=True)
    if arguments.csv:
        with arguments.csv.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    fitted = 1.1 * max([-row[-1] for row in rows if half_of(row[1]) == 0], default=0.0)
    print(f"fitted on one half: {fitted:.2f}; shipped: {CLEAR}")
    for title, threshold in (("fitted", fitted), ("shipped", CLEAR)):
        print(f"the other half, threshold {title} ({threshold:.2f})")
        for name in dict.fromkeys(row[0] for row in rows):
            kept = [row[-1] for row in rows if row[0] == name and half_of(row[1]) == 1]
            print("  " + line(name, kept, threshold))
        print("  " + line("all", [r[-1] for r in rows if half_of(r[1]) == 1], threshold))
    print(line(f"both halves, {CLEAR}", [row[-1] for row in rows], CLEAR))


if __name__ == "__main__":
    main()
