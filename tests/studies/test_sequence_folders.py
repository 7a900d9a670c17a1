"""Examinations with a folder for each sequence, and folders that only look so."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.errors import CaseError
from gliomask.studies.find import survey
from tests.datasets.tiny import mask, scan
from tests.finding import find_studies


def erasmus(folder: Path) -> None:
    """Layout of the Erasmus Glioma Database."""
    for number, name in enumerate(("T1", "T1GD", "T2", "FLAIR"), 1):
        scan(folder / f"{number}_{name}" / "NIFTI" / f"{name}.nii.gz")
    mask(folder / "5_MASK" / "NIFTI" / "MASK.nii.gz", 1)


def test_a_folder_for_each_sequence_is_one_examination(tmp_path: Path) -> None:
    for name in ("EGD-0001", "EGD-0002"):
        erasmus(tmp_path / name)
    cases = find_studies([tmp_path])
    assert [case.id for case in cases] == ["EGD-0001", "EGD-0002"]
    assert [case.patient for case in cases] == ["EGD-0001", "EGD-0002"]
    for case in cases:
        assert tuple(case.images) == ("t1", "t1ce", "t2", "flair")
        assert case.notes == ()
    assert find_studies([tmp_path / "EGD-0001"]) == cases[:1]


def test_names_of_folders_alone(tmp_path: Path) -> None:
    for name in ("T1", "FLAIR"):
        scan(tmp_path / "ann" / name / "scan.nii.gz")
    (case,) = find_studies([tmp_path])
    assert (case.id, set(case.images)) == ("ann", {"t1", "flair"})


def test_other_names_in_each_folder(tmp_path: Path) -> None:
    scan(tmp_path / "ann" / "T1" / "s3_mprage_T1.nii.gz")
    flair = scan(tmp_path / "ann" / "FLAIR" / "s5_dark.nii.gz")
    (case,) = find_studies([tmp_path])
    assert (case.id, set(case.images)) == ("ann", {"t1", "flair"})
    assert case.images["flair"].paths == (flair,)


def test_a_folder_for_each_sequence_of_all_patients(tmp_path: Path) -> None:
    for sequence in ("T1", "FLAIR"):
        for patient in ("p1", "p2"):
            scan(tmp_path / "scans" / sequence / f"{patient}.nii.gz")
    cases = find_studies([tmp_path / "scans"])
    assert [case.id for case in cases] == ["p1", "p2"]
    for case in cases:
        assert set(case.images) == {"t1", "flair"}
        assert {image.paths[0].name for image in case.images.values()} == {f"{case.id}.nii.gz"}


def test_other_folders_are_noted(tmp_path: Path) -> None:
    erasmus(tmp_path / "EGD-0001")
    scan(tmp_path / "EGD-0001" / "6_extra" / "image.nii.gz")
    (case,) = find_studies([tmp_path])
    assert case.notes == ("folders not used: 6_extra",)


def test_time_points_called_t1_and_t2(tmp_path: Path) -> None:
    for place in ("T1", "T2"):
        scan(tmp_path / "ann" / place / "flair.nii.gz")
        scan(tmp_path / "ann" / place / "t1.nii.gz")
    cases = find_studies([tmp_path])
    assert [set(case.images) for case in cases] == [{"t1", "flair"}] * 2


def test_folders_t1_and_t2_without_other_evidence_are_asked_about(tmp_path: Path) -> None:
    for place in ("T1", "T2"):
        scan(tmp_path / "ann" / place / "scan.nii.gz")
    cases, problems = survey([tmp_path])
    assert cases == ()
    assert len(problems) == 2
    assert all("no file name contains a sequence" in problem.reason for problem in problems)


def test_two_folders_for_a_sequence_are_asked_about(tmp_path: Path) -> None:
    for place in ("FLAIR", "FLAIR_2", "T1"):
        scan(tmp_path / place / "scan.nii.gz")
    with pytest.raises(CaseError, match="two folders for flair: FLAIR and FLAIR_2"):
        find_studies([tmp_path])
