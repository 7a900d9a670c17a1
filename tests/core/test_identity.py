"""Who is who: one key for a patient in all data sets, and names that cannot collide."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.core.identity import (
    date_of,
    names_nobody,
    patient_in,
    patient_of,
    safe_name,
    session_of,
    stated_patient,
    tcga_site,
)

NAMES = st.text(max_size=300)


@pytest.mark.parametrize(
    ("patient", "names"),
    [
        (
            "TCGA-CS-4941",
            (
                "TCGA_CS_4941_19960909",
                "TCGA-CS-4941",
                "TCGA-CS-4941_1996.09.09",
                "x/tcga-cs-4941",
            ),
        ),
        (
            "TCGA-DU-A5TR",
            (
                "TCGA_DU_A5TR_19970726",
                "Brats17_TCIA_628_1",
                "Brats18_TCIA10_628_1",
                "BraTS19_TCIA10_628_1",
                "BraTS20_Training_309",
                "Brats18-TCIA10-628-1",
                "BraTS20-Training-309",
            ),
        ),
        ("BraTS-CBICA-AAB", ("Brats17_CBICA_AAB_1", "Brats18_CBICA_AAB_1", "BraTS19_CBICA_AAB_1")),
        ("BraTS-GLI-00005", ("BraTS-GLI-00005-100", "BraTS-GLI-00005-101", "BraTS-GLI-00005")),
        ("BraTS-SSA-00115", ("BraTS-SSA-00115-000", "BraTS-SSA-00121-000")),
        ("UPENN-GBM-00055", ("UPENN-GBM-00055_11", "UPENN-GBM-00055-21", "UPENN-GBM-00055")),
        ("UCSF-PDGM-0004", ("UCSF-PDGM-0004", "UCSF-PDGM-004", "UCSF-PDGM-0004_FU003d")),
        ("RHUH-0001", ("RHUH-0001_0", "RHUH-0001-2", "RHUH-0001")),
        ("UCSD-PTGBM-0002", ("UCSD-PTGBM-0002_01", "UCSD-PTGBM-0002_02")),
        ("PatientID_0003", ("PatientID_0003_Timepoint_1", "PatientID_0003_Timepoint_12")),
        ("Patient-001", ("Patient-001_week-000-1", "Patient-001_week-012")),
        (
            "P07",
            (
                "P07",
                "P07_tp1",
                "P07-visit-2",
                "P07_FU3",
                "P07_preop",
                "P07_post-op",
                "P07 baseline",
            ),
        ),
        ("ReMIND-001", ("ReMIND-001-preop", "ReMIND-001-intraop", "ReMIND-001_post-RT")),
        ("P7", ("P7_20190412", "P7_2019-04-12", "P7_2019.04.12_ses-2", "P7_session_B")),
        ("sub-01", ("sub-01", "sub-01_ses-1", "sub-01_ses-2_ce-gadolinium_T1w", "x/sub-01/anat")),
        ("BraTS2021_00001", ("BraTS2021_00001", "BraTS2021-00001", "FeTS2022_00001")),
        ("BraTSReg_001", ("BraTSReg_001_00_0000", "BraTSReg_001_01_0106", "BraTSReg-001")),
        ("100001", ("100001_time1", "100001-time2")),
        ("SUBJ001", ("SUBJ001_MR1", "SUBJ001_MR2", "SUBJ001_day 3", "SUBJ001_20190412093012")),
        ("patient_1", ("patient_1", " patient_1 ")),
        ("Smith", ("Smith_visit1", "Smith_tp2", "Smith preop", "Smith_20190412093012")),
        ("Smith", ("Smith_20190412", "Smith_2020-01-10", "Smith_MR1", "Smith_MR2")),
        ("P01", ("P01_1985-01-02", "P01_19600115", "P01_20190412")),
        ("KUM_MR0001", ("KUM_MR0001", "KUM_MR0001_tp2", "KUM_MR0001_20190412")),
    ],
)
def test_one_patient_under_many_names(patient: str, names: tuple[str, ...]) -> None:
    assert {name: patient_of(name) for name in names} == dict.fromkeys(names, patient)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sub-01", "sub-1"),
        ("sub-01_ses-1", "sub-02_ses-1"),
        ("subsub-01", "sub-01"),
        ("patient_tp1", "patient_tp2"),  # nothing is left of the name
        ("scan_20190412", "scan_20200412"),
        ("visit_1", "visit_2"),
        ("P7_20191412", "P7_20191512"),  # no dates
        ("KUM_MR0001", "KUM_MR0002"),  # medical record numbers
        ("UKHD_MR_0001", "UKHD_MR_0002"),
        ("Site1_MR0001", "Site1_MR0002"),
        ("KUM_TP0001", "KUM_TP0002"),  # tumour patients
        ("UKHD_19560312", "UKHD_19710824"),  # dates of birth
        ("007", "7"),
        ("P_1", "P_2"),
        ("RHUH-0001_0", "RHUH-0010_0"),
        ("BraTS-GLI-00005-100", "BraTS-SSA-00005-100"),
        ("BraTSReg_001_00_0000", "BraTSReg_010_00_0000"),
        ("study_MR1", "study_MR2"),
        ("Brats18_2013_1_1", "Brats18_2013_11_1"),
        ("Brats18_CBICA_AAB_1", "Brats18_TCIA01_AAB_1"),
        ("UPENN-GBM-00055_11", "UPENN-GBM-00056_11"),
        ("TCGA-DU-A5TR", "TCGA-DU-A5TRX"),
        ("a/b", "a_b"),
        ("张三", "李四"),
    ],
)
def test_different_patients_stay_different(one: str, other: str) -> None:
    assert patient_of(one) != patient_of(other)


@pytest.mark.parametrize(
    ("stated", "patient"),
    [
        ("KUM_MR0001", "KUM_MR0001"),
        ("UKHD_19560312", "UKHD_19560312"),
        ("Site1_20150312", "Site1_20150312"),
        ("P07_tp1", "P07_tp1"),
        ("SUBJ001_MR1", "SUBJ001_MR1"),
        ("KUM sub-01", "KUM_sub-01"),
        (" P 1 ", "P_1"),
        ("TCGA_DU_A5TR_19970726", "TCGA-DU-A5TR"),
        ("Brats18_TCIA10_628_1", "TCGA-DU-A5TR"),
        ("BraTS-GLI-00005-101", "BraTS-GLI-00005"),
        ("UPENN-GBM-00055_11", "UPENN-GBM-00055"),
        ("sub-01", "sub-01"),
        ("sub-01_ses-2", "sub-01"),
    ],
)
def test_a_patient_that_a_table_states_is_used_as_it_stands(stated: str, patient: str) -> None:
    assert stated_patient(stated) == patient


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("P01_20240101", "P01"),
        ("sub-01_ses-2", "sub-01"),
        ("BraTS-GLI-00005-101", "BraTS-GLI-00005"),
        ("Smith_visit1", "Smith"),
        ("visit_1", None),
        ("20240101", None),
        ("P01", None),
        ("before", None),
    ],
)
def test_names_that_tell_the_patient_from_the_examination(name: str, patient: str | None) -> None:
    assert patient_in(name) == patient


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("P01_20240901", date(2024, 9, 1)),
        ("P01_2024-09-01", date(2024, 9, 1)),
        ("2024.09.01 Smith", date(2024, 9, 1)),
        ("sub-01_ses-20240901", date(2024, 9, 1)),
        ("TCGA_CS_4941_19960909", date(1996, 9, 9)),
        ("P01_20240901093012", date(2024, 9, 1)),
        ("P01_19560312_20240901", date(2024, 9, 1)),
        ("UKHD_19560312", None),
        ("P01_20240901_20250301", None),
        ("P01_20240931", None),
        ("P01_01092024", None),
        ("P120240901", None),
        ("P01", None),
    ],
)
def test_date_in_a_name(name: str, day: date | None) -> None:
    assert date_of(name) == day


def test_a_key_is_its_own_patient() -> None:
    for name in ("TCGA_CS_4941_1", "Brats18_CBICA_AAB_1", "UCSF-PDGM-004", "Müller", "sub-1_ses-2"):
        assert patient_of(patient_of(name)) == patient_of(name)
        assert stated_patient(patient_of(name)) == patient_of(name)


def test_sessions() -> None:
    assert session_of("sub-01_ses-pre_T1w") == "ses-pre"
    assert session_of("sub-01_T1w") is None
    assert session_of("courses-1") is None


def test_site_of_a_barcode() -> None:
    assert tcga_site("TCGA_HT_7602_19951103") == "HT"
    assert tcga_site("LGG-104") is None


@settings(max_examples=50)
@given(NAMES)
def test_a_safe_name_can_be_part_of_any_path(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", safe_name(name))
    assert safe_name(safe_name(name)) == safe_name(name)


@given(NAMES, NAMES)
def test_different_names_stay_different(one: str, other: str) -> None:
    spelt = [unicodedata.normalize("NFC", name).replace(" ", "_") for name in (one, other)]
    assert (safe_name(one) == safe_name(other)) == (spelt[0] == spelt[1])


def test_readable_names() -> None:
    assert safe_name("patient_1.a-b") == "patient_1.a-b"
    assert re.fullmatch(r"Muller-[0-9a-f]{8}", safe_name("Müller"))
    assert safe_name("Jane Doe") == "Jane_Doe"
    assert re.fullmatch(r"a_b-[0-9a-f]{8}", safe_name("a/b"))
    assert re.fullmatch(r"_-[0-9a-f]{8}", safe_name("张三"))
    assert safe_name("Mu\u0308ller") == safe_name("M\u00fcller")
    assert len({safe_name("x" * 200 + tail) for tail in "ab"}) == 2


def test_path_tricks_are_taken_out() -> None:
    assert re.fullmatch(r"_\.\._etc_passwd-[0-9a-f]{8}", safe_name("../../etc/passwd"))
    assert re.fullmatch(r"rf-[0-9a-f]{8}", safe_name("-rf"))
    assert safe_name("\udcfc") != safe_name("\udcfd")


@pytest.mark.parametrize(
    "name", ["1", "007", "p1", "patient_01", "case-3", "x", "visit_2", "scan 4"]
)
def test_names_that_anybody_may_have(name: str) -> None:
    assert names_nobody(name)


@pytest.mark.parametrize("name", ["BraTS2021_00001", "Smith", "IXI012", "TCGA-CS-4941", "P1_Jones"])
def test_names_of_somebody(name: str) -> None:
    assert not names_nobody(name)
