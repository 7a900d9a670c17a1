"""NRRD and MetaImage whose voxels are in several files: a list or a numbered pattern."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import ImageFile
from gliomask.errors import FormatError
from gliomask.formats.images import read_image

SHAPE = (4, 3, 5)
VOXELS = np.arange(60, dtype=np.int16).reshape(SHAPE, order="F")
NRRD = """NRRD0004
type: int16
dimension: 3
space: left-posterior-superior
sizes: 4 3 5
space directions: (1,0,0) (0,1,0) (0,0,2)
space origin: (0,0,0)
endian: little
encoding: raw
data file: """
META = """ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = False
TransformMatrix = 1 0 0 0 1 0 0 0 1
Offset = 0 0 0
ElementSpacing = 1 1 2
DimSize = 4 3 5
ElementType = MET_SHORT
ElementDataFile = """
HEADERS = {"a.nhdr": NRRD, "a.mhd": META}
FIVE = "\n".join(f"s{k:03d}.raw" for k in range(5))


def header(folder: Path, name: str, said: str) -> Path:
    """A header, with a file for each of five slices beside it."""
    for k in range(5):
        VOXELS[:, :, k].ravel(order="F").tofile(folder / f"s{k:03d}.raw")
    path = folder / name
    path.write_text(f"{HEADERS[name]}{said}\n")
    return path


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize(
    ("said", "order"),
    [
        (f"LIST\n{FIVE}", 1),
        (f"LIST 2\n{FIVE}", 1),
        ("s%03d.raw 0 4 1", 1),
        ("LIST\n" + "\n".join(reversed(FIVE.split())), -1),
    ],
)
def test_slices_in_files_of_their_own(tmp_path: Path, name: str, said: str, order: int) -> None:
    image = read_image(ImageFile((header(tmp_path, name, said),)))
    assert np.array_equal(image.array, VOXELS[:, :, ::order])
    assert np.array_equal(image.affine, np.diag([-1.0, -1, 2, 1]))


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (f"LIST\n{FIVE[:-9]}", "can't hold|but got 4"),
        (f"LIST\n{FIVE}\ns005.raw", "no such file"),
        (f"LIST\n{FIVE}\ns000.raw", "named twice"),
        ("LIST", "in so many files"),
        ("s%03d.raw 0 3 1", "can't hold|but got 4"),
        ("s%03d.raw 0 5 1", "no such file"),
        ("s%03d.raw 0 999999 1", "impossible numbers"),
        ("s%03d.raw 0 4 0", "impossible numbers"),
        ("s%n.raw 0 4 1", "pattern .* is unknown"),
        ("s%03d.raw", "pattern .* is unknown"),
        ("%s%03d.raw 0 4 1", "pattern .* is unknown"),
    ],
)
def test_lists_that_are_refused(tmp_path: Path, name: str, said: str, why: str) -> None:
    path = header(tmp_path, name, said)
    with pytest.raises(FormatError, match=why) as refused:
        read_image(ImageFile((path,)))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", HEADERS)
def test_files_that_hold_something_else_are_refused(tmp_path: Path, name: str) -> None:
    path = header(tmp_path, name, f"LIST\n{FIVE}")
    (tmp_path / "s002.raw").write_bytes(bytes(25))
    with pytest.raises(FormatError, match="differ in size"):
        read_image(ImageFile((path,)))
    for k in range(5):
        (tmp_path / f"s{k:03d}.raw").write_bytes(bytes(26))
    with pytest.raises(FormatError, match="contain more than it needs"):
        read_image(ImageFile((path,)))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.nhdr", "encoding: raw", "encoding: gzip"),
        ("a.nhdr", "encoding: raw", "encoding: raw\nbyte skip: 4"),
        ("a.mhd", "BinaryData = True", "BinaryData = True\nCompressedData = True"),
        ("a.mhd", "NDims = 3", "NDims = 3\nHeaderSize = 4"),
    ],
)
def test_only_raw_voxels_are_read_from_several_files(
    tmp_path: Path, name: str, old: str, new: str
) -> None:
    path = header(tmp_path, name, f"LIST\n{FIVE}")
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(FormatError, match="several files, compressed"):
        read_image(ImageFile((path,)))
