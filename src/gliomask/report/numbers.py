"""Formatting of numbers, the same in every table and page."""

from __future__ import annotations


def number_text(value: float | None, decimals: int) -> str:
    """Number with so many decimals; a dash for None.

    >>> number_text(0.81349, 3), number_text(None, 3), number_text(-0.0001, 2)
    ('0.813', '–', '0.00')
    """
    if value is None:
        return "–"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", "−")


def signed_text(value: float, decimals: int) -> str:
    """Number with its sign, for differences.

    >>> signed_text(12.345, 1), signed_text(-1724.2, 0), signed_text(0.0, 1)
    ('+12.3', '−1,724', '0.0')
    """
    text = number_text(value, decimals)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def interval_text(ends: tuple[float, float] | None, decimals: int) -> str:
    """Interval in brackets; empty for None.

    >>> interval_text((0.75, 0.86), 2), interval_text(None, 2)
    ('[0.75, 0.86]', '')
    """
    if ends is None:
        return ""
    low, high = (number_text(end, decimals) for end in ends)
    return f"[{low}, {high}]"
