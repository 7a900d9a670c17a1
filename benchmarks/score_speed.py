"""How long it takes to judge a case of BraTS' size: overlap, surfaces and lesions of three regions.

    python benchmarks/score_speed.py FOLDER [--rounds 3]

FOLDER is a data set in any known layout whose masks have parts. Each mask is judged against
copies of itself that are spoilt in three ways: dilated, shifted, with blobs far from the tumour.
The best of the rounds is printed, in seconds per case, on one core (set OMP_NUM_THREADS=1).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from scipy.ndimage import grey_dilation

from gliomask.core.geometry import spacing_mm, voxel_ml
from gliomask.core.labels import OEDEMA, REGIONS, LabelArray
from gliomask.datasets.find import find_cases
from gliomask.evaluation.grids import on_reading_frame
from gliomask.evaluation.scores import MaskPair, score_case
from gliomask.formats.images import read_labels


def dilated(labels: LabelArray) -> LabelArray:
    """Every part one voxel larger, the higher label on top."""
    larger: LabelArray = grey_dilation(labels, size=3)
    return larger


def shifted(labels: LabelArray) -> LabelArray:
    """Moved by a few voxels along each axis."""
    return np.roll(labels, (2, 5, -4), axis=(0, 1, 2))


def with_blobs(labels: LabelArray) -> LabelArray:
    """Twenty invented cubes of all sizes, anywhere."""
    rng, spoilt = np.random.default_rng(0), labels.copy()
    for side in range(1, 21):
        corner = [int(rng.integers(0, length - side)) for length in labels.shape]
        s, h, w = (slice(start, start + side) for start in corner)
        spoilt[s, h, w] = rng.integers(1, 4) if side % 2 else OEDEMA
    return spoilt


SPOILT: Mapping[str, Callable[[LabelArray], LabelArray]] = {
    "dilated": dilated,
    "shifted": shifted,
    "with blobs": with_blobs,
}


def pairs(folder: Path) -> list[tuple[str, MaskPair]]:
    """Each case of a data set with each of its spoilt copies."""
    found = []
    for case in find_cases(folder).cases:
        if case.label is None:
            continue
        numbers, affine = read_labels(case.label)
        turned, grid = on_reading_frame(numbers, affine)
        labels = case.scheme.translate(turned)
        voxel, spacing = voxel_ml(grid.affine), spacing_mm(grid.affine)
        for how, spoil in SPOILT.items():
            pair = MaskPair(case.id, case.id, labels, spoil(labels), None, voxel, spacing)
            found.append((how, pair))
    return found


def seconds(pair: MaskPair, rounds: int) -> float:
    """The quickest of a few rounds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        score_case(pair, tuple(REGIONS))
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    """Prints a line for each case and copy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    judged = pairs(options.folder)
    start = time.perf_counter()
    import monai.metrics  # noqa: F401  apart from the cases, for it happens once

    print(f"importing MONAI: {time.perf_counter() - start:.2f} s")
    for how, pair in judged:
        whole = score_case(pair, ("whole",))[0]
        dice = whole.overlap.dice or 0.0
        taken = seconds(pair, options.rounds)
        shape = "x".join(map(str, pair.reference.shape))
        print(f"{pair.case} {shape} {how:10} Dice {dice:.3f}: {taken:.2f} s")


if __name__ == "__main__":
    main()
