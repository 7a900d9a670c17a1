"""A table of patients must be of the evaluated ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.errors import InputError
from gliomask.evaluation.trait_table import check_trait_table

TABLE = Path("patients.csv")


def test_a_table_may_list_others_than_the_patients() -> None:
    assert check_trait_table(TABLE, ["p1", "x"], ["p1"]) == ()
    assert check_trait_table(None, [], ["p1"]) == ()
    assert check_trait_table(TABLE, ["x"], []) == ()


def test_a_table_of_some_of_them_is_used_with_a_warning() -> None:
    (text,) = check_trait_table(TABLE, ["p1", "x"], ["p5", "p4", "p3", "p2", "p1", "p5"])
    assert text == (
        "patients.csv lacks 4 of the 5 evaluated patients, so their values are unknown: "
        "p2, p3, p4 and 1 more"
    )


def test_a_table_of_none_of_them_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        check_trait_table(TABLE, ["x9", "x1"], ["p4", "p3", "p2", "p1", "p1"])
    assert str(caught.value) == (
        "patients.csv: contains none of the evaluated patients "
        "(patient=x1, allowed p1, p2, p3 and 1 more); did you mean 'p1'?"
    )


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(InputError, match=r"none of the evaluated patients \(patient=, allowed p1"):
        check_trait_table(TABLE, [], ["p1"])
