"""Refusals of cases and tables that no other test asks for, each with the way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gliomask.datasets.find import find_cases
from gliomask.datasets.patient_table import read_traits
from gliomask.datasets.patients import read_patients
from gliomask.errors import GliomaskError
from gliomask.formats.pictures import read_stack, write_picture
from tests.datasets.tiny import brats, kaggle, mask, scan


def slice_without_mask(root: Path) -> None:
    folder = kaggle(root / "kaggle_3m")
    (folder / f"{folder.name}_4_mask.tif").unlink()


def missing_slice(root: Path) -> None:
    folder = kaggle(root / "kaggle_3m")
    for end in ("4.tif", "4_mask.tif"):
        (folder / f"{folder.name}_{end}").unlink()


def grey_slices(root: Path) -> None:
    folder = kaggle(root / "kaggle_3m")
    for path in folder.glob("*.tif"):
        if "mask" not in path.name:
            write_picture(path, read_stack([path])[0, ..., 0])


def masks_alone(root: Path) -> None:
    """Of a data set whose other case is whole."""
    brats(root, "BraTS19_A_1_1", 1, 2, 4)
    name = "BraTS19_B_1_1"
    mask(root / name / f"{name}_seg.nii.gz", 1, 2, 4)


def mask_alone(root: Path) -> None:
    for number, kinds in (("104", ("T1", "T2")), ("105", ())):
        folder = root / f"LGG-{number}"
        for kind in kinds:
            scan(folder / f"LGG-{number}_{kind}.nii.gz")
        mask(folder / f"LGG-{number}-Segmentation.nii.gz", 1)


def missing_channel(root: Path) -> None:
    description = {"channel_names": {"0": "T1", "1": "FLAIR"}, "file_ending": ".nii.gz",
                   "labels": {"background": 0, "tumour": 1}}  # fmt: skip
    root.mkdir(exist_ok=True)
    (root / "dataset.json").write_text(json.dumps(description))
    scan(root / "imagesTr" / "a_0000.nii.gz")
    scan(root / "imagesTr" / "a_0001.nii.gz")
    scan(root / "imagesTr" / "b_0000.nii.gz")
    for name in "ab":
        mask(root / "labelsTr" / f"{name}.nii.gz", 1)


def several_spaces(root: Path) -> None:
    (root / "dataset_description.json").parent.mkdir(exist_ok=True)
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.8.0"}')
    anat = root / "derivatives" / "x" / "sub-1" / "anat"
    scan(anat / "sub-1_space-A_T2w.nii.gz")
    scan(anat / "sub-1_space-B_FLAIR.nii.gz")


CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a slice without mask": (slice_without_mask, "slices with an image or a mask only: 4; add the"),
    "a missing slice": (missing_slice, "slices are missing: 4; add them"),
    "grey slices": (grey_slices, "(channels=1, allowed 3)"),
    "masks alone": (masks_alone, "no images among its files; list the files to use in a CSV table"),
    "a mask alone among whole cases": (mask_alone, "no images among its files; list the files"),
    "a missing channel": (missing_channel, "channel files are missing: 0001"),
    "several spaces": (several_spaces, "images in several spaces: x A, x B; list the files"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_a_problem_and_says_what_to_do(name: str, tmp_path: Path) -> None:
    make, reason = CASES[name]
    make(tmp_path / "set")
    problems = [problem.reason for problem in find_cases(tmp_path / "set").problems]
    assert any(reason in text for text in problems), problems
    assert all("\n" not in text for text in problems)


TABLES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "two patients of one case": (
        read_patients, "case,patient\na,1\na,2\n", "gives the case another patient"
    ),
    "two rows of one patient": (
        lambda path: read_traits(path, ["sex"]),
        "patient,sex\n1,F\n1,M\n",
        "row 3 differs from an earlier one of the same patient (patient=1)",
    ),
    "no column": (
        lambda path: read_traits(path, []), "patient,sex\n1,F\n", "(`by`, allowed patient, sex)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str, tmp_path: Path) -> None:
    read, text, reason = TABLES[name]
    path = tmp_path / "patients.csv"
    path.write_text(text)
    with pytest.raises(GliomaskError) as problem:
        read(path)
    assert reason in str(problem.value)
