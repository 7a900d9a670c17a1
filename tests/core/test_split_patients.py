"""Patients of a split, from their cases."""

from __future__ import annotations

import pytest

from gliomask.core.case import Case
from gliomask.core.split import Patient
from gliomask.core.split_patients import split_patients


def case(case_id: str, site: str | None = None, *, training_only: bool = False) -> Case:
    patient = case_id.partition("_")[0]
    return Case(case_id, patient, {}, site=site, source="brats", training_only=training_only)


def test_a_patient_has_the_mean_size_and_the_first_site() -> None:
    sized = [(case("b_2", "DU"), 4.0), (case("a_1"), 1.0), (case("b_1", "CS"), 1.0)]
    patients = [Patient("a", "brats", 1.0), Patient("b", "CS", 2.5)]
    assert split_patients(sized) == split_patients(reversed(sized)) == patients


@pytest.mark.parametrize("first", [True, False])
def test_a_case_for_training_only_decides_for_its_patient(first: bool) -> None:
    sized = [(case("a_1", training_only=first), 1.0), (case("a_2", training_only=not first), 1.0)]
    (patient,) = split_patients(sized)
    assert patient.training_only
