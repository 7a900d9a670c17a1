"""Files that lie beside the images of an examination and are none of it are named, not refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gliomask.errors import InputError
from gliomask.studies.find import audit, survey
from tests.datasets.tiny import scan
from tests.finding import find_studies
from tests.formats.dicom.made import Plan
from tests.studies.test_dicom_study import study


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.eye(9, dtype=np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    "name",
    ["shot.jpg", "thumb.png", "1/IM-0001.jpg", "Screens/a/1.png", "flair.png", "4/t2_flair.jpg"],
)
def test_a_picture_beside_dicom(tmp_path: Path, name: str) -> None:
    study(tmp_path)
    path = picture(tmp_path / name)
    found = audit([tmp_path])
    assert found.problems == ()
    (case,) = found.cases
    assert (case.id, case.source) == ("P1_20010203", "dicom")
    assert tuple(case.images) == ("t1", "t1ce", "t2", "flair")
    assert case.notes[-1] == f"not used in a DICOM folder: {path.name}"


def test_pictures_in_the_very_folder_of_the_slices(tmp_path: Path) -> None:
    study(tmp_path)
    for number in range(7):
        picture(tmp_path / "4" / f"shot{number}.png")
    (case,) = find_studies([tmp_path / "4"])
    assert tuple(case.images) == ("flair",)
    told = ", ".join(f"shot{number}.png" for number in range(5))
    assert case.notes[-1] == f"not used in a DICOM folder: {told} and 2 more"


@pytest.mark.parametrize("name", ["seg.nii.gz", "masks/tumour_mask.nii.gz", "export.nii.gz"])
def test_a_volume_that_tells_no_sequence_beside_dicom(tmp_path: Path, name: str) -> None:
    study(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    scan(tmp_path / name)
    (case,) = find_studies([tmp_path])
    assert case.source == "dicom"
    assert case.notes[-1] == f"not used in a DICOM folder: {Path(name).name}"


def test_documents_say_nothing(tmp_path: Path) -> None:
    study(tmp_path / "dicom")
    scan(tmp_path / "nifti" / "p1_flair.nii.gz")
    for folder in ("dicom", "nifti"):
        before = find_studies([tmp_path / folder])
        for name in ("README.pdf", "notes.txt", "LICENCE", "desktop.ini"):
            (tmp_path / folder / name).write_bytes(b"%PDF-1.4\n" * 40)
        assert find_studies([tmp_path / folder]) == before


def test_a_picture_beside_volumes(tmp_path: Path) -> None:
    scan(tmp_path / "p1_flair.nii.gz")
    picture(tmp_path / "thumb.png")
    picture(tmp_path / "flair.jpg")
    (case,) = find_studies([tmp_path])
    assert case.images["flair"].paths == (tmp_path / "p1_flair.nii.gz",)
    assert case.notes == ("pictures not used: flair.jpg, thumb.png",)


def test_the_picture_of_a_result_beside_its_image_is_not_told(tmp_path: Path) -> None:
    scan(tmp_path / "p1_flair.nii.gz")
    picture(tmp_path / "p1.png")
    (tmp_path / "p1.json").write_text("{}")
    (case,) = find_studies([tmp_path])
    assert case.notes == ()


def test_a_picture_beside_slices(tmp_path: Path) -> None:
    for number in range(1, 4):
        picture(tmp_path / f"flair_{number}.png")
    picture(tmp_path / "logo.png")
    (case,) = find_studies([tmp_path])
    assert [path.stem for path in case.images["flair"].paths] == ["flair_1", "flair_2", "flair_3"]
    assert case.notes == ("pictures not used: logo.png",)


def test_pictures_alone_are_still_asked_about(tmp_path: Path) -> None:
    picture(tmp_path / "1.png")
    with pytest.raises(
        InputError, match="neither the name of the picture nor that of its folder contains"
    ):
        find_studies([tmp_path])


def test_pictures_of_another_patient_are_not_passed_over(tmp_path: Path) -> None:
    study(tmp_path / "a")
    study(tmp_path / "b", Plan(), PatientID="P2", StudyInstanceUID="1.2.3.4")
    picture(tmp_path / "c" / "1.png")
    picture(tmp_path / "a" / "shot.png")
    cases, problems = survey([tmp_path])
    assert [problem.case for problem in problems] == ["c"]
    notes = {case.patient: case.notes[-1:] for case in cases}
    assert notes == {"P1": ("not used in a DICOM folder: shot.png",), "P2": ()}
    (tmp_path / "DICOMDIR").touch()
    cases, problems = survey([tmp_path])
    assert not problems
    assert all("1.png" in case.notes[-1] for case in cases)


def test_slices_of_another_patient_are_a_case(tmp_path: Path) -> None:
    study(tmp_path / "a")
    for number in range(1, 4):
        picture(tmp_path / "b" / f"flair_{number}.png")
    cases, problems = survey([tmp_path])
    assert [case.source for case in cases] == ["study", "dicom"]
    assert not problems
    assert not any(case.notes for case in cases)


def test_named_pictures_beside_dicom_that_can_not_be_used(tmp_path: Path) -> None:
    study(tmp_path, SeriesDescription="DWI")
    picture(tmp_path / "flair_1.png")
    (case,) = find_studies([tmp_path])
    assert case.source == "study"
