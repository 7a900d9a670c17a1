"""Patients put into groups by one value: a grade, a hospital, how large the tumour is.

One function serves every such question. No patient is lost on the way: those of whom the value is
not known are a group of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Value = str | float | int | None
"""What is known of a patient: a category, a number, or nothing."""

RARE = 3
"""Categories of fewer patients than this are pooled."""
NOT_KNOWN, OTHER = "not known", "other"
_TERTILES = (1 / 3, 2 / 3)


@dataclass(frozen=True)
class Grouping:
    """A rule that sorts values into groups.

    Attributes:
        edges: where numbers are parted, rising; a number at an edge belongs above it. None parts
            them in tertiles.
        unit: of numbers, for the labels ("ml").
    """

    edges: tuple[float, ...] | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        edges = self.edges
        if edges is None:
            return
        rising = all(low < high for low, high in pairwise(edges))
        if not edges or not rising or not all(map(math.isfinite, edges)):
            raise ValueError(f"edges {edges} are not finite numbers that rise")


@dataclass(frozen=True)
class Group:
    """Patients that have something in common.

    Attributes:
        label: what, for people: "2.1 to 14 ml", "GE", "other", "not known".
        patients: their keys, in the order given; none in a group between given edges that no one
            falls into.
        pooled: the categories that "other" stands for; empty for all else.
    """

    label: str
    patients: tuple[str, ...]
    pooled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Groups:
    """Patients by one value.

    Attributes:
        groups: numbers from small to large, categories by name, then "other" and "not known";
            each patient is in one.
        note: how they were made, in words, to be said beside them; empty if there is nothing to
            say.
    """

    groups: tuple[Group, ...]
    note: str


def group_patients(
    patients: Iterable[str], values: Mapping[str, Value], grouping: Grouping | None = None
) -> Groups:
    """Groups patients by a value.

    Values that are all numbers are parted in tertiles or at the given edges. Equal numbers stay
    together, so with many ties a tertile may be missing. Three different numbers or fewer (a
    grade) are taken one by one. If a value is text, all are categories; of those with fewer than
    ``RARE`` patients two or more are pooled as "other".

    Args:
        patients: their keys, each once.
        values: of each patient; None, empty text and numbers that are not finite are not known,
            as are patients that are missing here. Others than ``patients`` are ignored.
        grouping: edges and unit; tertiles without a unit if it is not given.

    Raises:
        ValueError: edges were given for values that are text.
    """
    everyone = tuple(patients)
    known = {name: value for name in everyone if (value := _known(values.get(name))) is not None}
    groups, note = _groups(known, grouping or Grouping())
    unknown = tuple(name for name in everyone if name not in known)
    if unknown:
        groups = [*groups, Group(NOT_KNOWN, unknown)]
    return Groups(tuple(groups), note)


def _known(value: Value) -> str | float | None:
    """The value as text or a finite number; None where it says nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        text = value.strip()
        return None if text in ("", NOT_KNOWN) else text
    return value if value is not None and math.isfinite(value) else None


def _groups(known: Mapping[str, str | float], how: Grouping) -> tuple[list[Group], str]:
    numbers = {name: float(v) for name, v in known.items() if not isinstance(v, str)}
    if len(numbers) < len(known):
        if how.edges is not None:
            raise ValueError("edges for values that are text")
        return _categories({name: _text(value) for name, value in known.items()})
    if not numbers:
        return [], "no patient has a value"
    if how.edges is not None:
        return _between(numbers, how.edges, how.unit), ""
    if len(set(numbers.values())) <= len(_TERTILES) + 1:
        return _one_by_one(numbers, how.unit), ""
    return _tertiles(numbers, how.unit), "tertiles of the patients whose value is known"


def _categories(known: Mapping[str, str]) -> tuple[list[Group], str]:
    by_name = {
        category: tuple(name for name, value in known.items() if value == category)
        for category in sorted(set(known.values()))
    }
    rare = tuple(category for category, names in by_name.items() if len(names) < RARE)
    if len(rare) < 2:
        return [Group(category, names) for category, names in by_name.items()], ""
    groups = [Group(c, names) for c, names in by_name.items() if c not in rare]
    pooled = tuple(name for name, value in known.items() if value in rare)
    label = OTHER if OTHER not in {g.label for g in groups} else f"{OTHER}, pooled"
    listed = ", ".join(f"{category} ({len(by_name[category])})" for category in rare)
    note = f"{label}: categories of fewer than {RARE} patients, {listed}"
    return [*groups, Group(label, pooled, rare)], note


def _one_by_one(numbers: Mapping[str, float], unit: str) -> list[Group]:
    return [
        Group(
            _with_unit(_number(value), unit),
            tuple(name for name, number in numbers.items() if number == value),
        )
        for value in sorted(set(numbers.values()))
    ]


def _tertiles(numbers: Mapping[str, float], unit: str) -> list[Group]:
    edges = np.quantile(list(numbers.values()), _TERTILES)
    # "left": who lies at an edge belongs below it, so that the lower tertiles are never short.
    places = np.searchsorted(edges, list(numbers.values()), side="left")
    members = [
        tuple(name for name, place in zip(numbers, places, strict=True) if place == k)
        for k in range(len(edges) + 1)
    ]
    members = [names for names in members if names]
    ranges = [
        (min(numbers[name] for name in names), max(numbers[name] for name in names))
        for names in members
    ]
    labels = _labels(ranges)
    return [
        Group(_with_unit(label, unit), names) for label, names in zip(labels, members, strict=True)
    ]


def _labels(ranges: Sequence[tuple[float, float]]) -> list[str]:
    """Each range as text, with as few digits as distinguish them."""
    for digits in range(2, 18):
        labels = [_range(low, high, digits) for low, high in ranges]
        if len(set(labels)) == len(labels):
            break
    return labels


def _range(low: float, high: float, digits: int) -> str:
    low_text, last = _number(low, digits), _number(high, digits)
    return low_text if low_text == last else f"{low_text} to {last}"


def _between(numbers: Mapping[str, float], edges: tuple[float, ...], unit: str) -> list[Group]:
    edge_texts = [_number(edge) for edge in edges]
    inner = [f"{low} to under {high}" for low, high in pairwise(edge_texts)]
    labels = [
        f"under {_with_unit(edge_texts[0], unit)}",
        *(_with_unit(label, unit) for label in inner),
        f"{_with_unit(edge_texts[-1], unit)} and more",
    ]
    places = np.searchsorted(edges, list(numbers.values()), side="right")
    return [
        Group(label, tuple(n for n, place in zip(numbers, places, strict=True) if place == k))
        for k, label in enumerate(labels)
    ]


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else _number(value)


def _number(value: float, digits: int = 17) -> str:
    """At least so many significant digits, but no figure before the point is rounded away."""
    whole = len(str(int(abs(value))))
    return np.format_float_positional(
        value, precision=max(digits, whole), fractional=False, trim="-", unique=True
    )
