"""Numbers and lists of things as text."""

from __future__ import annotations

from collections.abc import Iterable


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Number with its noun.

    >>> counted(1, "patient"), counted(2, "patient"), counted(0, "study", "studies")
    ('1 patient', '2 patients', '0 studies')
    """
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def listed(names: Iterable[str], limit: int = 12) -> str:
    """The first names in a row, and the number of the others.

    >>> listed("abc", 3), listed("abc", 2)
    ('a, b, c', 'a, b and 1 more')
    """
    every = list(names)
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more
