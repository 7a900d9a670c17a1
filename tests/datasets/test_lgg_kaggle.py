"""kaggle_3m: slices in the order of their numbers, copied channels, slices and masks in pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.datasets.find import find_cases
from gliomask.datasets.lgg_kaggle import case_without_masks, cases, looks_like
from gliomask.datasets.load import load_case
from gliomask.formats.pictures import read_stack, write_picture
from tests.datasets.tiny import kaggle


def test_a_case(tmp_path: Path) -> None:
    kaggle(tmp_path)
    (tmp_path / "data.csv").write_text("Patient,RNASeqCluster\nTCGA_CS_4941,2\n")
    assert looks_like(tmp_path).fits
    (case,), problems = cases(tmp_path)
    assert not problems
    assert case.id == "TCGA_CS_4941_19960909"
    assert case.patient == "TCGA-CS-4941"
    assert case.site == "CS"
    assert case.licence == "CC BY-NC-SA 4.0"
    assert {name: file.channel for name, file in case.images.items()} == {
        "t1": 0,
        "t1ce": 2,
        "flair": 1,
    }
    assert not case.sparse
    assert not case.notes


def test_slices_are_ordered_by_number_and_masks_with_them(tmp_path: Path) -> None:
    kaggle(tmp_path)
    (case,) = find_cases(tmp_path).cases
    volume, labels = load_case(case)
    assert volume.shape == (5, 7, 11)
    assert (np.diff(volume.array[0, 2, 3]) > 0).all()
    assert labels is not None
    assert np.argwhere(labels).tolist() == [[3, 2, 9]]
    assert not volume.has_world


@pytest.mark.parametrize(
    ("copies", "left", "said"),
    [
        ((0,), {"t1ce", "flair"}, "t1 is missing: the pre-contrast channel copies FLAIR"),
        ((2,), {"t1", "flair"}, "t1ce is missing: the post-contrast channel copies FLAIR"),
    ],
)
def test_a_channel_that_copies_flair_is_missing(
    tmp_path: Path, copies: tuple[int, ...], left: set[str], said: str
) -> None:
    kaggle(tmp_path, copies=copies)
    (case,), _ = cases(tmp_path)
    assert set(case.images) == left
    assert case.notes == (said,)


def test_a_channel_that_equals_flair_in_the_middle_only_is_real(tmp_path: Path) -> None:
    folder = kaggle(tmp_path, copies=(2,))
    path = folder / f"{folder.name}_2.tif"
    picture = read_stack([path])[:, :, 0].swapaxes(0, 1).copy()
    picture[..., 2] += 1
    write_picture(path, picture)
    (case,), _ = cases(tmp_path)
    assert "t1ce" in case.images


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        (("_4_mask.tif",), "an image or a mask only: 4"),
        (("_4.tif", "_5.tif"), "slices are missing: 4, 5"),
        (("_4.tif", "_4_mask.tif"), "slices are missing: 4"),
    ],
)
def test_what_is_lost_is_a_problem(tmp_path: Path, lost: tuple[str, ...], reason: str) -> None:
    folder = kaggle(tmp_path)
    kaggle(tmp_path, "TCGA_DU_5849_19950405")
    for ending in lost:
        (folder / f"{folder.name}{ending}").unlink()
    found, (problem,) = cases(tmp_path)
    assert [case.patient for case in found] == ["TCGA-DU-5849"]
    assert problem.case == folder.name
    assert reason in problem.reason
    assert "\n" not in problem.reason


def test_two_files_for_a_slice_are_a_problem(tmp_path: Path) -> None:
    folder = kaggle(tmp_path)
    write_picture(folder / f"{folder.name}_04.tif", np.zeros((7, 5, 3), np.uint8))
    _, (problem,) = cases(tmp_path)
    assert "two files for one slice" in problem.reason


def test_grey_or_damaged_pictures_are_a_problem(tmp_path: Path) -> None:
    folder = kaggle(tmp_path)
    middle = folder / f"{folder.name}_5.tif"
    middle.write_bytes(middle.read_bytes()[:100])
    assert "5.tif" in cases(tmp_path)[1][0].reason
    for n in range(1, 12):
        write_picture(folder / f"{folder.name}_{n}.tif", np.zeros((7, 5), np.uint8))
    assert "channels=1, allowed 3" in cases(tmp_path)[1][0].reason


def test_masks_only_are_a_problem(tmp_path: Path) -> None:
    kaggle(tmp_path)
    folder = kaggle(tmp_path, "TCGA_DU_5849_19950405", slices=2)
    for n in (1, 2):
        (folder / f"{folder.name}_{n}.tif").unlink()
    assert "masks but no images" in cases(tmp_path)[1][0].reason


def test_a_folder_without_masks(tmp_path: Path) -> None:
    folder = kaggle(tmp_path)
    assert case_without_masks(folder) is None
    for path in folder.glob("*_mask.tif"):
        path.unlink()
    case = case_without_masks(folder)
    assert case is not None
    assert case.label is None
    assert set(case.images) == {"t1", "t1ce", "flair"}
    assert "are assumed to be" in case.notes[-1]
    assert not looks_like(tmp_path).fits
    assert case_without_masks(tmp_path) is None
