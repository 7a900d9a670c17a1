"""Who is trained on, who is chosen on, who is tested on: always by patient, never by slice.

Patients are put in order of site and tumour size and then dealt out in turn, so that every part
has its share of each site and of small and large tumours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

INNER_SHARE = 0.125
"""Share of a fold's training patients on whom its checkpoint and threshold are chosen."""


@dataclass(frozen=True)
class Parts:
    """Three disjoint groups of ids (patients in a split, cases in a store), each sorted."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for name, ids in self.named():
            for one in ids:
                if one in seen:
                    raise ValueError(f"{one!r} is in {seen[one]} and in {name}")
                seen[one] = name

    def named(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(name, ids) of each part."""
        return ("train", self.train), ("validation", self.validation), ("test", self.test)


@dataclass(frozen=True)
class Split:
    """The hold-out split of a data set and its folds.

    Attributes:
        holdout: train, validation and test patients.
        folds: for each fold k the patients of the fold as test, and the others parted into
            train and an inner validation, so that nothing is ever chosen on fold k.
        seed: that it was drawn with.
    """

    holdout: Parts
    folds: tuple[Parts, ...]
    seed: int

    def parts(self, fold: int | None = None) -> Parts:
        """The hold-out parts, or those of a fold (IndexError beyond the last)."""
        return self.holdout if fold is None else self.folds[fold]


@dataclass(frozen=True)
class Patient:
    """What stratification needs to know of a patient.

    Attributes:
        id: the patient's key.
        site: hospital, or the data set where that is unknown.
        size: of the tumour, in any unit (the mean over the patient's cases).
    """

    id: str
    site: str
    size: float


def make_split(
    patients: Iterable[Patient],
    *,
    seed: int = 0,
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15),
    folds: int = 5,
) -> Split:
    """Draws the split and the folds; the same patients and seed give the same split.

    A part whose share is not 0 gets at least one patient when there are three patients or more;
    with fewer, training comes first. There are at most as many folds as patients.

    Args:
        patients: with distinct ids, in any order.
        seed: of the draw.
        shares: of train, validation and test; they sum to 1.
        folds: how many; fewer than 2 makes none.

    Raises:
        ValueError: the shares are negative or don't sum to 1, or two patients share an id.
    """
    ordered = sorted(patients, key=lambda p: (p.site, p.size, p.id))
    if len({p.id for p in ordered}) != len(ordered):
        raise ValueError("two patients share an id")
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"shares {shares} are not non-negative numbers that sum to 1")
    rng = np.random.default_rng(seed)
    ids = [p.id for p in ordered]
    holdout = _parts(ids, _deal(_counts(len(ids), shares), rng))
    return Split(holdout, tuple(_folds(ids, min(folds, len(ids)), rng)), seed)


def _folds(ids: Sequence[str], folds: int, rng: np.random.Generator) -> list[Parts]:
    if folds < 2:
        return []
    dealt = _deal(_counts(len(ids), [1 / folds] * folds), rng)
    return [_fold(ids, [part == k for part in dealt], rng) for k in range(folds)]


def _fold(ids: Sequence[str], tested: Sequence[bool], rng: np.random.Generator) -> Parts:
    rest = [one for one, test in zip(ids, tested, strict=True) if not test]
    inner = _parts(rest, _deal(_counts(len(rest), [1 - INNER_SHARE, INNER_SHARE]), rng))
    test = sorted(one for one, test in zip(ids, tested, strict=True) if test)
    return Parts(inner.train, inner.validation, tuple(test))


def _parts(ids: Sequence[str], dealt: Sequence[int]) -> Parts:
    groups: Mapping[int, list[str]] = {0: [], 1: [], 2: []}
    for one, part in zip(ids, dealt, strict=True):
        groups[part].append(one)
    train, validation, test = (tuple(sorted(groups[k])) for k in range(3))
    return Parts(train, validation, test)


def _counts(n: int, shares: Sequence[float]) -> list[int]:
    """How many of n each part gets: rounded, none empty whose share isn't 0 where n allows."""
    wanted = sum(share > 0 for share in shares)
    counts = [max(round(n * share), int(share > 0 and n >= wanted)) for share in shares]
    counts[int(np.argmax(shares))] += n - sum(counts)
    while min(counts) < 0:  # rounding up took more than there is
        counts[int(np.argmin(counts))] += 1
        counts[int(np.argmax(counts))] -= 1
    return counts


def _deal(counts: Sequence[int], rng: np.random.Generator) -> list[int]:
    """A sequence that holds part k ``counts[k]`` times, spread evenly, shuffled within hands."""
    total = sum(counts)
    given = np.zeros(len(counts))
    dealt: list[int] = []
    for turn in range(1, total + 1):
        part = int(np.argmax(np.array(counts) * turn / total - given))
        given[part] += 1
        dealt.append(part)
    smallest = min((c for c in counts if c), default=1)
    hand = max(1, total // smallest)
    for start in range(0, total, hand):
        dealt[start : start + hand] = rng.permutation(dealt[start : start + hand]).tolist()
    return dealt
