"""Dice by data set: which set a case is of, and patients with several cases."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.by_data_set import data_set, dice_by_data_set, table_of


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("BraTS-SSA-00002-000", "BraTS-Africa"),
        ("BraTS2021_00000", "BraTS 2021"),
        ("Brats17_TCIA_105_1", "BraTS 2017/18"),
        ("UPENN-GBM-00307_11", "UPENN-GBM"),
        ("TCGA_DU_A5TW_19980228", "LGG"),
        ("glioma-1893", "Cheng et al."),
        ("BTP-01-pre", "Brain-Tumor-Progression"),
    ],
)
def test_a_case_is_of_the_set_that_its_name_says(case: str, name: str) -> None:
    assert data_set(case) == name


def test_a_name_of_no_set_is_refused() -> None:
    with pytest.raises(ValueError, match="patient_1: of no known data set"):
        data_set("patient_1")


def test_the_cases_of_a_patient_count_once() -> None:
    """Africa: (0.6 + 0.8) / 2 = 0.7 and 0.9, mean 0.8; all with the LGG patient's 0.5: 0.7."""
    rows = [
        {"case": case, "patient": patient, "region": "whole", "dice": dice}
        for case, patient, dice in (
            ("BraTS-SSA-00115-000", "a", "0.6"),
            ("BraTS-SSA-00121-000", "a", "0.8"),
            ("BraTS-SSA-00002-000", "b", "0.9"),
            ("TCGA_CS_4941_19960909", "c", "0.5"),
            ("TCGA_CS_4942_19970222", "d", ""),
        )
    ]
    table = table_of(dice_by_data_set(rows))
    found = {row[1]: list(row[2:4]) for row in table.rows}
    assert list(found) == ["BraTS-Africa", "LGG", "whole heads", "skull-stripped", "all"]
    assert found["BraTS-Africa"] == pytest.approx([2, 0.8])
    assert found["LGG"] == [1, 0.5]
    assert found["all"] == pytest.approx([3, 0.7])
