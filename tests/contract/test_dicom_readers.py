"""DICOM that is odd in one way: what two independent readers read alike and right, we read.

The evidence behind each refusal of a DICOM series, in ``dicom_cases``: what GDCM, dcm2niix and
highdicom make of the same files is in the table, and tried again by the slow test.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.errors import FormatError
from tests.contract.dicom_cases import READ, REFUSED
from tests.contract.dicom_judges import (
    READERS,
    RIGHT,
    by_ours,
    looked_at,
    verdict,
)
from tests.contract.dicom_makers import Case

CASES = {**READ, **REFUSED}
LETTERS = {"right": "R", "wrong": "W", "refuses": "-"}


@pytest.mark.parametrize("name", CASES)
def test_series(name: str, tmp_path: Path) -> None:
    case, folder = CASES[name], tmp_path / "in"
    truth = case.make(folder)
    if case.refused is None:
        assert verdict(by_ours, folder, tmp_path, truth) == RIGHT
    else:
        assert case.verdicts.count("R") < 2 or case.unlike
        _assert_refused(case.refused, folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_verdicts_are_those_of_the_readers(name: str, tmp_path: Path) -> None:
    case, folder = CASES[name], tmp_path / "in"
    truth = case.make(folder)
    verdicts = [verdict(READERS[name], folder, tmp_path / name, truth) for name in READERS]
    assert "".join(LETTERS[each] for each in verdicts) == case.verdicts


def _assert_refused(reason: str, folder: Path) -> None:
    """By the survey, or where only its pixels show it, when it is read; in one line."""
    survey = looked_at(folder)
    told = [one.reason for one in survey.refused]
    if survey.series:
        with pytest.raises(FormatError) as problem:
            by_ours(folder, folder)
        told.append(str(problem.value))
    assert any(reason in text for text in told), told
    assert all("\n" not in text for text in told)


def test_enough_are_tried() -> None:
    assert len(READ) >= 50
    assert len(REFUSED) >= 40
    assert sum(bool(case.unlike) for case in REFUSED.values()) <= 4


def test_a_refusal_of_what_others_read_has_a_reason() -> None:
    def alike(case: Case) -> bool:
        return case.verdicts.count("R") >= 2

    assert {name for name, case in REFUSED.items() if alike(case)} == {
        name for name, case in REFUSED.items() if case.unlike
    }
