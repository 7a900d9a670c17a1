"""Check that DICOM series are of one person, from their headers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gliomask.formats.dicom.tags import SeriesTags

_PLACEHOLDER = re.compile(
    r"anon\w*|unknown|none|null|no[-_ ]?(?:id|name)|n/?a|removed|deleted|de-?identified|x+|0+|-+",
    re.IGNORECASE,
)
"""Placeholders that anonymisers write as PatientID."""


def contradiction(among: Sequence[SeriesTags]) -> str | None:
    """Contradiction between series of one PatientID and StudyInstanceUID; None if there is none."""
    two = two_people(among)
    if two is None:
        return None
    shared = "which share PatientID and StudyInstanceUID"
    return f"one study of {two}, {shared}; give the files of one person"


def two_people(among: Sequence[SeriesTags]) -> str | None:
    """Describe the first element in which series are of two people; None if they are of one.

    Empty elements and placeholders contradict nothing. No value is shown, because it may name a
    patient.
    """
    first: dict[str, tuple[str, SeriesTags]] = {}
    for tags in among:
        patient = "" if is_placeholder(tags.patient_id) else tags.patient_id
        for keyword, value in (*tags.person, ("PatientID", patient)):
            known, earlier = first.setdefault(keyword, (value, tags)) if value else (value, tags)
            if known != value:
                return f"two people: {keyword} differs between {earlier.label} and {tags.label}"
    return None


def is_placeholder(patient_id: str) -> bool:
    """Return True for a PatientID that anonymisers write for all patients.

    >>> is_placeholder("ANON"), is_placeholder("P1")
    (True, False)
    """
    return _PLACEHOLDER.fullmatch(patient_id.strip()) is not None
