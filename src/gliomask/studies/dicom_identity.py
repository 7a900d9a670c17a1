"""Check that the series of one study are of one person, from their headers."""

from __future__ import annotations

from collections.abc import Sequence

from gliomask.formats.dicom.tags import SeriesTags


def contradiction(among: Sequence[SeriesTags]) -> str | None:
    """Contradiction between series of one PatientID and StudyInstanceUID; None if there is none.

    Elements that are empty contradict nothing. No value is shown, because it may name a patient.
    """
    first: dict[str, tuple[str, SeriesTags]] = {}
    for tags in among:
        for keyword, digest in tags.person:
            known, earlier = first.setdefault(keyword, (digest, tags))
            if known != digest:
                return (
                    f"one study of two people: {keyword} differs between {earlier.label} and "
                    f"{tags.label}, which share PatientID and StudyInstanceUID; give the files of "
                    "one person"
                )
    return None
