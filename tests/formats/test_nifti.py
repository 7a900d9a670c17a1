"""What is written is read back, by us and by nibabel, and nothing half good is let in."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest

from gliomask.errors import FormatError
from gliomask.formats.nifti import (
    read_header,
    read_nifti,
    read_nifti_labels,
    read_nifti_volumes,
    write_nifti,
)
from tests.formats.raw_nifti import AXIAL, by_nibabel, content, image, write


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_round_trip(tmp_path: Path, dtype: str, suffix: str) -> None:
    path, array = tmp_path / f"scan{suffix}", (image() % 200).astype(dtype)
    write_nifti(path, array, AXIAL, "for research use only")
    back, affine = read_nifti(path)
    assert np.array_equal(back, array)
    assert back.dtype == np.float32
    assert np.array_equal(affine, AXIAL)
    other = by_nibabel(path)
    assert other.get_data_dtype() == dtype
    assert np.array_equal(np.asarray(other.dataobj), array)
    assert bytes(other.header["descrip"]).startswith(b"for research use only")
    assert (int(other.header["sform_code"]), int(other.header["qform_code"])) == (1, 1)
    assert other.header.get_xyzt_units()[0] == "mm"
    assert list(tmp_path.iterdir()) == [path]


def axis_aligned() -> list[npt.NDArray[np.float64]]:
    """All 48 ways for voxel axes to run along the patient's."""
    found = []
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            affine = np.eye(4)
            affine[:3, :3] = np.eye(3)[list(axes)] @ np.diag(np.array(signs) * (0.9375, 0.5, 6.0))
            affine[:3, 3] = (-119.5, 103.25, -37.0)
            found.append(affine)
    return found


@pytest.mark.parametrize("affine", axis_aligned())
def test_axis_aligned_affines_come_back_exactly(
    tmp_path: Path, affine: npt.NDArray[np.float64]
) -> None:
    write_nifti(tmp_path / "a.nii", image(), affine)
    assert np.array_equal(read_nifti(tmp_path / "a.nii")[1], affine)


@pytest.mark.parametrize("seed", range(8))
def test_oblique_affines_come_back_nearly(tmp_path: Path, seed: int) -> None:
    angles = np.random.default_rng(seed).uniform(-np.pi, np.pi, 3)
    affine = np.eye(4)
    affine[:3, :3] = nib.eulerangles.euler2mat(*angles) @ np.diag((1.0, 1.0, 6.0))
    affine[:3, 3] = (-91.3, 126.7, -72.1)
    write_nifti(tmp_path / "a.nii.gz", image(), affine)
    assert np.abs(read_nifti(tmp_path / "a.nii.gz")[1] - affine).max() <= 1e-5


def test_a_sheared_affine_goes_to_the_sform_only(tmp_path: Path) -> None:
    sheared = AXIAL.copy()
    sheared[1, 2] = 0.25
    write_nifti(tmp_path / "a.nii", image(), sheared)
    assert np.array_equal(read_nifti(tmp_path / "a.nii")[1], sheared)
    assert int(by_nibabel(tmp_path / "a.nii").header["qform_code"]) == 0


def test_same_content_same_bytes(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(tmp_path / name, image(), AXIAL)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize(
    ("name", "array", "description"),
    [
        ("a.img", image(), ""),
        ("a.nii", image().astype(np.int64), ""),
        ("a.nii", image((7, 6)), ""),
        ("a.nii", image(), "é" * 40),
    ],
)
def test_what_is_not_written(
    tmp_path: Path, name: str, array: npt.NDArray[Any], description: str
) -> None:
    with pytest.raises(ValueError, match=r"end in|written|79 bytes"):
        write_nifti(tmp_path / name, array, AXIAL, description)
    assert not list(tmp_path.iterdir())


def test_four_dimensions_need_a_choice(tmp_path: Path) -> None:
    path, array = tmp_path / "four.nii.gz", image((7, 6, 5, 3))
    write_nifti(path, array, AXIAL)
    assert read_header(path).volumes == 3
    assert np.array_equal(read_nifti(path, volume=2)[0], array[..., 2])
    assert np.array_equal(read_nifti_volumes(path)[0], array)
    with pytest.raises(FormatError, match="4-D: 3 volumes instead of one"):
        read_nifti(path)
    with pytest.raises(FormatError, match="4-D: 3 volumes instead of one mask"):
        read_nifti_labels(path)
    for volume in (3, -1):
        with pytest.raises(FormatError, match=rf"volume={volume}, allowed 0 to 2"):
            read_nifti(path, volume=volume)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8", "i1", "u2", "u4", "i8", "u8"])
def test_every_type_reads_as_nibabel_reads_it(tmp_path: Path, dtype: str, version: int) -> None:
    array = (image() % 100).astype(dtype)
    path = write(tmp_path / "a.nii.gz", content(array, version, scl_slope=0.5, scl_inter=-3))
    assert np.array_equal(read_nifti(path)[0], by_nibabel(path).get_fdata(dtype=np.float32))


def test_big_endian(tmp_path: Path) -> None:
    array = image()
    made = nib.Nifti1Image(array, AXIAL, nib.Nifti1Header(endianness=">"))
    path = write(tmp_path / "a.nii", made.to_bytes())
    assert np.array_equal(read_nifti(path)[0], array)
    labels, _ = read_nifti_labels(path)
    assert np.array_equal(labels, array)
    assert labels.dtype.isnative


def test_a_header_extension_is_stepped_over(tmp_path: Path) -> None:
    array = image()
    made = nib.Nifti1Image(array, AXIAL)
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 500))
    path = write(tmp_path / "a.nii.gz", made.to_bytes())
    assert read_header(path).offset > 352
    assert np.array_equal(read_nifti(path)[0], array)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_no_numbers(tmp_path: Path, bad: float) -> None:
    array = image().astype(np.float32)
    array[2, 3, 4] = array[5, 5, 4] = bad
    path = write(tmp_path / "a.nii.gz", content(array))
    with pytest.raises(FormatError, match=r"2 voxels are not finite, the first at \(2, 3, 4\)"):
        read_nifti(path)
    with pytest.raises(FormatError, match="not finite"):
        read_nifti_labels(path)


def test_a_number_beyond_float32_is_not_finite(tmp_path: Path) -> None:
    array = image().astype(np.float64)
    array[0, 0, 1] = 1e300
    with pytest.raises(FormatError, match="1 voxels are not finite"):
        read_nifti(write(tmp_path / "a.nii", content(array)))


def test_labels_are_whole_numbers(tmp_path: Path) -> None:
    array = np.zeros((7, 6, 5), np.float32)
    array[1:3] = 4
    labels, affine = read_nifti_labels(write(tmp_path / "a.nii.gz", content(array)))
    assert labels.dtype.kind == "i"
    assert np.array_equal(labels, array)
    assert np.array_equal(affine, AXIAL)
    for wrong in (0.5, 1e12):
        array[2, 2, 2] = wrong
        with pytest.raises(FormatError, match=r"1 voxels .* the first at \(2, 2, 2\)"):
            read_nifti_labels(write(tmp_path / "b.nii.gz", content(array)))


def test_scaled_labels_are_scaled(tmp_path: Path) -> None:
    array = np.ones((7, 6, 5), np.uint8)
    path = write(tmp_path / "a.nii", content(array, scl_slope=2.0, scl_inter=0.0))
    assert np.unique(read_nifti_labels(path)[0]).tolist() == [2]
