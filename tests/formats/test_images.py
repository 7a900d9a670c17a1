"""Any file by its suffix, and each file only once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import ImageFile
from gliomask.core.geometry import PICTURE_AFFINE
from gliomask.errors import FormatError
from gliomask.formats import nifti
from gliomask.formats.images import is_picture, read_image, read_images, read_labels
from gliomask.formats.nifti import write_nifti
from gliomask.formats.pictures import write_picture
from gliomask.formats.volumes import is_volume
from tests.formats.raw_nifti import AXIAL, image


def test_names() -> None:
    assert is_volume(Path("A.NII.GZ"))
    assert is_volume(Path("a.nii"))
    assert is_volume(Path("a.MHA"))
    assert not is_volume(Path("a.nii.zip"))
    assert is_picture(Path("a.TIFF"))
    assert is_picture(Path("a.jpg"))
    assert not is_picture(Path("a.gif"))


def test_a_volume_has_a_world(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii.gz", image(), AXIAL)
    found = read_image(ImageFile((tmp_path / "a.nii.gz",)))
    assert np.array_equal(found.array, image())
    assert np.array_equal(found.affine, AXIAL)
    assert found.has_world


def test_pictures_have_none(tmp_path: Path) -> None:
    paths = tuple(tmp_path / f"{k}.tif" for k in range(2))
    for k, path in enumerate(paths):
        write_picture(path, np.full((5, 4, 3), k, np.uint8))
    found = read_image(ImageFile(paths, channel=2))
    assert found.array.shape == (4, 5, 2)
    assert np.array_equal(found.affine, PICTURE_AFFINE)
    assert not found.has_world
    labels, affine = read_labels(ImageFile(paths))
    assert labels[0, 0].tolist() == [0, 1]
    assert np.array_equal(affine, PICTURE_AFFINE)


def test_a_file_with_many_images_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, array = tmp_path / "a.nii.gz", image((7, 6, 5, 4))
    write_nifti(path, array, AXIAL)
    reads = []
    original = nifti.read_volumes

    def counted(path: Path) -> object:
        reads.append(path)
        return original(path)

    monkeypatch.setattr(nifti, "read_volumes", counted)
    found = read_images([ImageFile((path,), channel) for channel in (3, 0, 1)])
    assert reads == [path]
    for one, channel in zip(found, (3, 0, 1), strict=True):
        assert np.array_equal(one.array, array[..., channel])


@pytest.mark.parametrize(
    "paths", [("a.dcm",), ("a.nii", "b.nii"), ("a.tif", "b.nii.gz"), ("a.nii.bz2",)]
)
def test_what_is_no_image(paths: tuple[str, ...]) -> None:
    file = ImageFile(tuple(Path(path) for path in paths))
    for read in (read_image, read_labels):
        with pytest.raises(FormatError, match="not an image"):
            read(file)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
        ("/annex/objects/MD5E-s1--0.nii\n", "a pointer of git-annex"),
        ("<!DOCTYPE html><html>", "a web page"),
        ("\n<html><body>404", "a web page"),
    ],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mgz", "a.png", "a.tif"])
def test_what_stands_for_another_file_is_named(
    tmp_path: Path, name: str, text: str, what: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(FormatError, match=f"{name}: {what} instead of the file"):
        read_image(ImageFile((tmp_path / name,)))
