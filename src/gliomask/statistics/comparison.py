"""Paired comparison of two or more sets of predictions for the same patients.

Tests are paired, because a patient that is difficult for one model is usually difficult for the
other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType
from typing import Literal

import numpy as np

from gliomask.jobs.control import SILENT, Control
from gliomask.metrics.policy import Score
from gliomask.statistics.permutation import holm, sign_flip_test
from gliomask.statistics.summary import bootstrap_ci95

Scores = Mapping[str, Mapping[str, Score]]
"""Metric -> patient -> score, of one set of predictions."""

Best = Literal["high", "low", "zero"]
"""Best values of a metric: high ones, low ones such as distances, or 0, such as signed errors."""

_TIE = 1e-12
"""Maximum difference of equal scores."""


@dataclass(frozen=True)
class PairedDifference:
    """Comparison of two sets in one metric, over the patients with a score in both.

    Attributes:
        metric: the metric.
        first, second: names of the sets.
        n: number of patients with a score in both; all values refer to them.
        n_one_unscored: patients in both sets with a score in only one.
        n_both_unscored: patients in both sets with a score in neither.
        mean_first, mean_second: None if ``n`` is 0.
        difference: mean of first minus second; None if ``n`` is 0.
        ci95: paired bootstrap interval of the difference; None if ``n`` < 2.
        p: p value of the sign-flip test; None if ``n`` is 0.
        p_holm: p corrected for all comparisons.
        exact: whether all sign patterns were used, or a random sample.
        wins, ties, losses: numbers of patients with first better, equal, worse.
    """

    metric: str
    first: str
    second: str
    n: int
    n_one_unscored: int
    n_both_unscored: int
    mean_first: float | None
    mean_second: float | None
    difference: float | None
    ci95: tuple[float, float] | None
    p: float | None
    p_holm: float | None
    exact: bool
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class Absent:
    """A patient that is missing in some sets.

    Attributes:
        patient: the key.
        missing_from: sets without the patient, in order.
    """

    patient: str
    missing_from: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Comparison of sets of predictions.

    Attributes:
        sets: their names, in the given order.
        n_shared: number of patients in all sets.
        absent: the other patients, sorted; each pair is compared over its common patients.
        differences: for each pair in order, each metric in order.
    """

    sets: tuple[str, ...]
    n_shared: int
    absent: tuple[Absent, ...]
    differences: tuple[PairedDifference, ...]


def compare(
    sets: Mapping[str, Scores],
    *,
    best: Mapping[str, Best] = MappingProxyType({}),
    seed: int = 0,
    control: Control = SILENT,
) -> Comparison:
    """Compare each pair of sets in each metric.

    Args:
        sets: name -> scores, two or more, all with the same metrics.
        best: best values of metrics, where they are not the high ones. They affect wins and losses,
            not the sign of the difference.
        seed: seed of bootstrap and test; each comparison uses it again, so comparisons are
            independent.
        control: receives the progress of the comparisons.

    Raises:
        ValueError: fewer than two sets, sets with different metrics, a score that is not finite.
    """
    names = tuple(sets)
    if len(names) < 2:
        raise ValueError("nothing to compare: fewer than two sets")
    metrics = _metrics(sets)
    combinations_to_test = [(metric, a, b) for a, b in combinations(names, 2) for metric in metrics]
    control.start(len(combinations_to_test), "comparing")
    differences_found = []
    for what in combinations_to_test:
        differences_found.append(_difference(what, sets, seed, best.get(what[0], "high")))
        control.advance(note=what[0])
    corrected = holm([difference.p for difference in differences_found])
    differences = (
        replace(difference, p_holm=p)
        for difference, p in zip(differences_found, corrected, strict=True)
    )
    absent, shared = _absent(sets)
    return Comparison(names, shared, absent, tuple(differences))


def _metrics(sets: Mapping[str, Scores]) -> tuple[str, ...]:
    first, *others = sets
    for other in others:
        odd = set(sets[first]) ^ set(sets[other])
        if odd:
            raise ValueError(f"only one of the sets {first!r} and {other!r} has {min(odd)!r}")
    return tuple(sets[first])


def _absent(sets: Mapping[str, Scores]) -> tuple[tuple[Absent, ...], int]:
    """Patients that are missing in some sets, and the number of common patients."""
    patients = {
        name: {p for patient_scores in scores.values() for p in patient_scores}
        for name, scores in sets.items()
    }
    all_patients = sorted(set().union(*patients.values()))
    missing = {
        patient: tuple(s for s in sets if patient not in patients[s]) for patient in all_patients
    }
    absent = tuple(Absent(patient, lacking) for patient, lacking in missing.items() if lacking)
    return absent, len(all_patients) - len(absent)


def _difference(
    what: tuple[str, str, str], sets: Mapping[str, Scores], seed: int, best: Best
) -> PairedDifference:
    metric, first, second = what
    first_scores, other = sets[first][metric], sets[second][metric]
    both = [(first_scores[patient], other[patient]) for patient in first_scores if patient in other]
    pairs = [(x, y) for x, y in both if x is not None and y is not None]
    unscored = sum(x is None and y is None for x, y in both)
    differences = _differences(pairs)
    gains = _differences([(_merit(x, best), _merit(y, best)) for x, y in pairs])
    p, exact = sign_flip_test(differences, seed=seed)
    return PairedDifference(
        metric=metric,
        first=first,
        second=second,
        n=len(pairs),
        n_one_unscored=len(both) - len(pairs) - unscored,
        n_both_unscored=unscored,
        mean_first=_mean([x for x, _ in pairs]),
        mean_second=_mean([y for _, y in pairs]),
        difference=_mean(differences),
        ci95=bootstrap_ci95(np.array(differences), seed=seed) if len(pairs) > 1 else None,
        p=p,
        p_holm=None,
        exact=exact,
        wins=sum(gain > 0 for gain in gains),
        ties=sum(gain == 0 for gain in gains),
        losses=sum(gain < 0 for gain in gains),
    )


def _merit(score: float, best: Best) -> float:
    """A number that is higher for a better score."""
    if best == "high":
        return score
    return -score if best == "low" else -abs(score)


def _differences(pairs: Sequence[tuple[float, float]]) -> list[float]:
    """First minus second; exactly 0 if they are equal up to rounding."""
    differences = [x - y for x, y in pairs]
    if not all(map(math.isfinite, differences)):
        raise ValueError("a score is infinite or not a number")
    return [0.0 if abs(d) < _TIE else d for d in differences]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
