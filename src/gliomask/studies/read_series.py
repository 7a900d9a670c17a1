"""A DICOM series with its recognised sequence."""

from __future__ import annotations

from dataclasses import dataclass

from gliomask.formats.dicom.series import Series
from gliomask.studies.sequences import Recognition, recognise

MIN_SLICES = 5
"""Minimum number of slices; series with fewer are localizers or show a part of the brain."""


@dataclass(frozen=True, eq=False)
class RecognisedSeries:
    """A series with its recognised sequence."""

    series: Series
    recognition: Recognition


def recognised(series: Series) -> RecognisedSeries:
    """A series as it is recognised; one of few slices is none."""
    recognition, slices = recognise(series.tags), series.shape[2]
    if recognition.sequence and slices < MIN_SLICES:
        reason = f"only {slices} slices (allowed {MIN_SLICES} and more)"
        recognition = Recognition(None, recognition.evidence, reason)
    return RecognisedSeries(series, recognition)
