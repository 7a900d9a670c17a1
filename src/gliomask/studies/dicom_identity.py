"""Check that DICOM series are of one person, from their headers."""

from __future__ import annotations

from collections.abc import Sequence

from gliomask.formats.dicom.tags import SeriesTags


def contradiction(among: Sequence[SeriesTags]) -> str | None:
    """Contradiction between series of one PatientID and StudyInstanceUID; None if there is none."""
    two = two_people(among)
    if two is None:
        return None
    shared = "which share PatientID and StudyInstanceUID"
    return f"one study of {two}, {shared}; give the files of one person"


def two_people(among: Sequence[SeriesTags]) -> str | None:
    """The element that two series of different people differ in; None if there are none.

    Elements that are empty contradict nothing. No value is shown, because it may name a patient.
    """
    first: dict[str, tuple[str, SeriesTags]] = {}
    for tags in among:
        for keyword, value in (*tags.person, ("PatientID", tags.patient_id)):
            known, earlier = first.setdefault(keyword, (value, tags)) if value else (value, tags)
            if known != value:
                return f"two people: {keyword} differs between {earlier.label} and {tags.label}"
    return None
