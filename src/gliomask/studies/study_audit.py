"""Report on every series of a DICOM study, for users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import MappingProxyType

from gliomask.core.case import SeriesUse
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.questions import ask_series
from gliomask.formats.dicom.series import RefusedSeries
from gliomask.studies.dicom_audit import SeriesAudit, audit_of
from gliomask.studies.dicom_choice import SeriesChoice
from gliomask.studies.dicom_picks import BY_HAND, number_of
from gliomask.studies.read_series import RecognisedSeries
from gliomask.studies.sequences import recognise

NAMES = MappingProxyType({"t1": "T1", "t1ce": "T1 after contrast", "t2": "T2", "flair": "FLAIR"})


def audits(choice: SeriesChoice, refused: Iterable[RefusedSeries]) -> list[SeriesAudit]:
    """All series by their number."""
    told = [(number_of(one.series.tags), _audit(one, choice)) for one in choice.among]
    told += [(number_of(one.tags), audit_of(one.tags, (_refusal(one),))) for one in refused]
    return [audit for _, audit in sorted(told, key=lambda pair: pair[0])]


def uses(found: Iterable[SeriesAudit], choice: SeriesChoice) -> tuple[SeriesUse, ...]:
    """The same in a line for each; the volumes of one series that share a reason are told once."""
    told = (SeriesUse(one.series, one.sequence, one.used, _why(one, choice)) for one in found)
    return tuple(dict.fromkeys(told))


def notes(choice: SeriesChoice) -> tuple[str, ...]:
    """Notes on series that are used but lie in different spaces."""
    spaces = {one.series.tags.frame_of_reference for one in choice.chosen.values()}
    moved = "the series don't share a frame of reference: the patient may have moved"
    return (moved,) if len(spaces) > 1 else ()


def _why(audit: SeriesAudit, choice: SeriesChoice) -> str:
    if not audit.used:
        return next(iter(audit.problems), "")
    one = choice.chosen[audit.sequence or ""]
    text, sequence = audit.evidence, audit.sequence or ""
    other = choice.runner_up(sequence)
    if other is None or BY_HAND in one.recognition.evidence:
        return text
    return f"{text}; preferred to {other.series.tags.label}: {choice.advantage(other)}"


def _audit(one: RecognisedSeries, choice: SeriesChoice) -> SeriesAudit:
    series, found, rival = one.series, one.recognition, choice.rival(one)
    used = one in choice.chosen.values()
    problems = [*(_moved(one, choice) if used else ()), *series.notes]
    if found.rejected:
        open_question = found.candidates - choice.chosen.keys()
        answer = f"; {ask_series(series.tags, found.candidates)}" if open_question else ""
        problems.insert(0, f"{found.rejected}{answer}")
    elif rival is not None:
        instead = f"{rival.series.tags.label} is used for {NAMES[found.sequence or '']} instead"
        problems.insert(0, f"{instead}: {choice.advantage(one)}{_after_contrast(one, choice)}")
    return replace(
        audit_of(series.tags, tuple(problems), series),
        sequence=found.sequence,
        evidence="; ".join(found.evidence),
        used=used,
    )


def _after_contrast(one: RecognisedSeries, choice: SeriesChoice) -> str:
    """Hint for a study without post-contrast T1, if an unused T1 may be it."""
    if "t1ce" in choice.chosen or one.recognition.contrast is not None:
        return ""
    if one.recognition.sequence != "t1":
        return ""
    return f"; {ask_series(one.series.tags, ('t1ce',), 'if it was made after a contrast agent')}"


def _refusal(one: RefusedSeries) -> str:
    """Reason why a series is not a volume; empty for series that are no sequence anyway."""
    found = recognise(one.tags)
    if found.rejected and not found.asks:
        return found.rejected
    return one.reason.removeprefix(f"{one.tags.label}: ")


def _moved(one: RecognisedSeries, choice: SeriesChoice) -> Sequence[str]:
    """Return True if a series lies in another space than the first used series."""
    first = next(choice.chosen[name] for name in SEQUENCES if name in choice.chosen)
    spaces = {other.series.tags.frame_of_reference for other in (first, one)}
    if len(spaces) == 1:
        return ()
    where = f"another frame of reference than {first.series.tags.label}"
    return (f"in {where}: the patient may have moved",)
