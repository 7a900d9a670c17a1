"""Defensive reader of untrusted records of a run and an evaluation.

Records are JSON and CSV files that may have been edited, so a missing value, or one of another type
or not finite, is unknown: look-ups return None instead of failing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gliomask.report.markdown import one_line

_LARGEST: Final = 1e15
"""Beyond it a number in a record is a mistake, and an integer may not even fit a float."""


@dataclass(frozen=True, eq=False)
class Records:
    """The records of one model, each as it was loaded; None, or anything odd, means no facts.

    Attributes:
        summary: ``summary.json`` of the evaluation.
        evaluation: ``provenance.json`` of the evaluation.
        card: ``card.json`` of the run.
        run: ``provenance.json`` of the run.
        recipe: ``config.yaml`` of the run; without it the recipe in the card counts.
        history: the rows of ``history.csv``, a mapping from column to cell each.
        parameters: number of trainable parameters, if known.
    """

    summary: object = None
    evaluation: object = None
    card: object = None
    run: object = None
    recipe: object = None
    history: object = None
    parameters: object = None


def value_at(record: object, *keys: str) -> object:
    """Value at a path of nested keys; None if there is no such path."""
    for key in keys:
        if not isinstance(record, Mapping):
            return None
        record = record.get(key)
    return record


def text_at(record: object, *keys: str) -> str | None:
    """A non-empty text on one line, cut if it is too long."""
    value = value_at(record, *keys)
    return (one_line(value) or None) if isinstance(value, str) else None


def number_at(record: object, *keys: str) -> float | None:
    """A finite number, not a bool."""
    value = value_at(record, *keys)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= _LARGEST else None  # NaN is not finite finite


def count_at(record: object, *keys: str) -> int | None:
    """A non-negative integer."""
    value = value_at(record, *keys)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _LARGEST else None


def flag_at(record: object, *keys: str) -> bool | None:
    """A bool."""
    value = value_at(record, *keys)
    return value if isinstance(value, bool) else None


def texts_at(record: object, *keys: str) -> tuple[str, ...] | None:
    """A list of texts, possibly empty; None if it contains anything else."""
    value = value_at(record, *keys)
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        return None
    return tuple(one_line(text) for text in value)


def items_at(record: object, *keys: str) -> tuple[tuple[str, object], ...]:
    """(key, value) of a mapping whose keys are texts; nothing if there is no such mapping."""
    value = value_at(record, *keys)
    if not isinstance(value, Mapping):
        return ()
    return tuple((one_line(k), v) for k, v in value.items() if isinstance(k, str) and one_line(k))
