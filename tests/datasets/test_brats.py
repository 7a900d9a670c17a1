"""BraTS of all years: names, label numbers, time points, and the odd copies that go round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.labels import BRATS_2021, BRATS_2023, BRATS_2024
from gliomask.datasets import brats as reader
from gliomask.datasets.brats import cases, looks_like
from gliomask.datasets.load import load_case
from gliomask.errors import CaseError
from tests.datasets.tiny import brats, intensities, labels_of, mask, scan

PLAIN = ("t1", "t1ce", "t2", "flair")
HYPHENS = ("t1n", "t1c", "t2w", "t2f")


@pytest.mark.parametrize(
    ("name", "sequences", "patient"),
    [
        ("Brats17_TCIA_469_1", PLAIN, "BraTS-TCIA-469"),
        ("Brats18_TCIA08_469_1", PLAIN, "BraTS-TCIA-469"),
        ("BraTS19_2013_10_1", PLAIN, "BraTS-2013-10"),
        ("BraTS20_Training_001", PLAIN, "BraTS20_Training_001"),
        ("BraTS2021_00000", PLAIN, "BraTS2021_00000"),
        ("BraTS-GLI-00000-000", HYPHENS, "BraTS-GLI-00000"),
        ("BraTS-GLI-00005-101", HYPHENS, "BraTS-GLI-00005"),
        ("BraTS-SSA-00002-000", HYPHENS, "BraTS-SSA-00002"),
        ("BraTS-PED-00002-000", HYPHENS, "BraTS-PED-00002"),
    ],
)
def test_names(tmp_path: Path, name: str, sequences: tuple[str, ...], patient: str) -> None:
    brats(tmp_path, name, 1, 2, sequences=sequences)
    assert looks_like(tmp_path).fits
    (case,), problems = cases(tmp_path)
    assert not problems
    assert (case.id, case.patient) == (name, patient)
    volume, _ = load_case(case)
    for seed, sequence in enumerate(PLAIN):
        assert np.array_equal(volume.select((sequence,)).array[0], intensities(seed))


def test_grades_are_folders(tmp_path: Path) -> None:
    brats(tmp_path / "HGG", "Brats18_CBICA_AAB_1", 1, 2, 4)
    brats(tmp_path / "LGG", "Brats18_2013_0_1", 1, 2)
    assert looks_like(tmp_path).fits
    assert [case.id for case in cases(tmp_path)[0]] == ["Brats18_CBICA_AAB_1", "Brats18_2013_0_1"]


def test_all_files_in_one_folder(tmp_path: Path) -> None:
    for name in ("BraTS2021_00000", "BraTS2021_00002"):
        for path in brats(tmp_path / "apart", name, 1).iterdir():
            path.rename(tmp_path / path.name)
    assert [case.id for case in cases(tmp_path)[0]] == ["BraTS2021_00000", "BraTS2021_00002"]


def test_time_points_are_one_patient(tmp_path: Path) -> None:
    for point in ("100", "101"):
        brats(tmp_path, f"BraTS-GLI-00005-{point}", 3, sequences=HYPHENS)
    found, _ = cases(tmp_path)
    assert len(found) == 2
    assert {case.patient for case in found} == {"BraTS-GLI-00005"}


def test_files_wrapped_in_folders_of_their_name(tmp_path: Path) -> None:
    folder = brats(tmp_path, "BraTS2021_00495", 1, 2, 4)
    for path in list(folder.iterdir()):
        wrapped = folder / path.name.removesuffix(".gz")
        path.rename(tmp_path / "aside.nii.gz")
        wrapped.mkdir()
        (tmp_path / "aside.nii.gz").rename(wrapped / f"00000057_brain_{path.name[-9:]}")
    (case,), problems = cases(tmp_path)
    assert not problems
    assert set(load_case(case)[0].sequences) == {"t1", "flair"}
    assert labels_of(case).any()


def test_the_misnamed_mask_of_case_355(tmp_path: Path) -> None:
    folder = brats(tmp_path, "BraTS20_Training_355")
    mask(folder / "W39_1998.09.19_Segm.nii", 1, 4)
    (case,), _ = cases(tmp_path)
    assert case.label is not None
    assert case.label.paths[0].name == "W39_1998.09.19_Segm.nii"
    assert "W39" in case.notes[0]
    mask(folder / "other_seg.nii", 1)
    assert cases(tmp_path)[0][0].label is None


def test_numbers_until_2021(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS2021_00000", 1, 2)
    brats(tmp_path, "BraTS2021_00002", 1, 2, 4)
    found, _ = cases(tmp_path)
    assert {case.scheme for case in found} == {BRATS_2021}
    assert np.unique(labels_of(found[1])).tolist() == [0, 1, 2, 3]


def test_a_renumbered_copy_of_2021_is_accepted_and_said(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS2021_00000", 1, 2, 3)
    brats(tmp_path, "BraTS2021_00002", 1, 2)
    found, problems = cases(tmp_path)
    assert not problems
    assert {case.scheme for case in found} == {BRATS_2023}
    assert all("use 3 for enhancing tumour" in case.notes[0] for case in found)


def test_a_mix_of_3_and_4_is_refused(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS2021_00000", 1, 2, 3)
    brats(tmp_path, "BraTS2021_00002", 1, 2, 4)
    found, (problem,) = cases(tmp_path)
    assert [case.id for case in found] == ["BraTS2021_00002"]
    assert problem.case == "BraTS2021_00000"
    assert "holds a 3" in problem.reason


def test_a_mix_that_the_sample_missed_is_refused_when_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SAMPLE", 1)
    brats(tmp_path, "BraTS2021_00000", 1, 2, 4)
    brats(tmp_path, "BraTS2021_00002", 1, 2, 3)
    found, _ = cases(tmp_path)
    with pytest.raises(CaseError, match=r"label 3 is not one of \[0, 1, 2, 4\]"):
        load_case(found[1])


def test_numbers_from_2023(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS-GLI-00000-000", 1, 2, 3, sequences=HYPHENS)
    assert cases(tmp_path)[0][0].scheme is BRATS_2023
    brats(tmp_path, "BraTS-GLI-00005-100", 2, 3, 4, sequences=HYPHENS)
    found, _ = cases(tmp_path)
    assert {case.scheme for case in found} == {BRATS_2024}
    assert not found[1].notes
    assert np.unique(labels_of(found[1])).tolist() == [0, 2, 3, 4]


def test_a_cavity_without_any_enhancing_tumour_is_said(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS-GLI-00005-100", 1, 2, 4, sequences=HYPHENS)
    (case,), _ = cases(tmp_path)
    assert case.scheme is BRATS_2024
    assert "resection cavity" in case.notes[0]


def test_where_not_all_masks_were_asked_the_cavity_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SAMPLE", 1)
    brats(tmp_path, "BraTS-GLI-00000-000", 1, 2, 3, sequences=HYPHENS)
    brats(tmp_path, "BraTS-GLI-00005-100", 2, 4, sequences=HYPHENS)
    found, _ = cases(tmp_path)
    assert np.unique(labels_of(found[1])).tolist() == [0, 2, 4]


def test_problems(tmp_path: Path) -> None:
    folder = brats(tmp_path, "BraTS2021_00000", 1)
    scan(folder / "BraTS2021_00000_t1.nii", 4)
    mask(tmp_path / "BraTS2021_00001" / "BraTS2021_00001_seg.nii.gz", 1)
    found, problems = cases(tmp_path)
    assert not found
    assert [problem.case for problem in problems] == ["BraTS2021_00000", "BraTS2021_00001"]
    assert "several files for t1" in problems[0].reason
    assert "no images" in problems[1].reason


def test_a_damaged_mask_is_left_to_the_loader(tmp_path: Path) -> None:
    folder = brats(tmp_path, "BraTS2021_00000", 1)
    path = folder / "BraTS2021_00000_seg.nii.gz"
    path.write_bytes(path.read_bytes()[:60])
    (case,), _ = cases(tmp_path)
    with pytest.raises(CaseError, match="truncated"):
        load_case(case)
