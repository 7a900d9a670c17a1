"""Values of a header: printable text, finite numbers.

A header is untrusted. Text becomes one printable line; a number is a number, absent,
or refused with the name of its field.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue

from gliomask.errors import FormatError

TEXT_LENGTH = 100
"""Characters that are kept of a text."""
_LARGEST = 1e6
_STAMP = re.compile(r"(\d{8})([01]\d|2[0-3])([0-5]\d)((?:[0-5]\d|60)(?:\.\d+)?)?(?!\d)", re.ASCII)
_LAST_SECOND = 59.999
"""A leap second (60) counts as the end of its minute, so that no time leaves its day."""


def text(dataset: Dataset, keyword: str) -> str:
    """One printable line, several values joined by ``\\``; empty if absent or unreadable."""
    return "\\".join(words(dataset, keyword))[:TEXT_LENGTH]


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Each of the values as one printable line; none if absent or unreadable."""
    try:
        return tuple(plain_text(str(value)) for value in _values(dataset, keyword))
    except Exception:
        # pydicom converts a value on request, and damaged ones raise anything.
        return ()


def plain_text(value: str) -> str:
    """One line without control characters or blanks at its ends, at most ``TEXT_LENGTH`` long."""
    return "".join(c if c.isprintable() else " " for c in value).strip()[:TEXT_LENGTH]


def clock(dataset: Dataset, date: str, time: str) -> float | None:
    """Seconds of a date (DA) and a time (TM), to be compared with others; None if unknown."""
    day, hour = text(dataset, date), text(dataset, time)
    return seconds(day + hour) if len(day) == 8 else None


def seconds(stamp: str) -> float | None:
    """Seconds of a date and time (DT: YYYYMMDDHHMMSS.F, at least to the minute); None if neither.

    >>> seconds("20190423142657.5") - seconds("201904231426")
    57.5
    >>> seconds("20190423996199") is None
    True
    """
    match = _STAMP.match(stamp)
    if not match:
        return None
    day, hour, minute, second = match.groups()
    try:
        days = datetime.strptime(day, "%Y%m%d").toordinal()
    except ValueError:
        return None
    within = min(float(second or 0), _LAST_SECOND)
    return round(days * 86400 + int(hour) * 3600 + int(minute) * 60 + within, 3)


def number(dataset: Dataset, keyword: str) -> float | None:
    """A number that only describes the image; None if absent, several, or no finite number."""
    try:
        values = [float(value) for value in _values(dataset, keyword)]
    except Exception:
        return None
    return values[0] if len(values) == 1 and math.isfinite(values[0]) else None


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...]:
    """Required numbers of the geometry. Of more than ``count`` the first are used.

    Raises:
        FormatError: absent, less than ``count`` of them, not finite, or beyond a million.
    """
    values = _given(dataset, keyword)[:count]
    allowed = f"{count} finite numbers"
    try:
        parsed = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        raise FormatError("not a number", field=keyword, found=values, allowed=allowed) from None
    if len(parsed) != count or not all(abs(n) < _LARGEST for n in parsed):
        raise FormatError("unusable", field=keyword, found=list(parsed), allowed=allowed)
    return parsed


def whole(dataset: Dataset, keyword: str, largest: int, least: int = 0) -> int:
    """A whole number within bounds.

    Raises:
        FormatError: absent, of another type, or out of bounds.
    """
    values = _given(dataset, keyword)
    value = values[0]
    if len(values) > 1 or not isinstance(value, int) or not least <= value <= largest:
        allowed = f"{least} to {largest}"
        actual = values if len(values) > 1 else value
        raise FormatError("unusable", field=keyword, found=actual, allowed=allowed)
    return int(value)


def whole_or(dataset: Dataset, keyword: str, missing: int, largest: int, least: int = 0) -> int:
    """A whole number within bounds, or ``missing`` if the element is absent or empty."""
    return whole(dataset, keyword, largest, least) if has(dataset, keyword) else missing


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none if it is absent."""
    value = dataset.get(keyword)
    return list(value) if value else []


def has(dataset: Dataset, keyword: str) -> bool:
    """Return True if an element is present and not empty."""
    try:
        return bool(_values(dataset, keyword))
    except Exception:
        return True


def _given(dataset: Dataset, keyword: str) -> list[Any]:
    try:
        values = _values(dataset, keyword)
    except Exception as problem:
        raise FormatError(f"unreadable: {problem}", field=keyword, found="damaged") from None
    if not values:
        raise FormatError("a field is missing", field=keyword, found="nothing")
    return values


def _values(dataset: Dataset, keyword: str) -> list[Any]:
    value = dataset.get(keyword)
    if value is None or value == "":
        return []
    multiple = isinstance(value, (MultiValue, list, tuple))
    return _listed(value) if multiple else [value]


def _listed(values: Iterable[Any]) -> list[Any]:
    return list(values)
