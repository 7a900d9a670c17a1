"""Selection of DICOM series by the user, by number, UID or description."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from gliomask.core.counted import listed
from gliomask.errors import CaseError, option
from gliomask.formats.dicom.series import RefusedSeries
from gliomask.formats.dicom.tags import SeriesTags
from gliomask.studies.read_series import RecognisedSeries
from gliomask.studies.sequences import Recognition

NOTHING_PICKED: Mapping[str, str] = MappingProxyType({})
TOLD = 10
"""Maximal number of series in one line."""
BY_HAND = "chosen by the user"
"""The evidence of a series that the user chose."""
_UID = re.compile(r"[0-9]+(\.[0-9]+){2,}")


def picked(
    among: Sequence[RecognisedSeries], refused: Sequence[RefusedSeries], picks: Mapping[str, str]
) -> list[RecognisedSeries]:
    """The series of a study, those that the user chose with the stated sequence.

    Args:
        among: the series.
        refused: series that are not a volume.
        picks: sequence -> a SeriesNumber, SeriesInstanceUID or whole SeriesDescription. A UID
            that no series of this study has is about another study.

    Raises:
        CaseError: a pick that matches no series or several, or one that is not a volume; a series
            for two sequences. The available series are listed.
    """
    meant: dict[RecognisedSeries, str] = {}
    for sequence, pick in picks.items():
        series = _answering(sequence, pick, among, refused)
        if series is None:
            continue
        if series in meant:
            what = (
                f"{with_echo(series.series.tags)} is given for {meant[series]} and for {sequence}"
            )
            raise CaseError(what, hint=f"leave out one {option('series')}")
        meant[series] = sequence
    return [_by_hand(series, meant[series]) if series in meant else series for series in among]


def is_uid(pick: str) -> bool:
    """Return True if a pick has the form of a UID."""
    return _UID.fullmatch(pick) is not None


def number_of(tags: SeriesTags) -> int:
    """The number of a series for sorting, 0 if it has none."""
    return int(tags.series_number) if tags.series_number.isdecimal() else 0


def with_echo(tags: SeriesTags) -> str:
    """A series and its echo time, which distinguishes the volumes of one series."""
    return tags.label if tags.echo_time is None else f"{tags.label}, TE {tags.echo_time:g} ms"


def _answering(
    sequence: str, pick: str, among: Sequence[RecognisedSeries], refused: Sequence[RefusedSeries]
) -> RecognisedSeries | None:
    answering = [series for series in among if _is_called(series.series.tags, pick)]
    if len({series.series.tags.series_uid for series in answering}) == 1 < len(answering):
        # Echoes of one series have one name; what they are distinguishes them.
        fitting = [series for series in answering if series.recognition.sequence == sequence]
        answering = fitting if len(fitting) == 1 else answering
    if len(answering) == 1:
        return answering[0]
    if answering:
        names = ", ".join(_with_uid(series.series.tags) for series in answering[:TOLD])
        what = f"{sequence}={pick} is several series: {names}"
        raise CaseError(what, hint=_by_uid(sequence, answering))
    for series in refused:
        if _is_called(series.tags, pick):
            raise CaseError(f"{sequence}={pick} can't be used: {series.reason}")
    if is_uid(pick):
        return None
    tags = [*(series.series.tags for series in among), *(series.tags for series in refused)]
    labels = listed((series.label for series in sorted(tags, key=number_of)), TOLD)
    raise CaseError(f"{sequence}={pick} is not a series; there are {labels}")


def _by_uid(sequence: str, answering: Sequence[RecognisedSeries]) -> str | None:
    """Hint that selects one of several series of a name; echoes of a series share their UID."""
    uids = list(dict.fromkeys(series.series.tags.series_uid for series in answering))
    if len(uids) < len(answering):
        return None
    return f"select one by its UID, e.g. {option('series', f'{sequence}={uids[0]}')}"


def _is_called(tags: SeriesTags, pick: str) -> bool:
    number = tags.series_number
    if pick.isdecimal() and number.isdecimal() and int(pick) == int(number):
        return True
    return bool(pick) and pick in (tags.series_uid, tags.description, number)


def _by_hand(series: RecognisedSeries, sequence: str) -> RecognisedSeries:
    """A series with the sequence that the user stated; objections are still listed."""
    recognition = series.recognition
    by_itself = recognition.rejected or (
        recognition.sequence != sequence and f"used as {recognition.sequence}"
    )
    doubt = (f"by itself {by_itself}",) if by_itself else ()
    return RecognisedSeries(
        series.series, Recognition(sequence, (BY_HAND, *doubt, *recognition.evidence))
    )


def _with_uid(tags: SeriesTags) -> str:
    return f"{with_echo(tags)} ({tags.series_uid})"
