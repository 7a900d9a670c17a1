"""Names of patients and names that may become part of a path."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gliomask.core.case import patient_key, safe_name, tcga_site


@pytest.mark.parametrize(
    "name", ["TCGA_CS_4941_19960909", "TCGA-CS-4941", "TCGA-CS-4941_1996.09.09", "x/tcga-cs-4941"]
)
def test_one_patient_under_many_spellings(name: str) -> None:
    assert patient_key(name) == "TCGA-CS-4941"


def test_other_patients_keep_their_name() -> None:
    assert patient_key("BraTS2021_00001") == "BraTS2021_00001"


def test_site_of_a_barcode() -> None:
    assert tcga_site("TCGA_HT_7602_19951103") == "HT"
    assert tcga_site("LGG-104") is None


@given(st.text(max_size=300))
def test_a_safe_name_can_be_part_of_any_path(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", safe_name(name))


def test_path_tricks_are_taken_out() -> None:
    assert safe_name("../../etc/passwd") == "_.._etc_passwd"
    assert safe_name("-rf") == "rf"
