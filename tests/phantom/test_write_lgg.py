from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.formats.mask_pictures import read_mask_pictures
from gliomask.formats.nifti import read_nifti, read_nifti_labels
from gliomask.formats.pictures import read_stack
from gliomask.phantom.write_lgg import WRITERS
from tests.phantom.made import patient

NAME = "TCGA_PH_0001_20000101"


def kaggle(folder: Path, number: int = 1) -> Path:
    WRITERS["lgg_kaggle"].patient(folder, patient(number))
    return folder / f"TCGA_PH_{number:04d}_20000101"


def test_whole_heads() -> None:
    assert all(writer.skull for writer in WRITERS.values())


def test_a_picture_and_a_mask_for_each_slice(tmp_path: Path) -> None:
    expected = {f"{NAME}_{k}{kind}.tif" for k in range(1, 7) for kind in ("", "_mask")}
    assert {path.name for path in kaggle(tmp_path).iterdir()} == expected


def test_channels_values_and_orientation(tmp_path: Path) -> None:
    folder = kaggle(tmp_path)
    stack = read_stack([folder / f"{NAME}_{k}.tif" for k in range(1, 7)])
    assert stack.shape == (4, 5, 6, 3)  # columns, rows, slices, channels
    assert stack.dtype == np.uint8
    # Patient's left front of the head: last column, first row, last slice.
    assert stack[3, 0, 5].tolist() == [255, 255, 255]
    pre, flair, post = stack[0, 0, 0].tolist()
    assert pre < post < flair  # 100, 200 and 400 of about 999


def test_masks_are_0_or_255(tmp_path: Path) -> None:
    folder = kaggle(tmp_path)
    paths = [folder / f"{NAME}_{k}_mask.tif" for k in range(1, 7)]
    assert np.unique(read_stack(paths)).tolist() == [0, 255]
    assert read_mask_pictures(paths).sum(axis=(0, 1)).tolist() == [0, 0, 1, 3, 1, 0]


@pytest.mark.parametrize(("number", "copied", "kept"), [(7, 2, 0), (4, 0, 2)])
def test_some_patients_lack_a_series(tmp_path: Path, number: int, copied: int, kept: int) -> None:
    folder = kaggle(tmp_path, number)
    stack = read_stack([folder / f"{folder.name}_{k}.tif" for k in range(1, 7)])
    assert (stack[..., copied] == stack[..., 1]).all()
    assert (stack[..., kept] != stack[..., 1]).any()


def codeletion(folder: Path, number: int) -> dict[str, Path]:
    WRITERS["lgg_1p19q"].patient(folder, patient(number))
    return {path.name: path for path in (folder / f"LGG-{900 + number}").iterdir()}


def test_names_vary_between_patients(tmp_path: Path) -> None:
    usual = {"LGG-901_T1.nii.gz", "LGG-901_T2.nii.gz", "LGG-901-Segmentation.nii.gz"}
    assert codeletion(tmp_path, 1).keys() == usual
    other = {"LGG-903-T1.nii.gz", "LGG-903-T2.nii.gz", "LGG-903_Segmentation.nii.gz"}
    assert codeletion(tmp_path, 3).keys() == other


def test_t1_is_the_one_after_contrast(tmp_path: Path) -> None:
    files = codeletion(tmp_path, 1)
    assert read_nifti(files["LGG-901_T1.nii.gz"])[0][0, 0, 0] == 200
    assert read_nifti(files["LGG-901_T2.nii.gz"])[0][0, 0, 0] == 300


def test_arrays_run_either_way_and_the_affine_tells(tmp_path: Path) -> None:
    corners = []
    for number in (1, 2):
        path = codeletion(tmp_path, number)[f"LGG-{900 + number}_T2.nii.gz"]
        image, affine = read_nifti(path)
        index = np.argwhere(image == 999)[0].tolist()
        corners.append(index)
        assert (affine @ [*index, 1])[:3].tolist() == [-3, 1, -15]
    assert corners[0] != corners[1]


def test_only_three_slices_are_annotated(tmp_path: Path) -> None:
    mask, _ = read_nifti_labels(codeletion(tmp_path, 1)["LGG-901-Segmentation.nii.gz"])
    assert np.unique(mask).tolist() == [0, 1]
    assert (mask > 0).sum(axis=(0, 1)).tolist() == [0, 0, 1, 3, 1, 0]
    one = patient(5)
    one.labels[1, 1, :] = 2  # a tumour in every slice
    WRITERS["lgg_1p19q"].patient(tmp_path, one)
    mask, _ = read_nifti_labels(tmp_path / "LGG-905" / "LGG-905-Segmentation.nii.gz")
    assert (mask > 0).sum(axis=(0, 1)).tolist() == [0, 0, 1, 3, 1, 0]
