"""LGG-1p19qDeletion: spelling of all kinds, two swapped files, three annotated slices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.datasets.lgg_1p19q import cases, looks_like
from gliomask.datasets.load import load_case
from gliomask.errors import CaseError
from tests.datasets.tiny import intensities, mask, scan


def patient(root: Path, t1: str, t2: str, seg: str, name: str = "LGG-104") -> Path:
    scan(root / name / f"{name}{t1}.nii.gz", 1)
    scan(root / name / f"{name}{t2}.nii.gz", 2)
    mask(root / name / f"{name}{seg}.nii.gz", 1, 1, 1)
    return root / name


@pytest.mark.parametrize(
    "names",
    [
        ("_T1", "_T2", "-Segmentation"),
        ("-T1", "-T2", "_Segmentation"),
        ("_t1", "_t2", "-Segnimentation"),
        ("_T1", "-T2", "_seg"),
    ],
)
def test_a_case_however_it_is_spelt(tmp_path: Path, names: tuple[str, str, str]) -> None:
    patient(tmp_path, *names)
    assert looks_like(tmp_path).fits
    (case,), problems = cases(tmp_path)
    assert not problems
    assert (case.id, case.patient) == ("LGG-104", "LGG-104")
    assert case.sparse
    assert not case.notes
    volume, labels = load_case(case)
    assert np.array_equal(volume.select(("t1ce",)).array[0], intensities(1))
    assert np.array_equal(volume.select(("t2",)).array[0], intensities(2))
    assert labels is not None
    assert labels.any(axis=(0, 1)).tolist() == [False, False, True, True, True, False]


def test_the_swapped_files_of_223(tmp_path: Path) -> None:
    folder = tmp_path / "LGG-223"
    scan(folder / "LGG-223-T1.nii.gz", 1)
    mask(folder / "LGG-223-T2.nii.gz", 1, 1, 1)
    scan(folder / "LGG-223_Segnimentation.nii.gz", 2)
    (case,), _ = cases(tmp_path)
    assert case.label is not None
    assert case.label.paths[0].name == "LGG-223-T2.nii.gz"
    assert case.images["t2"].paths[0].name == "LGG-223_Segnimentation.nii.gz"
    assert "exchanged: LGG-223-T2.nii.gz is the mask" in case.notes[0]


def test_a_mask_that_is_an_image_is_a_problem(tmp_path: Path) -> None:
    folder = patient(tmp_path, "_T1", "_T2", "-Segmentation")
    scan(folder / "LGG-104-Segmentation.nii.gz", 5)
    found, (problem,) = cases(tmp_path)
    assert not found
    assert "is named as a mask but contains an image" in problem.reason


def test_a_damaged_mask_and_a_second_t1_are_problems(tmp_path: Path) -> None:
    folder = patient(tmp_path, "_T1", "_T2", "-Segmentation")
    (folder / "LGG-104-Segmentation.nii.gz").write_bytes(b"\x1f\x8b")
    other = patient(tmp_path, "_T1", "_T2", "-Segmentation", "LGG-203")
    scan(other / "LGG-203-T1.nii.gz")
    found, problems = cases(tmp_path)
    assert not found
    assert "truncated" in problems[0].reason
    assert "several files for t1ce" in problems[1].reason


def test_an_empty_mask_can_not_be_used(tmp_path: Path) -> None:
    folder = patient(tmp_path, "_T1", "_T2", "-Segmentation")
    mask(folder / "LGG-104-Segmentation.nii.gz")
    (case,), _ = cases(tmp_path)
    with pytest.raises(CaseError, match="empty mask, although only slices with tumour"):
        load_case(case)


def test_other_folders_are_none_of_it(tmp_path: Path) -> None:
    scan(tmp_path / "patient-1" / "patient-1_T1.nii.gz")
    assert not looks_like(tmp_path).fits
