"""What folders tell of case and patient, and cases of one name in several folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.datasets.case_names import folder_case
from tests.datasets.tiny import scan
from tests.finding import find_studies


@pytest.mark.parametrize(
    ("folder", "case", "patient"),
    [
        ("/x/patient_01", "patient_01", "patient_01"),
        ("/x/patient_01/visit_1", "patient_01_visit_1", "patient_01"),
        ("/x/patient_01/visit_1/anat", "patient_01_visit_1", "patient_01"),
        ("/x/patient_A/mri", "patient_A", "patient_A"),
        ("/x/p1/2021-03-04", "p1_2021-03-04", "p1"),
        ("/x/p1/tp2", "p1_tp2", "p1"),
        ("/x/Patient-001/week-000-1", "Patient-001_week-000-1", "Patient-001"),
        ("/x/PatientID_0003/Timepoint_1", "PatientID_0003_Timepoint_1", "PatientID_0003"),
        ("/x/tpatient/fuller", "fuller", "fuller"),
        ("/x/sub-01/ses-pre/anat", "sub-01_ses-pre", "sub-01"),
        ("/x/TCGA-DU-A5TR/baseline", "TCGA-DU-A5TR_baseline", "TCGA-DU-A5TR"),
        ("/mri", "mri", "mri"),
    ],
)
def test_folders(folder: str, case: str, patient: str) -> None:
    assert folder_case(Path(folder)) == (case, patient)


def test_images_are_looked_for_as_deep_as_dicom(tmp_path: Path) -> None:
    for person in ("01", "02"):
        for visit in ("1", "2"):
            scan(tmp_path / f"patient_{person}" / f"visit_{visit}" / "flair.nii.gz")
    scan(tmp_path / "a" / "b" / "c" / "d" / "p9" / "t1.nii.gz")
    named = [f"patient_{person}_visit_{visit}" for person in ("01", "02") for visit in "12"]
    found = find_studies([tmp_path])
    assert [case.id for case in found] == ["p9", *named]
    assert [case.patient for case in found[1:]] == [name[:10] for name in named]
    roots = sorted(tmp_path.glob("patient_*"))
    assert [case.id for case in find_studies(roots)] == named


def test_cases_of_one_name_get_the_folder_in_which_they_differ(tmp_path: Path) -> None:
    for hospital in ("north", "south"):
        for name in ("x_flair", "x_t1"):
            scan(tmp_path / hospital / "p1" / f"{name}.nii.gz")
    scan(tmp_path / "south" / "p2" / "y_flair.nii.gz")
    ids = {case.id for case in find_studies([tmp_path / "north", tmp_path / "south"])}
    assert ids == {"north_x", "south_x", "y"}


def test_cases_of_one_name_in_two_folders_are_two_patients(tmp_path: Path) -> None:
    for hospital in ("north", "south"):
        scan(tmp_path / hospital / "1" / "flair.nii.gz")
    found = find_studies([tmp_path])
    assert [(case.id, case.patient) for case in found] == [
        ("north_1", "north_1"),
        ("south_1", "south_1"),
    ]


def test_a_case_in_two_folders_is_one_patient_if_its_name_is_somebody_s(tmp_path: Path) -> None:
    for part in ("train", "val"):
        scan(tmp_path / part / "BraTS2021_00001" / "BraTS2021_00001_flair.nii.gz")
    found = find_studies([tmp_path])
    assert {case.patient for case in found} == {"BraTS2021_00001"}
    assert len({case.id for case in found}) == 2
