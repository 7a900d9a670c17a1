"""MATLAB 7.3 slices: what is in them, and what damage or trickery is answered with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from gliomask.core.case import ImageFile
from gliomask.errors import FormatError
from gliomask.formats.headers import image_header
from gliomask.formats.images import read_image, read_labels
from gliomask.formats.matlab import holds_slice, read_slice_record
from gliomask.phantom.write_figshare import write_slice

IMAGE = np.arange(15, dtype=np.int16).reshape(3, 5)
MASK = np.zeros((3, 5), bool)
MASK[1, 3] = True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_slice(tmp_path / "1.mat", IMAGE, MASK, "MR01A", label=3)
    return tmp_path / "1.mat"


def change(path: Path, name: str, value: Any) -> None:
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            file[name] = value


def test_a_slice_comes_back_with_columns_first(path: Path) -> None:
    image = read_image(ImageFile((path,)))
    assert image.array.shape == (5, 3, 1)
    assert image.array.dtype == np.float32
    assert image.array[4, 1, 0] == 9  # column 4 of row 1
    assert not image.has_world
    numbers, _ = read_labels(ImageFile((path,)))
    assert np.argwhere(numbers).tolist() == [[3, 1, 0]]
    assert image_header(ImageFile((path,))).shape == (5, 3, 1)


def test_its_record(path: Path) -> None:
    record = read_slice_record(path)
    assert (record.patient, record.label) == ("MR01A", 3)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("cjdata/PID", None, r"a field is missing \(PID=none\)"),
        ("cjdata/PID", np.array([[32]]), "no patient"),
        ("cjdata/PID", np.full((200, 1), 65), "impossible size"),
        ("cjdata/label", np.array([[4.0]]), r"unknown kind of tumour \(label=4.0, allowed 1-3\)"),
        ("cjdata/label", np.array(b"x"), "not a matrix of numbers"),
        ("cjdata", None, "contains no cjdata"),
        ("cjdata", np.zeros(3), "contains no cjdata"),
    ],
)
def test_records_that_make_no_sense(path: Path, name: str, value: Any, reason: str) -> None:
    change(path, name, value)
    with pytest.raises(FormatError, match=reason) as refusal:
        read_slice_record(path)
    assert refusal.value.path == path


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("cjdata/tumorMask", np.zeros((5, 4), np.uint8), "mask and image differ in size"),
        ("cjdata/tumorMask", np.full((5, 3), 2, np.uint8), "not a mask"),
        ("cjdata/image", np.full((5, 3), np.nan), "not all intensities are finite"),
        ("cjdata/image", np.zeros((5, 3, 2)), "not a matrix of numbers"),
        ("cjdata/image", h5py.SoftLink("/cjdata/tumorMask"), "a field is missing"),
        ("cjdata/image", h5py.ExternalLink("/etc/passwd", "/"), "a field is missing"),
    ],
)
def test_pixels_that_make_no_sense(path: Path, name: str, value: Any, reason: str) -> None:
    change(path, name, value)
    read = read_labels if "Mask" in name else read_image
    with pytest.raises(FormatError, match=reason):
        read(ImageFile((path,)))


def test_a_size_that_no_picture_has_is_refused_before_it_is_read(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["cjdata/image"]
        file.create_dataset("cjdata/image", (2**20, 2**20), np.int16, chunks=(1, 2**10))
    with pytest.raises(FormatError, match="impossible size"):
        read_image(ImageFile((path,)))


def test_what_is_no_such_file_holds_no_slice(path: Path, tmp_path: Path) -> None:
    assert holds_slice(path)
    whole = path.read_bytes()
    for content in (b"", b"MATLAB 5.0 MAT-file".ljust(600), whole[:900]):
        path.write_bytes(content)
        assert not holds_slice(path)
    assert not holds_slice(tmp_path / "2.mat")
    path.write_bytes(whole[:900])
    with pytest.raises(FormatError, match=r"not a readable MATLAB 7\.3 file"):
        read_slice_record(path)
