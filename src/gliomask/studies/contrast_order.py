"""Distinction of T1 series before and after contrast by their order in the study.

The protocol is often repeated after the injection without a change of name or header. A series
acquired after a known post-contrast series, after an injection time, or after a perfusion series
with contrast is post-contrast, too. If nothing in the study mentions an agent, a repeated T1 may be
post-contrast, which the images must confirm (``Case.contrast_order``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gliomask.formats.dicom.tags import SeriesTags
from gliomask.studies.read_series import RecognisedSeries
from gliomask.studies.sequences import BY_NAME

_WITH_AGENT = re.compile(r"(?<![a-z])(dsc|dce|dynasusc)(?![a-z])", re.IGNORECASE)
"""Words for perfusion measured with an agent (not ASL)."""
_SAME = 0.02
"""Relative tolerance of echo and repetition times of one protocol."""


@dataclass(frozen=True)
class _Injection:
    """Earliest known time after the injection, and its evidence."""

    time: float
    why: str


def after_injection(
    among: Sequence[RecognisedSeries], others: Iterable[SeriesTags] = ()
) -> list[RecognisedSeries]:
    """The series of a study; a T1 that was made after an injection counts as post-contrast T1.

    Args:
        among: the series.
        others: the headers of those that are not a volume.
    """
    tags = [*(series.series.tags for series in among), *others]
    injections = [injection for series in among if (injection := _of_series(series))]
    injections += [injection for header in tags if (injection := _of_header(header))]
    if not injections:
        return list(among)
    first = min(injections, key=lambda injection: injection.time)
    return [_after(series, first) for series in among]


def by_order(
    t1: RecognisedSeries, others: Sequence[RecognisedSeries]
) -> tuple[RecognisedSeries, str] | None:
    """A T1 that repeats the protocol of another one later, and a description of their order.

    Other protocols are not compared: several T1 in a row are common without any agent.

    Args:
        t1: the series that is the T1.
        others: all other T1 of the study without a statement whether they are before or after
            contrast, the best first.
    """
    for series in others:
        minutes = _minutes(t1, series)
        if minutes > 0 and _one_protocol(t1, series):
            label = t1.series.tags.label
            return series, f"it repeats the protocol of {label} {minutes:.0f} min later"
    return None


def _of_series(series: RecognisedSeries) -> _Injection | None:
    """Evidence from a series with a post-contrast name: the injection was before its start."""
    tags = series.series.tags
    recognition = series.recognition
    named = BY_NAME in recognition.evidence or (
        recognition.sequence != "t1ce" and recognition.contrast
    )
    if named and tags.acquired is not None:
        return _Injection(tags.acquired, f"{tags.label}, which is post-contrast by its name")
    return None


def _of_header(tags: SeriesTags) -> _Injection | None:
    if tags.injected is not None:
        return _Injection(tags.injected, f"the injection time in {tags.label}")
    if tags.acquired is not None and _WITH_AGENT.search(tags.description or tags.protocol):
        return _Injection(tags.acquired, f"{tags.label}, a perfusion series with contrast agent")
    return None


def _after(series: RecognisedSeries, injection: _Injection) -> RecognisedSeries:
    recognition, time = series.recognition, series.series.tags.acquired
    if (
        recognition.sequence != "t1"
        or recognition.contrast is not None
        or time is None
        or time <= injection.time
    ):
        return series
    minutes = (time - injection.time) / 60
    why = f"made {minutes:.0f} min after {injection.why}"
    recognised_after = replace(
        recognition, sequence="t1ce", evidence=(*recognition.evidence, why), contrast=True
    )
    return RecognisedSeries(series.series, recognised_after)


def _minutes(first: RecognisedSeries, second: RecognisedSeries) -> float:
    """Minutes between two acquisitions; 0 if unknown, or if both are from one scan."""
    before, after = first.series.tags, second.series.tags
    if before.acquired is None or after.acquired is None:
        return 0.0
    return (after.acquired - before.acquired) / 60


def _one_protocol(first: RecognisedSeries, other: RecognisedSeries) -> bool:
    """Return True if two series have the same name, timing and grid size."""
    a, b = first.series.tags, other.series.tags
    if (a.description, a.protocol) != (b.description, b.protocol):
        return False
    pairs = ((a.echo_time, b.echo_time), (a.repetition_time, b.repetition_time))
    return (
        all(
            x == y or (x is not None and y is not None and abs(x - y) <= _SAME * max(x, y))
            for x, y in pairs
        )
        and first.series.shape[:2] == other.series.shape[:2]
    )
