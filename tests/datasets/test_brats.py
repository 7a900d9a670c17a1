"""BraTS of all years: names, label numbers, time points, and the odd copies that go round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.label_scheme import BRATS_2021, BRATS_2023, BRATS_2024, LabelScheme
from gliomask.core.labels import ENHANCING, NECROSIS, OEDEMA
from gliomask.datasets.brats import cases, looks_like
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case, load_series, stack_series
from gliomask.datasets.mask_labels import case_schemes
from gliomask.errors import CaseError, QuestionError
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
    volume = stack_series(case, load_series(case))
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
    assert set(load_series(case)) == {"t1", "flair"}
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


def schemes(root: Path, labels: str = "auto") -> set[LabelScheme | None]:
    return {case.scheme for case in find_cases(root, labels).cases}


def test_fets_and_radiotherapy(tmp_path: Path) -> None:
    brats(tmp_path / "fets", "FeTS2022_00000", 1, 2)
    (case,) = find_cases(tmp_path / "fets").cases
    assert (case.patient, case.scheme) == ("BraTS2021_00000", BRATS_2021)
    name = "BraTS-MEN-RT-0000-1"
    scan(tmp_path / "rt" / name / f"{name}_t1c.nii.gz")
    mask(tmp_path / "rt" / name / f"{name}_gtv.nii.gz", 1)
    (case,) = find_cases(tmp_path / "rt").cases
    assert (case.patient, list(case.images)) == ("BraTS-MEN-RT-0000", ["t1ce"])
    assert case.label is not None
    assert case.scheme is not None
    assert case.scheme.regions == ("whole",)


def test_numbers_until_2021(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS2021_00000", 1, 2)
    brats(tmp_path, "BraTS2021_00002", 1, 2, 4)
    assert schemes(tmp_path) == {BRATS_2021}
    second = find_cases(tmp_path).cases[1]
    assert np.unique(labels_of(second)).tolist() == [0, 1, 2, 3]


def test_a_renumbered_copy_of_2021_is_asked_about(tmp_path: Path) -> None:
    """1 may be necrosis (BraTS 2023) or oedema (nnU-Net's conversion)."""
    brats(tmp_path, "BraTS2021_00000", 1, 2, 3)
    brats(tmp_path, "BraTS2021_00002", 1, 2)
    with pytest.raises(QuestionError, match="the numbers 1, 2, 3") as asked:
        find_cases(tmp_path)
    assert [answer for answer, _ in asked.value.answers] == ["brats2023", "msd"]
    assert schemes(tmp_path, "brats2023") == {BRATS_2023}


def test_a_3_among_4s_is_refused_alone(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS2021_00000", 1, 2, 3)
    brats(tmp_path, "BraTS2021_00002", 1, 2, 4)
    odd, good = find_cases(tmp_path).cases
    assert good.scheme is odd.scheme is BRATS_2021
    assert load_case(good)[1] is not None
    with pytest.raises(CaseError, match=r"label 3 is not one of \[0, 1, 2, 4\]"):
        load_case(odd)


def test_a_mix_that_the_sample_missed_is_refused_when_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_schemes, "SAMPLE", 1)
    brats(tmp_path, "BraTS2021_00000", 1, 2, 4)
    brats(tmp_path, "BraTS2021_00002", 1, 2, 3)
    with pytest.raises(CaseError, match=r"label 3 is not one of \[0, 1, 2, 4\]"):
        load_case(find_cases(tmp_path).cases[1])


@pytest.mark.parametrize("challenge", ["GLI", "MET"])
def test_numbers_from_2023_with_the_cavity(tmp_path: Path, challenge: str) -> None:
    brats(tmp_path, f"BraTS-{challenge}-00000-000", 1, 2, 3, sequences=HYPHENS)
    brats(tmp_path, f"BraTS-{challenge}-00005-100", 2, 3, 4, sequences=HYPHENS)
    assert schemes(tmp_path) == {BRATS_2024}
    second = find_cases(tmp_path).cases[1]
    assert not second.notes
    assert np.unique(labels_of(second)).tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize("challenge", ["SSA", "MEN", "GoAT"])
def test_numbers_from_2023_without_a_cavity(tmp_path: Path, challenge: str) -> None:
    brats(tmp_path, f"BraTS-{challenge}-00000-000", 1, 2, 3, sequences=HYPHENS)
    assert schemes(tmp_path) == {BRATS_2023}
    brats(tmp_path, f"BraTS-{challenge}-00001-000", 1, 2, 3, 4, sequences=HYPHENS)
    with pytest.raises(CaseError, match="label 4 is not one of"):
        load_case(find_cases(tmp_path).cases[1])


def test_children_of_2024_have_numbers_of_their_own(tmp_path: Path) -> None:
    """1 enhancing, 2 and 3 other core (solid, cystic), 4 oedema."""
    brats(tmp_path, "BraTS-PED-00001-000", 1, 2, sequences=HYPHENS)
    brats(tmp_path, "BraTS-PED-00002-000", 4, 2, 1, 3, sequences=HYPHENS)
    _, case = find_cases(tmp_path).cases
    labels = load_case(case)[1]
    assert labels is not None
    assert [labels[2, 3, k] for k in (2, 3, 4, 5)] == [OEDEMA, NECROSIS, ENHANCING, NECROSIS]


def test_children_of_2023_or_2024_are_asked_about(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS-PED-00001-000", 1, 2, 3, sequences=HYPHENS)
    with pytest.raises(QuestionError, match="ambiguous") as asked:
        find_cases(tmp_path)
    assert [answer for answer, _ in asked.value.answers] == ["brats2023", "brats-ped2024"]


def test_where_a_sample_leaves_doubt_all_masks_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_schemes, "SAMPLE", 1)
    brats(tmp_path, "BraTS-PED-00001-000", 1, 2, 3, sequences=HYPHENS)
    brats(tmp_path, "BraTS-PED-00002-000", 4, sequences=HYPHENS)
    (scheme,) = schemes(tmp_path)
    assert scheme is not None
    assert scheme.name == "BraTS-PED 2024-2026"


def test_a_cavity_without_any_enhancing_tumour_is_said(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS-GLI-00005-100", 1, 2, 4, sequences=HYPHENS)
    (case,) = find_cases(tmp_path).cases
    assert case.scheme is BRATS_2024
    assert "resection cavity" in case.notes[0]


def test_masks_of_ones_tell_the_whole_tumour_only(tmp_path: Path) -> None:
    """Copies of the set with one number for all parts go round."""
    brats(tmp_path, "BraTS2021_00000", 1)
    brats(tmp_path, "BraTS2021_00002", 1)
    first, _ = find_cases(tmp_path).cases
    assert first.regions == ("whole",)


def test_problems(tmp_path: Path) -> None:
    folder = brats(tmp_path, "BraTS2021_00000", 1)
    scan(folder / "BraTS2021_00000_t1.nii", 4)
    mask(tmp_path / "BraTS2021_00001" / "BraTS2021_00001_seg.nii.gz", 1)
    scan_result = find_cases(tmp_path)
    problems = scan_result.problems
    assert not scan_result.cases
    assert [problem.case for problem in problems] == ["BraTS2021_00000", "BraTS2021_00001"]
    assert "several files for t1" in problems[0].reason
    assert "no images" in problems[1].reason


def test_a_damaged_mask_is_left_to_the_loader(tmp_path: Path) -> None:
    folder = brats(tmp_path, "BraTS2021_00000", 1)
    path = folder / "BraTS2021_00000_seg.nii.gz"
    path.write_bytes(path.read_bytes()[:60])
    (case,) = find_cases(tmp_path).cases
    with pytest.raises(CaseError, match="truncated"):
        load_case(case)
