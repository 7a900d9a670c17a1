"""Date of a DICOM study, from its headers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from gliomask.formats.dicom.tags import SeriesTags


def study_date(text: str) -> date | None:
    """A date as DICOM writes it (DA, eight digits); None for others, e.g. after de-identification.

    >>> study_date("20010203"), study_date("REMOVED")
    (datetime.date(2001, 2, 3), None)
    """
    try:
        return datetime.strptime(text, "%Y%m%d").date() if len(text) == 8 else None
    except ValueError:
        return None


def first_acquisition(series: Iterable[SeriesTags]) -> datetime | None:
    """Time of the first acquisition of these series, to the second; None if unknown."""
    seconds = min((tags.acquired for tags in series if tags.acquired is not None), default=None)
    if seconds is None:
        return None
    days, rest = divmod(int(seconds), 86400)
    return datetime.fromordinal(days) + timedelta(seconds=rest)
