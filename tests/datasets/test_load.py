"""One volume on one grid, or a refusal that tells both sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import corner_distance
from gliomask.core.label_scheme import BRATS_2021
from gliomask.datasets.load import load_case
from gliomask.errors import CaseError
from gliomask.formats.nifti import write_nifti
from gliomask.formats.pictures import write_picture
from tests.datasets.tiny import AFFINE, SHAPE, intensities, mask, numbers, scan


@pytest.fixture
def case(tmp_path: Path) -> Case:
    files = {"t1": scan(tmp_path / "t1.nii.gz", 1), "flair": scan(tmp_path / "flair.nii.gz", 2)}
    label = mask(tmp_path / "mask.nii.gz", 1, 2, 4)
    images = {name: ImageFile((path,)) for name, path in files.items()}
    return Case("a", "p", images, ImageFile((label,)), BRATS_2021)


def refusal(case: Case) -> str:
    with pytest.raises(CaseError) as refused:
        load_case(case)
    text = str(refused.value)
    assert "a: " in text
    assert "\n" not in text
    return text


def test_a_case(case: Case) -> None:
    volume, labels = load_case(case)
    assert volume.array.shape == (2, *SHAPE)
    assert volume.array.dtype == np.float32
    assert volume.sequences == ("t1", "flair")
    assert volume.has_world
    assert np.array_equal(volume.affine, AFFINE)
    assert np.array_equal(volume.array[1], intensities(2))
    assert labels is not None
    assert labels.dtype == np.uint8
    assert [labels[2, 3, k] for k in (2, 3, 4)] == [1, 2, 3]


def test_no_mask_no_labels_and_no_images_no_case(case: Case) -> None:
    assert load_case(replace(case, label=None))[1] is None
    assert "no images" in refusal(replace(case, images={}))


@pytest.mark.parametrize("name", ["flair", "mask"])
def test_another_shape(case: Case, name: str) -> None:
    file = case.label if name == "mask" else case.images[name]
    assert file is not None
    array = numbers(1)[:, :, :-1] if name == "mask" else intensities(0)[:, :, :-1]
    write_nifti(file.paths[0], array, AFFINE)
    text = refusal(case)
    assert f"{name} is on another grid than t1" in text
    assert "(shape=8 x 9 x 5, allowed 8 x 9 x 6)" in text


@pytest.mark.parametrize("name", ["flair", "mask"])
@pytest.mark.parametrize("change", ["shift", "turn", "mirror"])
def test_another_place(case: Case, name: str, change: str) -> None:
    moved = AFFINE.copy()
    if change == "shift":
        moved[0, 3] += 0.1
    elif change == "turn":
        moved[0, 1] += 0.02
    else:
        moved[0, 0] *= -1
    file = case.label if name == "mask" else case.images[name]
    assert file is not None
    write_nifti(file.paths[0], numbers(1) if name == "mask" else intensities(2), moved)
    text = refusal(case)
    assert f"{name} lies up to" in text
    assert "mm away from t1" in text
    assert "affine=" in text
    assert "allowed -1 0 0 0; 0 -1 0 8; 0 0 2 0" in text


def test_rounding_is_no_other_place(case: Case) -> None:
    write_nifti(case.images["flair"].paths[0], intensities(2), AFFINE + 1e-3 * (AFFINE != 0))
    load_case(case)


def test_the_distance_is_that_of_the_farthest_corner() -> None:
    turned = AFFINE.copy()
    turned[0, 1] = 0.1
    assert corner_distance(AFFINE, turned, (8, 9, 6)) == pytest.approx(0.8)
    assert corner_distance(AFFINE, AFFINE, (8, 9, 6)) == 0


def test_a_constant_image(case: Case) -> None:
    write_nifti(case.images["flair"].paths[0], np.full(SHAPE, 7, np.int16), AFFINE)
    assert "flair is constant (intensity=7.0)" in refusal(case)


def test_voxels_that_are_no_numbers(case: Case) -> None:
    array = intensities(2).astype(np.float32)
    array[1, 2, 3] = np.nan
    write_nifti(case.images["flair"].paths[0], array, AFFINE)
    text = refusal(case)
    assert "flair.nii.gz: 1 voxels are not finite, the first at (1, 2, 3)" in text


def test_a_4d_image(case: Case) -> None:
    array = np.stack([intensities(1), intensities(2)], axis=-1)
    write_nifti(case.images["flair"].paths[0], array, AFFINE)
    assert "4-D: 2 volumes instead of one" in refusal(case)


def test_unknown_labels_name_file_and_number(case: Case, tmp_path: Path) -> None:
    mask(tmp_path / "mask.nii.gz", 1, 3)
    text = refusal(case)
    assert "mask.nii.gz" in text
    assert "label 3 is not one of [0, 1, 2, 4]" in text


def test_a_missing_or_damaged_file(case: Case) -> None:
    path = case.images["flair"].paths[0]
    path.write_bytes(path.read_bytes()[:200])
    assert "flair.nii.gz: truncated" in refusal(case)
    path.unlink()
    assert "flair.nii.gz: no such file" in refusal(case)


def test_pictures_beside_a_volume(case: Case, tmp_path: Path) -> None:
    paths = tuple(tmp_path / f"{k}.png" for k in range(SHAPE[2]))
    for k, path in enumerate(paths):
        write_picture(path, np.full((SHAPE[1], SHAPE[0]), k, np.uint8))
    text = refusal(replace(case, images={**case.images, "t2": ImageFile(paths)}))
    assert "t2 lies up to" in text


def turned(path: Path, array: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    """Writes the same voxels with their axes in another order and direction."""
    change = np.array([[2, 1], [0, -1], [1, -1]])
    stored = nib.orientations.apply_orientation(array, change)
    placed = affine @ nib.orientations.inv_ornt_aff(change, array.shape)
    write_nifti(path, np.ascontiguousarray(stored), placed)
    return path


def test_a_mask_and_an_image_with_other_axes(case: Case, tmp_path: Path) -> None:
    """As Slicer and ITK tools write them: turning axes is exact."""
    files = {
        "t1": case.images["t1"].paths[0],
        "flair": turned(tmp_path / "f.nii.gz", intensities(2)),
    }
    label = turned(tmp_path / "m.nii.gz", numbers(1, 2, 4))
    other = replace(
        case,
        images={name: ImageFile((path,)) for name, path in files.items()},
        label=ImageFile((label,)),
    )
    (volume, labels), (wanted, drawn) = load_case(other), load_case(case)
    assert np.array_equal(volume.array, wanted.array)
    assert np.array_equal(volume.affine, AFFINE)
    assert labels is not None
    assert drawn is not None
    assert np.array_equal(labels, drawn)


def test_other_axes_hide_no_other_place(case: Case, tmp_path: Path) -> None:
    moved = AFFINE.copy()
    moved[0, 3] += 1
    label = turned(tmp_path / "m.nii.gz", numbers(1, 2, 4), moved)
    assert "lies up to 1 mm away from t1" in refusal(replace(case, label=ImageFile((label,))))
    shorter = turned(tmp_path / "m.nii.gz", numbers(1, 2, 4)[:-1])
    assert "on another grid than t1" in refusal(replace(case, label=ImageFile((shorter,))))
