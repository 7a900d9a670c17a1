"""Time to score a case of the size of BraTS: overlap, surfaces and lesions of three regions.

    python -m benchmarks.speed.scoring FOLDER [--rounds 3] [--json FILE]

FOLDER is a data set in any known layout whose masks have parts. Each mask is scored against
three changed copies of itself: dilated, shifted, with blobs far from the tumour. The best of the
rounds is printed, in seconds per case, on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
from scipy.ndimage import grey_dilation

from benchmarks.harness import Timing, load, machine_facts, timed, use_threads
from benchmarks.tables import Cell, Report, Table, benchmark_parser, output
from gliomask.core.geometry import spacing_mm, voxel_ml
from gliomask.core.labels import OEDEMA, LabelArray
from gliomask.core.regions import REGIONS
from gliomask.datasets.find import find_cases
from gliomask.formats.images import read_labels
from gliomask.metrics.grids import on_reading_frame
from gliomask.metrics.scores import MaskPair, score_case

COLUMNS = ("case", "copy", "voxels", "Dice", "wall s", "CPU s")


def dilated(labels: LabelArray) -> LabelArray:
    """Every part one voxel larger, the higher label on top."""
    larger: LabelArray = grey_dilation(labels, size=3)
    return larger


def shifted(labels: LabelArray) -> LabelArray:
    """Moved by a few voxels along each axis."""
    return np.roll(labels, (2, 5, -4), axis=(0, 1, 2))


def with_blobs(labels: LabelArray) -> LabelArray:
    """Twenty invented cubes of all sizes, anywhere."""
    rng, changed = np.random.default_rng(0), labels.copy()
    for side in range(1, 21):
        corner = [int(rng.integers(0, length - side)) for length in labels.shape]
        s, h, w = (slice(start, start + side) for start in corner)
        changed[s, h, w] = rng.integers(1, 4) if side % 2 else OEDEMA
    return changed


CHANGES: Mapping[str, Callable[[LabelArray], LabelArray]] = {
    "dilated": dilated,
    "shifted": shifted,
    "with blobs": with_blobs,
}


def pairs(folder: Path) -> list[tuple[str, MaskPair]]:
    """Each case of a data set with each of its changed copies."""
    mask_pairs = []
    for case in find_cases(folder).cases:
        if case.label is None:
            continue
        numbers, affine = read_labels(case.label)
        turned, grid = on_reading_frame(numbers, affine)
        labels = case.scheme.translate(turned)
        voxel, spacing = voxel_ml(grid.affine), spacing_mm(grid.affine)
        for how, change in CHANGES.items():
            pair = MaskPair(case.id, case.id, labels, change(labels), None, voxel, spacing)
            mask_pairs.append((how, pair))
    return mask_pairs


def run(options: argparse.Namespace) -> Report:
    """Scores every pair ``--rounds`` times."""
    use_threads(1)
    machine = {**machine_facts(1), "load before": load()}
    mask_pairs = pairs(options.folder)
    _, importing = timed(lambda: import_module("monai.metrics"))  # once for each process
    rows: list[tuple[Cell, ...]] = []
    for how, pair in mask_pairs:
        runs = [timed(partial(score_case, pair, tuple(REGIONS))) for _ in range(options.rounds)]
        dice = next(score.overlap.dice for score in runs[0][0] if score.region == "whole")
        best = Timing(min(t.wall_s for _, t in runs), min(t.cpu_s for _, t in runs))
        shape = " x ".join(map(str, pair.reference.shape))
        rows.append((pair.case, how, shape, dice, best.wall_s, best.cpu_s))
    note = f"importing MONAI: {importing.wall_s:.2f} s"
    table = Table("scoring a case, best of the rounds", COLUMNS, tuple(rows))
    return Report({**machine, "load after": load()}, (table,), (note,))


def main() -> None:
    """Prints a row for each case and copy."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    output(run(options), options)


if __name__ == "__main__":
    main()
