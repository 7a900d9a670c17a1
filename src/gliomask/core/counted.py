"""Numbers of things as text."""

from __future__ import annotations


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Number with its noun.

    >>> counted(1, "patient"), counted(2, "patient"), counted(0, "study", "studies")
    ('1 patient', '2 patients', '0 studies')
    """
    return f"{count} {singular if count == 1 else plural or singular + 's'}"
