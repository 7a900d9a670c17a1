"""Grouping of patients by one value: grade, hospital, tumour size.

Patients with an unknown value are a separate group, so no patient is lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Value = str | float | int | None
"""Value of a patient: a category, a number, or None."""

RARE = 3
"""Minimum number of patients of a category; smaller ones are pooled."""
NOT_KNOWN, OTHER = "not known", "other"
_TERTILES = (1 / 3, 2 / 3)


@dataclass(frozen=True)
class Grouping:
    """A rule for groups.

    Attributes:
        edges: increasing bounds between groups; a number at a bound belongs to the upper group.
            None means tertiles.
        unit: unit for the labels ("ml").
    """

    edges: tuple[float, ...] | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        edges = self.edges
        if edges is None:
            return
        rising = all(low < high for low, high in pairwise(edges))
        if not edges or not rising or not all(map(math.isfinite, edges)):
            raise ValueError(f"the edges {edges} are not increasing finite numbers")


@dataclass(frozen=True)
class Group:
    """A group of patients.

    Attributes:
        label: display label: "2.1 to 14 ml", "GE", "other", "not known".
        patients: their keys, in the given order; may be empty for given edges.
        pooled: the categories in "other"; otherwise empty.
    """

    label: str
    patients: tuple[str, ...]
    pooled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Groups:
    """Groups of patients by one value.

    Attributes:
        groups: numbers from small to large, categories by name, then "other" and "not known";
            each patient is in one.
        note: note on the grouping, to show with the groups; may be empty.
    """

    groups: tuple[Group, ...]
    note: str


def group_patients(
    patients: Iterable[str], values: Mapping[str, Value], grouping: Grouping | None = None
) -> Groups:
    """Group patients by a value.

    If all values are numbers, they are divided into tertiles or at the given edges. Equal numbers
    stay together, so with many ties a tertile may be missing. Up to three different numbers (a
    grade) are a group each. If a value is text, all are categories; of those with fewer than
    ``RARE`` patients two or more are pooled as "other".

    Args:
        patients: their keys, each once.
        values: value of each patient; None, empty text, non-finite numbers and missing patients are
            unknown. Other patients are ignored.
        grouping: edges and unit; default: tertiles without a unit.

    Raises:
        ValueError: edges are given for text values.
    """
    all_patients = tuple(patients)
    known = {
        name: value for name in all_patients if (value := _known(values.get(name))) is not None
    }
    groups, note = _groups(known, grouping or Grouping())
    unknown = tuple(name for name in all_patients if name not in known)
    if unknown:
        groups = [*groups, Group(NOT_KNOWN, unknown)]
    return Groups(tuple(groups), note)


def _known(value: Value) -> str | float | None:
    """Value as text or a finite number; None if unknown."""
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
            raise ValueError("edges are given for text values")
        return _categories({name: _text(value) for name, value in known.items()})
    if not numbers:
        return [], "no patient has a value"
    if how.edges is not None:
        return _between(numbers, how.edges, how.unit), ""
    if len(set(numbers.values())) <= len(_TERTILES) + 1:
        return _one_by_one(numbers, how.unit), ""
    return _tertiles(numbers, how.unit), "tertiles of the patients with a known value"


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
    values = sorted(set(numbers.values()))
    labels = _labels([(value, value) for value in values], digits=4)
    return [
        Group(
            _with_unit(label, unit),
            tuple(name for name, number in numbers.items() if number == value),
        )
        for label, value in zip(labels, values, strict=True)
    ]


def _tertiles(numbers: Mapping[str, float], unit: str) -> list[Group]:
    edges = np.quantile(list(numbers.values()), _TERTILES)
    # "left": a value at a bound belongs to the lower group, so lower tertiles are never too small.
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


def _labels(ranges: Sequence[tuple[float, float]], digits: int = 2) -> list[str]:
    """Ranges as text, with at least so many digits, and as few as necessary to distinguish them."""
    for precision in range(digits, 18):
        labels = [_range(low, high, precision) for low, high in ranges]
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
    """Round to at least so many significant digits, without rounding the integer part."""
    whole = len(str(int(abs(value))))
    return np.format_float_positional(
        value, precision=max(digits, whole), fractional=False, trim="-", unique=True
    )
