"""Effect of threshold, clean-up and flips, chosen on the validation patients of each fold.

    python -m benchmarks.accuracy.chosen_inside STORE RUN_OF_FOLD...

Every fold's model predicts its validation patients and its held-out patients. The chosen settings
(threshold, minimal size of fragments, flip test-time augmentation) have the highest mean Dice over
the validation patients of the fold, or of all folds together; they are tested on the held-out
patients. ``--most`` limits the share of tumour-free validation slices that are marked.

The counts are stored with each run (``chosen_inside.npz``), so a repetition takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.small_fragments import SHARES, without_small_parts
from benchmarks.tables import Report, Table, benchmark_parser, output
from gliomask.core.geometry import to_reading
from gliomask.core.regions import region_masks
from gliomask.core.slices import SliceStack, place
from gliomask.core.volume import FloatArray
from gliomask.evaluation.reference_cases import Subject, find_subjects
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.jobs.control import SILENT
from gliomask.metrics.boxes import bounding_box
from gliomask.provenance.run_record import RunRecord
from gliomask.statistics.summary import bootstrap_ci95
from gliomask.statistics.temperature import adjusted_threshold
from gliomask.store.store import open_store

THRESHOLDS = np.round(np.arange(0.2, 0.81, 0.05), 2)
AREAS = (0, 10, 20, 40, 80)
"""Minimal pixels of tumour in a slice; smaller areas are removed."""
FLIPS = ("plain", "mean of both")
_FILE = "chosen_inside.npz"
_KINDS = ("both", "predicted", "invented")
Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
Pick = tuple[int, int, int, int]
"""Indices of flips, threshold, share and area."""


@dataclass(frozen=True, eq=False)
class Counted:
    """Counts of N patients for every choice.

    Attributes:
        patients: (N,) keys; test: (N,), whether they are test patients of the fold.
        counts: (N, flips, thresholds, shares, areas, 3) pixels of the overlap, of the prediction,
            and slices without tumour that are marked.
        true: (N,) pixels of tumour; free: (N,) slices without any.
    """

    patients: npt.NDArray[np.str_]
    test: Mask
    counts: Counts
    true: Counts
    free: Counts

    @property
    def dice(self) -> FloatArray:
        """(N, ...) of every choice."""
        true = self.true.reshape(-1, *[1] * (self.counts.ndim - 2))
        dice: FloatArray = 2 * self.counts[..., 0] / np.maximum(self.counts[..., 1] + true, 1)
        return dice

    def of(self, rows: Mask) -> Counted:
        """Some of the patients."""
        fields = (self.patients[rows], self.test[rows], self.counts[rows])
        return Counted(*fields, self.true[rows], self.free[rows])


def count(store: Path, run: Path) -> Counted:
    """Counts of a fold: stored ones, or computed and stored."""
    path = run / _FILE
    if path.is_file():
        with np.load(path) as stored:
            return Counted(**{name: stored[name] for name in stored.files})
    loaded = load_predictor(run)
    predictor = Predictor(loaded.engine, loaded.card.model_copy(update={"mirrored": False}))
    rows = [_one(predictor, subject, test=test) for subject, test in _subjects(store, run)]
    names, tests, counts, true, free = zip(*rows, strict=True)
    counted = Counted(*map(np.array, (names, tests, counts, true, free)))
    np.savez_compressed(path, **vars(counted))
    return counted


def _subjects(store: Path, run: Path) -> Iterator[tuple[Subject, bool]]:
    patients = RunRecord(run).patients
    if patients is None or patients.fold is None:
        raise SystemExit(f"{run}: not the run of a fold")
    parts = open_store(store).split.parts(patients.fold)
    for subject in find_subjects(store, "all", None).subjects:
        if subject.patient in parts.validation or subject.patient in parts.test:
            yield subject, subject.patient in parts.test


def _one(
    predictor: Predictor, subject: Subject, *, test: bool
) -> tuple[str, bool, Counts, int, int]:
    examination = subject.load(SILENT)
    record = examination.stack.record
    true = region_masks(to_reading(examination.reference, record.turn), ("whole",))[0]
    plain, mirrored = predictor.maps(examination.stack), _mirrored(predictor, examination.stack)
    counts = []
    for maps in (plain, (plain + mirrored) / 2):
        predicted = to_reading(place(maps, record)[0], record.turn)
        counts.append(_count(predictor, predicted, true))
    free = int((~true.any(axis=(1, 2))).sum())
    return subject.patient, test, np.stack(counts), int(true.sum()), free


def _mirrored(predictor: Predictor, stack: SliceStack) -> FloatArray:
    flipped = replace(stack, array=np.ascontiguousarray(stack.array[..., ::-1]))
    return predictor.maps(flipped)[..., ::-1]


def _count(predictor: Predictor, predicted: FloatArray, true: Mask) -> Counts:
    """(thresholds, shares, areas, 3) of one volume (S, H, W)."""
    card = predictor.card
    lowest = adjusted_threshold(float(THRESHOLDS[0]), card.temperature)
    box = bounding_box((predicted >= lowest) | true)
    predicted, true = predicted[box], true[box]
    counts = np.zeros((len(THRESHOLDS), len(SHARES), len(AREAS), len(_KINDS)), np.int64)
    free = ~true.any(axis=(1, 2))
    for t, threshold in enumerate(THRESHOLDS):
        mask = predicted >= adjusted_threshold(float(threshold), card.temperature)
        for s, labels in enumerate(without_small_parts(mask.astype(np.uint8), SHARES)):
            kept = labels > 0
            for a, area in enumerate(AREAS):
                marked = kept & (kept.sum(axis=(1, 2)) >= max(area, 1))[:, None, None]
                invented = marked.any(axis=(1, 2)) & free
                counts[t, s, a] = (marked & true).sum(), marked.sum(), invented.sum()
    return counts


def choose(counted: Counted, free: Sequence[bool], most: float | None) -> Pick:
    """Choose the settings with the highest mean Dice over validation patients.

    Args:
        counted: validation patients.
        free: for flips, threshold, share and area whether it is chosen; else it is plain, 0.5,
            nothing dropped.
        most: share of slices without tumour that may be marked.
    """
    usual = (0, int(np.argmin(abs(THRESHOLDS - 0.5))), 0, 0)
    dice = counted.dice.mean(axis=0)
    rate = counted.counts[..., 2].sum(axis=0) / max(counted.free.sum(), 1)
    open_to = np.ones(dice.shape, bool)
    for axis, chosen in enumerate(free):
        if not chosen:
            only = np.arange(dice.shape[axis]) == usual[axis]
            open_to &= np.expand_dims(only, tuple(k for k in range(4) if k != axis))
    if most is not None:
        allowed = open_to & (rate <= most)
        # If no choice is within the limit, the one that marks fewest slices.
        open_to = allowed if allowed.any() else open_to & (rate == rate[open_to].min())
    best = np.unravel_index(np.argmax(np.where(open_to, dice, -1)), dice.shape)
    flips, threshold, share, area = map(int, best)
    return flips, threshold, share, area


WAYS: dict[str, tuple[bool, bool, bool, bool]] = {
    "as it is: 0.5, nothing dropped": (False, False, False, False),
    "flips": (True, False, False, False),
    "threshold": (False, True, False, False),
    "small components dropped": (False, False, True, False),
    "small areas in a slice dropped": (False, False, False, True),
    "threshold and components": (False, True, True, False),
    "threshold, components and areas": (False, True, True, True),
    "all of these": (True, True, True, True),
}


def report(folds: Sequence[Counted], most: float | None, *, together: bool) -> Table:
    """Out-of-fold results of each way of choosing."""
    inner = [fold.of(~fold.test) for fold in folds]
    usual = None
    rows = []
    for name, free in WAYS.items():
        if together:
            picks = [choose(_pooled(inner), free, most)] * len(folds)
        else:
            picks = [choose(fold, free, most) for fold in inner]
        tests = [fold.of(fold.test) for fold in folds]
        dice = np.concatenate(
            [t.dice[(slice(None), *p)] for t, p in zip(tests, picks, strict=True)]
        )
        invented = sum(
            int(t.counts[(slice(None), *p, 2)].sum()) for t, p in zip(tests, picks, strict=True)
        )
        usual = dice if usual is None else usual
        low, high = bootstrap_ci95(dice - usual)
        change = f"{(dice - usual).mean():+.4f} [{low:+.4f}, {high:+.4f}]"
        rate = 100 * invented / sum(int(t.free.sum()) for t in tests)
        words = "; ".join(dict.fromkeys(_words(pick) for pick in picks))
        rows.append(
            (
                name,
                f"{dice.mean():.4f}",
                change,
                f"{np.percentile(dice, 10):.3f}",
                f"{rate:.1f} %",
                words,
            )
        )
    columns = ("chosen inside", "Dice", "change", "p10", "marked free slices", "choices")
    limit = "" if most is None else f", at most {100 * most:g} % of false-positive slices"
    where = "all folds' validation patients together" if together else "each fold's own"
    return Table(f"Out of fold, chosen on {where}{limit}", columns, tuple(rows))


def _pooled(folds: Sequence[Counted]) -> Counted:
    fields = [[getattr(fold, name) for fold in folds] for name in Counted.__annotations__]
    return Counted(*map(np.concatenate, fields))


def _words(pick: Pick) -> str:
    flips, threshold, share, area = pick
    return f"{FLIPS[flips]} {THRESHOLDS[threshold]:g} {SHARES[share]:g} {AREAS[area]}px"


def main() -> None:
    """The command."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--most", type=float, default=0.02)
    options = parser.parse_args()
    folds = [count(options.store, run) for run in options.runs]
    tables = tuple(
        report(folds, most, together=together)
        for most in (None, options.most)
        for together in (False, True)
    )
    facts = {"patients": sum(int(fold.test.sum()) for fold in folds), "folds": len(folds)}
    output(Report(facts, tables), options)


if __name__ == "__main__":
    main()
