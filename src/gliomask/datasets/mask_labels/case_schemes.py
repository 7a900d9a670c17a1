"""Label schemes of the masks of a data set, from metadata, names and sampled numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gliomask.core.case import Case, ImageFile
from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import CAVITY
from gliomask.datasets.mask_labels.resolve import (
    BOTH,
    NumberedMask,
    Numbers,
    Reading,
    Side,
    explanations,
    resolve,
)
from gliomask.errors import InputError, QuestionError
from gliomask.formats.images import read_labels

SAMPLE = 16
"""Number of masks of a set whose numbers are read first, evenly spaced; all if they are
ambiguous."""
_NO_ENHANCING = "4 is read as resection cavity, although no examined mask contains a 3"


def resolve_cases(
    cases: Sequence[Case], stated: LabelScheme | None = None
) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Assign a label scheme to each mask, and explain it.

    Args:
        cases: cases of one data set.
        stated: scheme stated by the user.

    Raises:
        QuestionError: the numbers can be read in several ways, or in none.
    """
    masked = {case.id: case.label for case in cases if case.label is not None}
    if stated is not None:
        readings = dict.fromkeys(masked, Reading(stated, "as stated"))
        return _with(cases, readings, {}), explanations("masks", readings.values())
    unclear = [case for case in cases if case.label is not None and case.scheme is None]
    step = max(1, -(-len(unclear) // SAMPLE))
    numbers = {case.id: mask_numbers(masked[case.id]) for case in unclear[::step]}
    try:
        unclear_readings = _readings(unclear, numbers)
    except QuestionError:
        if step == 1:
            raise
        numbers = {case.id: mask_numbers(masked[case.id]) for case in unclear}
        unclear_readings = _readings(unclear, numbers)
    return _with(cases, unclear_readings, numbers), explanations("masks", unclear_readings.values())


def names_of(label: ImageFile, case: str) -> tuple[str, ...]:
    """Names that may contain the challenge of a mask, the most reliable first."""
    path = label.paths[0]
    return path.name, case, path.parent.name


def mask_numbers(label: ImageFile) -> Numbers | None:
    """Numbers in a mask except 0; None if it can't be read, which the loader reports."""
    try:
        return frozenset(np.unique(read_labels(label, numbered=True)[0]).tolist()) - {0}
    except InputError:
        return None


def _readings(cases: Sequence[Case], numbers: Mapping[str, Numbers | None]) -> dict[str, Reading]:
    masks = tuple(
        NumberedMask(
            names_of(case.label, case.id),
            numbers.get(case.id) or frozenset(),
            unreadable=numbers.get(case.id, frozenset()) is None,
            unclear=case.label_names,
        )
        for case in cases
        if case.label is not None
    )
    readings = resolve(Side("masks", BOTH, masks))
    return {case.id: reading for case, reading in zip(cases, readings, strict=True)}


def _with(
    cases: Sequence[Case],
    readings: Mapping[str, Reading],
    numbers: Mapping[str, Numbers | None],
) -> tuple[Case, ...]:
    present = frozenset[int]().union(*filter(None, numbers.values()))
    return tuple(
        replace(
            case,
            scheme=readings[case.id].scheme,
            notes=(*case.notes, *_doubt(readings[case.id].scheme, present)),
        )
        if case.id in readings
        else case
        for case in cases
    )


def _doubt(scheme: LabelScheme, present: Numbers) -> tuple[str, ...]:
    """Note on a remaining ambiguity of a scheme."""
    cavity = (4, CAVITY) in scheme.values and 4 in present and 3 not in present
    return (_NO_ENHANCING,) if cavity else ()
