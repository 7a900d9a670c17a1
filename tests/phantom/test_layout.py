from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from gliomask.formats.nifti import read_header, read_nifti, read_nifti_labels
from gliomask.phantom.layout import DESCRIPTION, flipped, write_image, write_labels
from tests.phantom.made import AFFINE, FRONT_LEFT_TOP, patient


def test_flipping_keeps_every_voxel_at_its_place() -> None:
    plain, turned = patient(), flipped(patient(), (0, 2))
    i, j, k = FRONT_LEFT_TOP
    assert turned.volume.array[0, 3 - i, j, 5 - k] == 999
    here = turned.volume.affine @ [3 - i, j, 5 - k, 1]
    assert here.tolist() == (plain.volume.affine @ [i, j, k, 1]).tolist()
    assert (turned.labels == plain.labels[::-1, :, ::-1]).all()
    assert np.diag(turned.volume.affine).tolist() == [-2, 2, -5, 1]


def test_flipping_twice_changes_nothing() -> None:
    again = flipped(flipped(patient(), (0, 1)), (0, 1))
    assert (again.volume.array == patient().volume.array).all()
    assert (again.volume.affine == AFFINE).all()


def test_images_are_whole_numbers_that_say_synthetic(tmp_path: Path) -> None:
    path = tmp_path / "image.nii.gz"
    write_image(path, np.full((2, 2, 2), 7.6, np.float32), AFFINE)
    image, affine = read_nifti(path)
    assert image.ravel().tolist() == [8.0] * 8
    assert (affine == AFFINE).all()
    assert read_header(path).dtype == np.int16
    assert DESCRIPTION.encode() in _bytes(path)


def test_labels_are_renamed(tmp_path: Path) -> None:
    path = tmp_path / "labels.nii"
    labels = np.array([0, 1, 2, 3], np.uint8).reshape(4, 1, 1)
    write_labels(path, labels, AFFINE, {1: 5, 3: 9})
    assert read_nifti_labels(path)[0].ravel().tolist() == [0, 5, 0, 9]
    assert b"synthetic" in _bytes(path)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_four_dimensional_images(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"image{ending}"
    write_image(path, np.zeros((2, 3, 4, 5), np.float32), AFFINE)
    assert read_header(path).volumes == 5


def _bytes(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content
