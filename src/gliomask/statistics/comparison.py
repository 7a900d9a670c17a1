"""Two or more sets of predictions over the same patients: which is better, and is that chance?

Everything is paired: a patient that is hard for one model is hard for the other, and only the
difference within the patient distinguishes them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from gliomask.jobs.control import SILENT, Control
from gliomask.metrics.policy import Score
from gliomask.statistics.permutation import holm, sign_flip_test
from gliomask.statistics.summary import bootstrap_ci95

Scores = Mapping[str, Mapping[str, Score]]
"""Metric -> patient -> score, of one set of predictions."""

_TIE = 1e-12
"""Scores that differ by less are equal."""


@dataclass(frozen=True)
class PairedDifference:
    """Two sets in one metric, over the patients that have a score in both.

    Attributes:
        metric: that is compared.
        first, second: the names of the sets.
        n: patients with a score in both; all figures are over them.
        n_one_unscored: patients in both sets that have a score in only one of them.
        n_both_unscored: patients in both sets that have a score in neither.
        mean_first, mean_second: None if ``n`` is 0.
        difference: mean of first minus second; None if ``n`` is 0.
        ci95: paired bootstrap interval of the difference; None if ``n`` < 2.
        p: of the sign-flip test; None if ``n`` is 0.
        p_holm: p corrected for all comparisons that were made together.
        exact: whether all patterns of signs were used, or some drawn.
        wins, ties, losses: patients for whom first is better, equal, worse.
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
    """A patient that not all sets have.

    Attributes:
        patient: the key.
        missing_from: the sets without that patient, in their order.
    """

    patient: str
    missing_from: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Sets of predictions compared.

    Attributes:
        sets: their names, in the order given.
        n_shared: patients that are in all of them.
        absent: the other patients, sorted; each pair is compared over those that both have.
        differences: for each pair in order, each metric in order.
    """

    sets: tuple[str, ...]
    n_shared: int
    absent: tuple[Absent, ...]
    differences: tuple[PairedDifference, ...]


def compare(
    sets: Mapping[str, Scores],
    *,
    lower_is_better: Collection[str] = (),
    seed: int = 0,
    control: Control = SILENT,
) -> Comparison:
    """Compares each pair of sets in each metric.

    Args:
        sets: name -> its scores, two or more; all with the same metrics.
        lower_is_better: metrics, as distances, of which a small score is the better one. It
            decides who wins, not the sign of the difference.
        seed: of bootstrap and test; each comparison starts from it anew, so that none depends on
            which others are made.
        control: reports each comparison.

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
        better = -1.0 if what[0] in lower_is_better else 1.0
        differences_found.append(_difference(what, sets, seed, better))
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
    """The patients that some sets lack, and how many are in all."""
    patients = {name: {p for of in scores.values() for p in of} for name, scores in sets.items()}
    everyone = sorted(set().union(*patients.values()))
    missing = {
        patient: tuple(s for s in sets if patient not in patients[s]) for patient in everyone
    }
    absent = tuple(Absent(patient, lacking) for patient, lacking in missing.items() if lacking)
    return absent, len(everyone) - len(absent)


def _difference(
    what: tuple[str, str, str], sets: Mapping[str, Scores], seed: int, better: float
) -> PairedDifference:
    metric, first, second = what
    first_scores, other = sets[first][metric], sets[second][metric]
    both = [(first_scores[patient], other[patient]) for patient in first_scores if patient in other]
    pairs = [(x, y) for x, y in both if x is not None and y is not None]
    unscored = sum(x is None and y is None for x, y in both)
    differences = _differences(pairs)
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
        wins=sum(better * d > 0 for d in differences),
        ties=sum(d == 0 for d in differences),
        losses=sum(better * d < 0 for d in differences),
    )


def _differences(pairs: Sequence[tuple[float, float]]) -> list[float]:
    """First minus second; exactly 0 where they are equal but for rounding."""
    differences = [x - y for x, y in pairs]
    if not all(map(math.isfinite, differences)):
        raise ValueError("a score is infinite or not a number")
    return [0.0 if abs(d) < _TIE else d for d in differences]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
