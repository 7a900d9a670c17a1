"""T1 before and after contrast: confirmed, doubted or asked about, by what they show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gliomask.alignment.study import AlignedStudy
from gliomask.core.case import Case, ImageFile, SeriesUse
from gliomask.core.volume import FloatArray, Volume
from gliomask.errors import CaseError
from gliomask.studies.contrast_check import check_contrast
from tests.alignment.test_enhancement import MM, t1

BEFORE, AFTER = t1(3), t1(4, vessels=80)
ORDER = "it repeats the protocol of series 9 (Ax T1) 12 min later"
CASE = Case(
    "one",
    "one",
    {name: ImageFile((Path(name),)) for name in ("t1", "t1ce")},
    series=(
        SeriesUse("series 9 (Ax T1)", "t1", True, ""),
        SeriesUse("series 12 (Ax T1)", "t1ce", True, ""),
        SeriesUse("series 13 (Ax T1)", "t1", False, ""),
    ),
)
BY_ORDER = replace(CASE, contrast_order=ORDER)


def study(*images: FloatArray, world: bool = True) -> AlignedStudy:
    return AlignedStudy(Volume(np.stack(images), np.diag([*MM, 1.0]), ("t1", "t1ce"), world))


def test_an_order_is_confirmed_with_the_figures() -> None:
    found = check_contrast(BY_ORDER, study(BEFORE, AFTER))
    (note,) = found.notes
    assert note.startswith(f"t1ce is after contrast: {ORDER}, and ")
    assert json.loads(json.dumps(found.provenance))["contrast"]["verdict"] == "after"
    assert not found.reasons


@pytest.mark.parametrize("images", [(BEFORE, t1(5)), (AFTER, BEFORE)])
def test_an_order_that_is_not_confirmed_is_asked_about(images: tuple[FloatArray, ...]) -> None:
    with pytest.raises(CaseError) as asked:
        check_contrast(BY_ORDER, study(*images))
    said = str(asked.value)
    assert "it is unclear whether series 12 (Ax T1) is post-contrast" in said
    assert "if it was: `... series=t1=9 series=t1ce=12`; if not: `... series=t1=9`" in said
    assert "\n" not in said


def test_too_little_of_a_head_to_compare_is_asked_about() -> None:
    small = study(BEFORE[:9, :9, :9], AFTER[:9, :9, :9])
    with pytest.raises(CaseError, match="too little of the head"):
        check_contrast(BY_ORDER, small)
    assert check_contrast(CASE, small) is small


def test_names_that_look_exchanged_are_doubted_not_changed() -> None:
    given = study(AFTER, BEFORE)
    found = check_contrast(CASE, given)
    (reason,) = found.reasons
    assert (reason.level, reason.code) == ("amber", "t1_exchanged")
    assert "t1 and t1ce look exchanged" in reason.text
    assert found.volume is given.volume


def test_names_that_fit_or_are_not_clear_are_left_in_peace() -> None:
    for images in ((BEFORE, AFTER), (BEFORE, t1(5))):
        given = study(*images)
        assert check_contrast(CASE, given) is given


def test_pictures_and_single_sequences_are_not_compared() -> None:
    pictures = study(AFTER, BEFORE, world=False)
    assert check_contrast(CASE, pictures) is pictures
    alone = AlignedStudy(study(AFTER, BEFORE).volume.select(("t1",)))
    assert check_contrast(CASE, alone) is alone
