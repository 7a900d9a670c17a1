"""Dice with and without the combination of close slices, and of planes, on held-out patients.

    python -m benchmarks.accuracy.close_slices MODEL SOURCE [--part P] [--fold K]
        [--sigma MM...] [--planes PLANE...] [--every N...] [--mirrored] [--json FILE] [--markdown]

Each case is segmented without smoothing and with each standard deviation, without clean-up. With
``--every N`` only every N-th slice is used, as in a scan with thicker spacing. ``--mirrored`` also
averages every slice with its mirror image, which takes twice as long. ``--planes coronal sagittal``
also segments each case by the slices of each of these planes alone, and of several planes together
(``inference.planes``), with the first standard deviation. Cases whose slices are not combined at
any distance (no voxel size, single slices) are left out.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.tables import Cell, Report, Table, add_outputs, output
from gliomask.core.geometry import Plane
from gliomask.core.labels import LabelArray
from gliomask.core.regions import labels_of_regions, region_masks
from gliomask.core.slices import SliceStack, uncrop
from gliomask.evaluation.reference_cases import Subject, find_subjects
from gliomask.inference.planes import CROSSING
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.jobs.control import SILENT
from gliomask.metrics.overlap_counts import count_overlap
from gliomask.nets.cards import AXIAL, CLOSE_MM

COLUMNS = ("slices, mm", "combination", "region", "cases", "Dice", "change", "worse", "worst")


@dataclass(frozen=True)
class Combination:
    """A way to combine slices."""

    sigma_mm: float
    mirrored: bool = False
    planes: tuple[Plane, ...] = AXIAL

    @property
    def name(self) -> str:
        """For a table."""
        smoothing = f"{self.sigma_mm:g} mm" if self.sigma_mm else "none"
        if self.planes != AXIAL:
            return f"{smoothing}, {' + '.join(self.planes)}"
        return f"{smoothing}, all mirrored" if self.mirrored else smoothing

    def of(self, predictor: Predictor) -> Predictor:
        """The predictor with this combination."""
        changes = {
            "slice_smoothing_mm": self.sigma_mm,
            "mirrored": self.mirrored,
            "planes": self.planes,
        }
        return Predictor(predictor.engine, predictor.card.model_copy(update=changes))


def every(stack: SliceStack, step: int) -> SliceStack:
    """Every ``step``-th slice of a stack, with the spacing that they have."""
    record = stack.record
    axis = record.turn.axes[0]
    affine, shape = record.affine.copy(), list(record.shape)
    array = stack.array[::step]
    affine[:, axis] *= step
    shape[axis] = len(array)
    sides = (shape[0], shape[1], shape[2])
    return replace(stack, array=array, record=replace(record, affine=affine, shape=sides))


def dice_of(predictor: Predictor, stack: SliceStack, reference: LabelArray) -> dict[str, float]:
    """Dice of the regions without clean-up; a region that both masks lack is left out."""
    card = predictor.card
    marked = labels_of_regions(predictor.maps(stack) >= card.threshold, card.regions)
    own = region_masks(uncrop(marked, stack.record), card.regions)
    drawn = region_masks(reference, card.regions)
    scores = {region: count_overlap(drawn[k], own[k]).dice for k, region in enumerate(card.regions)}
    return {region: dice for region, dice in scores.items() if dice is not None}


def measure(
    predictor: Predictor, subject: Subject, steps: list[int], ways: list[Combination]
) -> Iterator[tuple[float, Combination, str, float]]:
    """(distance of slices, combination, region, Dice) of a case."""
    examination = subject.load(SILENT)
    record = examination.stack.record
    if examination.annotated is not None or not record.has_world or record.slice_mm > CLOSE_MM:
        return
    for step in steps:
        stack, reference = every(examination.stack, step), examination.reference[::step]
        for way in ways:
            for region, dice in dice_of(way.of(predictor), stack, reference).items():
                if region in examination.regions:
                    yield record.slice_mm * step, way, region, dice


def report(options: argparse.Namespace) -> Report:
    """Mean Dice, and its change by each combination."""
    predictor = load_predictor(options.model, options.device)
    ways = [Combination(sigma) for sigma in (0.0, *options.sigma)]
    if options.mirrored:
        ways += [Combination(sigma, mirrored=True) for sigma in (0.0, *options.sigma)]
    ways += [Combination(options.sigma[0], planes=planes) for planes in _sets(options.planes)]
    values: dict[tuple[float, Combination, str], dict[str, float]] = defaultdict(dict)
    for subject in find_subjects(options.source, options.part, options.fold).subjects:
        for distance, way, region, dice in measure(predictor, subject, options.every, ways):
            values[distance, way, region][subject.case] = dice
    rows: list[tuple[Cell, ...]] = []
    for (distance, way, region), cases in values.items():
        plain = values[distance, ways[0], region]
        changes = np.array([cases[case] - plain[case] for case in cases if case in plain])
        mean = float(np.mean(list(cases.values())))
        worse = int((changes < 0).sum())
        change, worst = (round(float(value), 4) for value in (changes.mean(), changes.min()))
        rows.append((distance, way.name, region, len(cases), round(mean, 4), change, worse, worst))
    table = Table("Dice by combination of close slices", COLUMNS, tuple(rows))
    facts = {"model": predictor.card.name, "weights": predictor.card.weights_sha256}
    return Report(facts, (table,))


def _sets(planes: Sequence[Plane]) -> list[tuple[Plane, ...]]:
    """Each plane alone; then the axial one with the first, with the first two, and so on."""
    together = [(*AXIAL, *planes[:count]) for count in range(1, len(planes) + 1)]
    return [*((plane,) for plane in planes), *together]


def main(arguments: list[str] | None = None) -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", help="run folder or name of a model")
    parser.add_argument("source", type=Path, help="store or data set")
    parser.add_argument("--part", default=None, help="of the store's split")
    parser.add_argument("--fold", type=int, default=None)
    parser.add_argument("--sigma", type=float, nargs="+", default=[1.0, 1.5, 2.0], metavar="MM")
    parser.add_argument("--planes", nargs="+", default=[], choices=CROSSING, metavar="PLANE")
    parser.add_argument("--every", type=int, nargs="+", default=[1], metavar="N")
    parser.add_argument("--mirrored", action="store_true")
    parser.add_argument("--device", default="auto")
    add_outputs(parser)
    options = parser.parse_args(arguments)
    output(report(options), options)


if __name__ == "__main__":
    main()
