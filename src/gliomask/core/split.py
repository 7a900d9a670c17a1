"""The split into training, validation and test patients: by patient, never by slice.

Patients are sorted by site and tumour size and then assigned in turn, so that all parts have
similar distributions of sites and tumour sizes. In folds by site, the test patients are those of a
hospital without training patients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

FoldBy = Literal["size", "site"]
"""``size``: folds balanced by site and tumour size. ``site``: a fold is a site."""
SITE_MINIMUM = 5
"""Minimum number of patients of a fold by site. Smaller sites are one fold together, because the
mean of a few patients is not informative and each fold needs a training."""

INNER_SHARE = 0.125
"""Fraction of validation patients among the patients outside a fold."""


class TooFewSitesError(ValueError):
    """The data has fewer than two folds by site."""


@dataclass(frozen=True)
class Parts:
    """Three disjoint groups of ids (patients in a split, cases in a store), each sorted."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        parts: dict[str, str] = {}
        for name, ids in self.named():
            for id_ in ids:
                if id_ in parts:
                    raise ValueError(f"{id_!r} is in {parts[id_]} and in {name}")
                parts[id_] = name

    def named(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(name, ids) of each part."""
        return ("train", self.train), ("validation", self.validation), ("test", self.test)


@dataclass(frozen=True)
class Split:
    """The hold-out split of a data set and its folds.

    Attributes:
        holdout: train, validation and test patients.
        folds: for each fold, its patients as test patients, and the others divided into training
            and validation patients, so that nothing is selected on test patients.
        seed: seed of the split.
        fold_by: assignment of patients to folds.
        fold_names: of each fold by site, the site that is its test (the sites, joined by " + ",
            where small ones were pooled); empty for folds by size, which have no names.
    """

    holdout: Parts
    folds: tuple[Parts, ...]
    seed: int
    fold_by: FoldBy = "size"
    fold_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.fold_names and len(self.fold_names) != len(self.folds):
            raise ValueError(f"{len(self.fold_names)} names for {len(self.folds)} folds")

    def parts(self, fold: int | None = None) -> Parts:
        """The hold-out parts, or those of a fold (IndexError beyond the last)."""
        return self.holdout if fold is None else self.folds[fold]


@dataclass(frozen=True)
class Patient:
    """Properties of a patient for stratification.

    Attributes:
        id: the patient's key.
        site: hospital, or the data set where that is unknown.
        size: tumour size, in any unit (the mean over the patient's cases).
        training_only: always among the training patients, because nothing is evaluated with its
            masks.
    """

    id: str
    site: str
    size: float
    training_only: bool = False


def make_split(
    patients: Iterable[Patient],
    *,
    seed: int = 0,
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15),
    folds: int = 5,
    fold_by: FoldBy = "size",
) -> Split:
    """Draw the split and the folds; the same patients and seed give the same split.

    A part whose share is not 0 gets at least one patient when there are three patients or more;
    with fewer, training comes first. Patients for training only are always training patients, in
    addition to the shares of the others. There are at most as many folds as patients. Each part has
    a patient with tumour (a size above 0) if there are enough of them.

    Args:
        patients: with distinct ids, in any order.
        seed: random seed.
        shares: fractions of train, validation and test; they sum to 1.
        folds: number of folds; none if less than 2. By site, the number follows from the sites.
        fold_by: ``site`` makes a fold of each site with ``SITE_MINIMUM`` patients or more, in
            order of their names, and a last one of all smaller sites together. The hold-out
            parts don't change.

    Raises:
        ValueError: the shares are negative or don't sum to 1, or two patients share an id.
        TooFewSitesError: by site, there are fewer than two folds.
    """
    all_patients = sorted(patients, key=lambda p: (p.site, p.size, p.id))
    if len({p.id for p in all_patients}) != len(all_patients):
        raise ValueError("two patients share an id")
    ordered = [p for p in all_patients if not p.training_only]
    training_only = tuple(p.id for p in all_patients if p.training_only)
    if not (min(shares) >= 0 and abs(sum(shares) - 1) <= 1e-6):  # also if one is not a number
        raise ValueError(f"shares {shares} are not non-negative numbers that sum to 1")
    rng = np.random.default_rng(seed)
    ids = [p.id for p in ordered]
    tumours = frozenset(p.id for p in ordered if p.size > 0)
    parts = _spread(_parts(ids, _deal(_counts(len(ids), shares), rng)), tumours)
    holdout = _training(parts, training_only)
    if fold_by == "site" and folds > 1:
        sites = site_folds(p.site for p in ordered)
        tested = ([p.site in names for p in ordered] for names in sites)
        site_parts = tuple(
            _training(_fold(ids, chosen, rng, tumours), training_only) for chosen in tested
        )
        return Split(holdout, site_parts, seed, "site", tuple(" + ".join(names) for names in sites))
    by_size = _folds(ids, min(folds, len(ids)), rng, tumours)
    return Split(holdout, tuple(_training(fold, training_only) for fold in by_size), seed)


def site_folds(sites: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Test sites of each fold by site.

    Args:
        sites: site of each patient.

    Raises:
        TooFewSitesError: there are fewer than two folds.
    """
    counts = Counter(sites)
    large = sorted(site for site, n in counts.items() if n >= SITE_MINIMUM)
    small = sorted(site for site, n in counts.items() if n < SITE_MINIMUM)
    folds = [(site,) for site in large] + ([tuple(small)] if small else [])
    if len(folds) < 2:
        counted = ", ".join(f"{site} ({n} patients)" for site, n in sorted(counts.items()))
        raise TooFewSitesError(
            f"folds by site need two sites, one of them with {SITE_MINIMUM} patients or more; "
            f"there is {counted or 'no patient'}"
        )
    return tuple(folds)


def _training(parts: Parts, more: Sequence[str]) -> Parts:
    """Add training patients to the parts."""
    return Parts(tuple(sorted((*parts.train, *more))), parts.validation, parts.test)


def _spread(parts: Parts, tumours: frozenset[str]) -> Parts:
    """Exchange patients so that a part without tumour gets a patient with tumour."""
    groups = {name: list(ids) for name, ids in parts.named()}
    for ids in groups.values():
        if not ids or tumours.intersection(ids):
            continue
        tumour_patients = {
            other: sorted(tumours.intersection(members)) for other, members in groups.items()
        }
        donor = max(tumour_patients, key=lambda other: len(tumour_patients[other]))
        if len(tumour_patients[donor]) < 2:
            continue
        tumour_patient, exchanged = tumour_patients[donor][0], ids[0]
        ids[0] = tumour_patient
        groups[donor][groups[donor].index(tumour_patient)] = exchanged
    return Parts(*(tuple(sorted(groups[name])) for name, _ in parts.named()))


def _folds(
    ids: Sequence[str], folds: int, rng: np.random.Generator, tumours: frozenset[str]
) -> list[Parts]:
    if folds < 2:
        return []
    dealt = _deal(_counts(len(ids), [1 / folds] * folds), rng)
    return [_fold(ids, [part == k for part in dealt], rng, tumours) for k in range(folds)]


def _fold(
    ids: Sequence[str], tested: Sequence[bool], rng: np.random.Generator, tumours: frozenset[str]
) -> Parts:
    rest = [id_ for id_, test in zip(ids, tested, strict=True) if not test]
    drawn = _parts(rest, _deal(_counts(len(rest), [1 - INNER_SHARE, INNER_SHARE]), rng))
    inner = _spread(drawn, tumours)  # test patients of a fold are never exchanged
    test = sorted(id_ for id_, test in zip(ids, tested, strict=True) if test)
    return Parts(inner.train, inner.validation, tuple(test))


def _parts(ids: Sequence[str], dealt: Sequence[int]) -> Parts:
    groups: Mapping[int, list[str]] = {0: [], 1: [], 2: []}
    for id_, part in zip(ids, dealt, strict=True):
        groups[part].append(id_)
    train, validation, test = (tuple(sorted(groups[k])) for k in range(3))
    return Parts(train, validation, test)


def _counts(n: int, shares: Sequence[float]) -> list[int]:
    """Number of patients in each part: rounded, and not 0 for a positive share if n allows."""
    needed = sum(share > 0 for share in shares)
    counts = [max(round(n * share), int(share > 0 and n >= needed)) for share in shares]
    counts[int(np.argmax(shares))] += n - sum(counts)
    while min(counts) < 0:  # rounding up exceeded n
        counts[int(np.argmin(counts))] += 1
        counts[int(np.argmax(counts))] -= 1
    return counts


def _deal(counts: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Sequence with part k ``counts[k]`` times, evenly spread and shuffled within small groups."""
    total = sum(counts)
    counts_dealt = np.zeros(len(counts))
    dealt: list[int] = []
    for turn in range(1, total + 1):
        part = int(np.argmax(np.array(counts) * turn / total - counts_dealt))
        counts_dealt[part] += 1
        dealt.append(part)
    smallest = min((c for c in counts if c), default=1)
    hand = max(1, total // smallest)
    for start in range(0, total, hand):
        dealt[start : start + hand] = rng.permutation(dealt[start : start + hand]).tolist()
    return dealt
