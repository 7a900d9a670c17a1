"""What names tell, for the spellings that are about."""

from __future__ import annotations

import pytest

from gliomask.datasets.names import is_mask, sequences_in, without_sequence


@pytest.mark.parametrize(
    ("sequence", "names"),
    [
        ("t1", ("t1", "T1", "T1w", "sub-01_T1w", "BraTS-GLI-00000-000-t1n", "T1-weighted",
                "x_t1_pre", "T1_brain", "t1_native", "T1_precontrast")),
        ("t1ce", ("t1ce", "T1c", "t1Gd", "t1gd", "T1_post", "sub-01_ce-gadolinium_T1w", "T1-CE",
                  "T1+C", "T1 post contrast", "t1contrast", "T1gad", "x_t1c_bias", "T1wCE")),
        ("t2", ("t2", "T2w", "x-t2w", "T2-weighted", "t2_tse")),
        ("flair", ("flair", "FLAIR", "t2f", "T2-FLAIR", "t2_flair", "T2FLAIR", "T2w_FLAIR_brain")),
    ],
)  # fmt: skip
def test_sequences(sequence: str, names: tuple[str, ...]) -> None:
    for name in names:
        assert sequences_in(name) == {sequence}, name


@pytest.mark.parametrize("name", ["brain", "TCGA-DU-7008", "LGG-104", "adc", "dwi", "t10", "scan1"])
def test_names_that_tell_nothing(name: str) -> None:
    assert sequences_in(name) == set()


@pytest.mark.parametrize(
    ("name", "both"), [("t1_in_t2_space", {"t1", "t2"}), ("flair_to_t1c", {"flair", "t1ce"})]
)
def test_names_that_can_be_read_in_two_ways(name: str, both: set[str]) -> None:
    assert sequences_in(name) == both


def test_masks() -> None:
    masks = ("x_seg", "LGG-104-Segmentation", "a_mask", "brainmask", "label", "labels", "t1_roi",
             "T_GlistrBoost_ManuallyCorrected", "sub-1_label-tumor_mask", "x_dseg")  # fmt: skip
    assert all(is_mask(name) for name in masks)
    assert not any(is_mask(name) for name in ("x_t1", "flair", "Massachusetts", "unmasked_t1"))


def test_what_examinations_have_in_common() -> None:
    assert without_sequence("UCSF-PDGM-0004_T1_bias") == "UCSF-PDGM-0004"
    assert without_sequence("sub-01_ce-gadolinium_T1w") == without_sequence("sub-01_T1w")
    assert without_sequence("T1_brain") == ""
    assert without_sequence("a_flair") != without_sequence("b_flair")
