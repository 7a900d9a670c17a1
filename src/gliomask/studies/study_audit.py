"""Report on every series of a DICOM study, for users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gliomask.core.case import SeriesUse
from gliomask.core.sequence_titles import SEQUENCE_TITLES
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.questions import ask_series
from gliomask.formats.dicom.series import RefusedSeries
from gliomask.studies.dicom_audit import SeriesAudit, audit_of
from gliomask.studies.dicom_choice import SeriesChoice
from gliomask.studies.dicom_picks import BY_HAND, number_of
from gliomask.studies.read_series import RecognisedSeries
from gliomask.studies.sequences import recognise


def audits(choice: SeriesChoice, refused: Iterable[RefusedSeries]) -> list[SeriesAudit]:
    """All series by their number."""
    rows = [(number_of(series.series.tags), _audit(series, choice)) for series in choice.among]
    rows += [
        (number_of(series.tags), audit_of(series.tags, (_refusal(series),))) for series in refused
    ]
    return [audit for _, audit in sorted(rows, key=lambda pair: pair[0])]


def uses(audited: Iterable[SeriesAudit], choice: SeriesChoice) -> tuple[SeriesUse, ...]:
    """Use of each series, in one line; volumes of one series with the same reason share a line."""
    uses_of_series = (
        SeriesUse(audit.series, audit.sequence, audit.used, _why(audit, choice))
        for audit in audited
    )
    return tuple(dict.fromkeys(uses_of_series))


def notes(choice: SeriesChoice) -> tuple[str, ...]:
    """Notes on unknown words in the names of used series, on different spaces, and questions."""
    unknown = [
        _not_understood(choice.chosen[sequence], sequence, choice)
        for sequence in SEQUENCES
        if sequence in choice.chosen and choice.chosen[sequence].recognition.unknown
    ]
    spaces = {series.series.tags.frame_of_reference for series in choice.chosen.values()}
    moved = "the series don't share a frame of reference: the patient may have moved"
    return (*unknown, *_open_questions(choice), *((moved,) if len(spaces) > 1 else ()))


def _open_questions(choice: SeriesChoice) -> list[str]:
    """Notes on series that may be a sequence of which none is used."""
    notes_of_series = []
    for series in choice.among:
        recognition = series.recognition
        missing = recognition.candidates - choice.chosen.keys()
        if recognition.rejected and missing == recognition.candidates and len(missing) == 1:
            hint = ask_series(series.series.tags, missing)
            notes_of_series.append(f"{series.series.tags.label}: {recognition.rejected}; {hint}")
    return notes_of_series


def _not_understood(series: RecognisedSeries, sequence: str, choice: SeriesChoice) -> str:
    word, label = series.recognition.unknown[0], series.series.tags.label
    title = SEQUENCE_TITLES[sequence]
    text = f"{label} is used as {title} by its timing; {word!r} in its name is unknown"
    return text + _after_contrast(series, choice)


def _why(audit: SeriesAudit, choice: SeriesChoice) -> str:
    if not audit.used:
        return next(iter(audit.problems), "")
    series = choice.chosen[audit.sequence or ""]
    text, sequence = audit.evidence, audit.sequence or ""
    other = choice.runner_up(sequence)
    if other is None or BY_HAND in series.recognition.evidence:
        return text
    return f"{text}; preferred to {other.series.tags.label}: {choice.advantage(other)}"


def _audit(recognised: RecognisedSeries, choice: SeriesChoice) -> SeriesAudit:
    series, recognition, rival = recognised.series, recognised.recognition, choice.rival(recognised)
    used = recognised in choice.chosen.values()
    problems = [*(_moved(recognised, choice) if used else ()), *series.notes]
    if recognition.rejected:
        open_question = recognition.candidates - choice.chosen.keys()
        answer = f"; {ask_series(series.tags, recognition.candidates)}" if open_question else ""
        problems.insert(0, f"{recognition.rejected}{answer}")
    elif rival is not None:
        title = SEQUENCE_TITLES[recognition.sequence or ""]
        instead = f"{rival.series.tags.label} is used for {title} instead"
        problems.insert(
            0, f"{instead}: {choice.advantage(recognised)}{_after_contrast(recognised, choice)}"
        )
    return replace(
        audit_of(series.tags, tuple(problems), series),
        sequence=recognition.sequence,
        evidence="; ".join(recognition.evidence),
        used=used,
    )


def _after_contrast(series: RecognisedSeries, choice: SeriesChoice) -> str:
    """Hint for a study without post-contrast T1, if an unused T1 may be it."""
    if "t1ce" in choice.chosen or series.recognition.contrast is not None:
        return ""
    if series.recognition.sequence != "t1":
        return ""
    return f"; {ask_series(series.series.tags, ('t1ce',), 'if it was made after a contrast agent')}"


def _refusal(refused: RefusedSeries) -> str:
    """Reason why a series is not a volume; empty for series that are no sequence anyway."""
    recognition = recognise(refused.tags)
    if recognition.rejected and not recognition.ambiguous:
        return recognition.rejected
    return refused.reason.removeprefix(f"{refused.tags.label}: ")


def _moved(series: RecognisedSeries, choice: SeriesChoice) -> Sequence[str]:
    """Return True if a series lies in another space than the first used series."""
    first = next(choice.chosen[name] for name in SEQUENCES if name in choice.chosen)
    spaces = {other.series.tags.frame_of_reference for other in (first, series)}
    if len(spaces) == 1:
        return ()
    where = f"another frame of reference than {first.series.tags.label}"
    return (f"in {where}: the patient may have moved",)
