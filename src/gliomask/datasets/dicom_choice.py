"""Which series of a DICOM study stands for which sequence: as recognised, or as the user says.

Of several series of one sequence the one with the most evidence is taken: name and timing say so
rather than one of them, then the head is named; of equal ones that with the most slices, then that
with the finest voxels, then the one that was made first (by its number). For T1 after contrast, a
name that says so goes before a header that only names an agent: some scanners write the agent of
the examination into the series before it, too. What the user says goes before all of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gliomask.core.geometry import voxel_ml
from gliomask.datasets.sequences import BY_NAME, Recognition, recognise
from gliomask.errors import CaseError
from gliomask.formats.dicom.series import RefusedSeries, Series
from gliomask.formats.dicom.tags import SeriesTags

NOTHING_PICKED: Mapping[str, str] = MappingProxyType({})
MIN_SLICES = 5
"""With fewer a series shows too little of a brain: it is a localizer or a part."""
TOLD = 10
"""So many series are told in one line."""
BY_HAND = "given by hand"
"""The evidence of a series that the user chose."""
_UID = re.compile(r"[0-9]+(\.[0-9]+){2,}")


@dataclass(frozen=True, eq=False)
class Seen:
    """A series, and what it is taken for."""

    series: Series
    recognition: Recognition


def seen(series: Series) -> Seen:
    """A series as it is recognised; one of few slices is none."""
    found, slices = recognise(series.tags), series.shape[2]
    if found.sequence and slices < MIN_SLICES:
        reason = f"only {slices} slices (allowed {MIN_SLICES} and more)"
        found = Recognition(None, found.evidence, reason)
    return Seen(series, found)


def picked(
    among: Sequence[Seen], refused: Sequence[RefusedSeries], picks: Mapping[str, str]
) -> list[Seen]:
    """The series of a study, those that the user chose taken for what was said.

    Args:
        among: the series.
        refused: those that are no volume.
        picks: sequence -> a SeriesNumber, SeriesInstanceUID or whole SeriesDescription. A UID
            that no series of this study has is about another study.

    Raises:
        CaseError: a pick that no series or several answer to, or one that is no volume; a series
            for two sequences. What there is is told.
    """
    meant: dict[Seen, str] = {}
    for sequence, wanted in picks.items():
        one = _answering(sequence, wanted, among, refused)
        if one is None:
            continue
        if one in meant:
            what = f"{with_echo(one.series.tags)} is given for {meant[one]} and for {sequence}"
            raise CaseError(what)
        meant[one] = sequence
    return [_by_hand(one, meant[one]) if one in meant else one for one in among]


def choose(among: Iterable[Seen]) -> dict[str, Seen]:
    """Sequence -> the series to use, by the rule at the top of this file."""
    chosen: dict[str, Seen] = {}
    for one in sorted(among, key=_rank):
        if one.recognition.sequence:
            chosen.setdefault(one.recognition.sequence, one)
    return chosen


def is_uid(wanted: str) -> bool:
    """Whether a pick is written like a UID."""
    return _UID.fullmatch(wanted) is not None


def number_of(tags: SeriesTags) -> int:
    """The number of a series for sorting, 0 if it has none."""
    return int(tags.series_number) if tags.series_number.isdecimal() else 0


def with_echo(tags: SeriesTags) -> str:
    """A series and its echo time, which tells the volumes of one series apart."""
    return tags.label if tags.echo_time is None else f"{tags.label}, TE {tags.echo_time:g} ms"


def _answering(
    sequence: str, wanted: str, among: Sequence[Seen], refused: Sequence[RefusedSeries]
) -> Seen | None:
    answering = [one for one in among if _is_called(one.series.tags, wanted)]
    if len({one.series.tags.series_uid for one in answering}) == 1 < len(answering):
        # Echoes of one series have one name; what they are tells them apart.
        fitting = [one for one in answering if one.recognition.sequence == sequence]
        answering = fitting if len(fitting) == 1 else answering
    if len(answering) == 1:
        return answering[0]
    if answering:
        told = ", ".join(_with_uid(one.series.tags) for one in answering[:TOLD])
        raise CaseError(f"{sequence}={wanted} is several series: {told}")
    for one in refused:
        if _is_called(one.tags, wanted):
            raise CaseError(f"{sequence}={wanted} can't be used: {one.reason}")
    if is_uid(wanted):
        return None
    tags = [*(one.series.tags for one in among), *(one.tags for one in refused)]
    there = ", ".join(one.label for one in sorted(tags, key=number_of)[:TOLD])
    more = f" and {len(tags) - TOLD} more" if len(tags) > TOLD else ""
    raise CaseError(f"{sequence}={wanted} is no series; there are {there}{more}")


def _is_called(tags: SeriesTags, wanted: str) -> bool:
    number = tags.series_number
    if wanted.isdecimal() and number.isdecimal() and int(wanted) == int(number):
        return True
    return bool(wanted) and wanted in (tags.series_uid, tags.description, number)


def _by_hand(one: Seen, sequence: str) -> Seen:
    """A series taken for a sequence on the user's word; what spoke against it is still told."""
    found = one.recognition
    by_itself = found.rejected or (found.sequence != sequence and f"taken for {found.sequence}")
    doubt = (f"by itself {by_itself}",) if by_itself else ()
    return Seen(one.series, Recognition(sequence, (BY_HAND, *doubt, *found.evidence)))


def _rank(one: Seen) -> tuple[bool, bool, int, bool, int, float, int, str]:
    series, tags, found = one.series, one.series.tags, one.recognition
    by_hand = BY_HAND in found.evidence
    doubtful = found.sequence == "t1ce" and BY_NAME not in found.evidence
    evidence = (not by_hand, doubtful, -found.strength, not found.head)
    voxel = round(voxel_ml(series.affine), 9)
    size = -series.shape[2]
    return *evidence, size, voxel, number_of(tags), tags.series_uid


def _with_uid(tags: SeriesTags) -> str:
    return f"{with_echo(tags)} ({tags.series_uid})"
