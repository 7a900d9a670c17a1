"""Check that series named T1 and post-contrast T1 are not exchanged, from their enhancement."""

from __future__ import annotations

from dataclasses import replace

from gliomask.alignment.enhancement import DEEP_MM, Brightening, brightening
from gliomask.alignment.study import AlignedStudy
from gliomask.core.case import Case
from gliomask.core.geometry import spacing_mm
from gliomask.core.reliability import Reason
from gliomask.errors import CaseError, same_with
from gliomask.jobs.control import SILENT, Control

EXCHANGED = "t1_exchanged"
"""Code of the reason if T1 and post-contrast T1 look exchanged."""


def check_contrast(case: Case, study: AlignedStudy, control: Control = SILENT) -> AlignedStudy:
    """Compare T1 before and after contrast, if a study has both.

    If a name, a header or the user distinguishes them, a contradiction of the images makes the case
    amber. If only the order in the study distinguishes them, the images must confirm it.

    Args:
        case: source of the study.
        study: on one grid.
        control: a stop ends the comparison of the images.

    Returns:
        The study with what was found.

    Raises:
        CaseError: T1 before and after contrast differ by their order alone, and the images
            don't confirm it.
    """
    volume = study.volume
    brightness = None
    if {"t1", "t1ce"} <= set(volume.sequences) and volume.has_world:
        t1, t1ce = (volume.array[volume.sequences.index(name)] for name in ("t1", "t1ce"))
        brightness = brightening(t1, t1ce, spacing_mm(volume.affine), control)
    if case.contrast_order and {"t1", "t1ce"} <= set(volume.sequences):
        return _confirmed(case, study, brightness)
    if brightness is None or brightness.verdict != "before":
        return study
    text = (
        f"t1 and t1ce look exchanged: {_shares(brightness)}; "
        "check which one was acquired after contrast"
    )
    reason = Reason("amber", EXCHANGED, text)
    return replace(_recorded(study, brightness), reasons=(*study.reasons, reason))


def _confirmed(case: Case, study: AlignedStudy, brightness: Brightening | None) -> AlignedStudy:
    if brightness is None or brightness.verdict != "after":
        text = (
            "too little of the head is covered to compare them"
            if brightness is None
            else _shares(brightness)
        )
        used = {series.sequence: series.series for series in case.series if series.used}
        t1, t1ce = used.get("t1", "t1"), used.get("t1ce", "t1ce")
        native = ("series", f"t1={_number(t1)}")
        raise CaseError(
            f"{case.id}: it is unclear whether {t1ce} is post-contrast: "
            f"{case.contrast_order}, no agent is named, and {text}",
            hint=f"if it was: {same_with(native, ('series', f't1ce={_number(t1ce)}'))}; "
            f"if not: {same_with(native)}",
        )
    note = f"t1ce is after contrast: {case.contrast_order}, and {_shares(brightness)}"
    return replace(_recorded(study, brightness), notes=(*study.notes, note))


def _shares(brightness: Brightening) -> str:
    return (
        f"{brightness.second:.1%} of the voxels deeper than {DEEP_MM:.0f} mm in the head are much "
        f"brighter in t1ce than t1 leads to expect, and {brightness.first:.1%} the other way round"
    )


def _recorded(study: AlignedStudy, brightness: Brightening) -> AlignedStudy:
    record = {
        "brighter_in_t1ce": round(brightness.second, 5),
        "brighter_in_t1": round(brightness.first, 5),
        "score": round(brightness.score, 3),
        "verdict": brightness.verdict,
    }
    return replace(study, provenance={**study.provenance, "contrast": record})


def _number(series: str) -> str:
    """Number of a series, from its label."""
    words = series.split()
    return words[1] if len(words) > 1 and words[0] == "series" else "NUMBER"
