"""One picture: every kind that is read, and every kind that is refused before it is decoded."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from gliomask.errors import FormatError
from gliomask.formats.picture import read_picture


def pixels(*shape: int, dtype: str = "uint8") -> npt.NDArray[Any]:
    high = 2 if dtype == "bool" else np.iinfo(dtype).max
    return np.random.default_rng(1).integers(0, high, shape).astype(dtype)


def refused(path: Path, what: str) -> None:
    with pytest.raises(FormatError, match=what) as refusal:
        read_picture(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_tiff(tmp_path: Path, shape: tuple[int, ...], dtype: str, compression: str | None) -> None:
    path, array = tmp_path / "a.tif", pixels(*shape, dtype=dtype)
    photometric = "rgb" if len(shape) == 3 else "minisblack"
    tifffile.imwrite(path, array, photometric=photometric, compression=compression)
    back = read_picture(path)
    assert back.dtype == dtype
    assert np.array_equal(back, array.reshape(9, 7, -1))


@pytest.mark.parametrize("array", [pixels(9, 7), pixels(9, 7, 3), pixels(9, 7, dtype="uint16")])
def test_png(tmp_path: Path, array: npt.NDArray[Any]) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(array).save(path)
    back = read_picture(path)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array.reshape(9, 7, -1))


def test_one_bit_masks(tmp_path: Path) -> None:
    array = pixels(9, 8, dtype="bool")
    Image.fromarray(array).save(tmp_path / "a.png")
    Image.fromarray(array).save(tmp_path / "a.tif")
    for name in ("a.png", "a.tif"):
        back = read_picture(tmp_path / name)
        assert back.dtype == np.uint8
        assert np.array_equal(back[..., 0], array)


def test_the_format_is_known_by_its_content(tmp_path: Path) -> None:
    Image.fromarray(pixels(9, 7)).save(tmp_path / "a.tif", format="PNG")
    assert np.array_equal(read_picture(tmp_path / "a.tif")[..., 0], pixels(9, 7))


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "CMYK", "F", "YCbCr"])
def test_kinds_of_pictures_that_are_no_scans(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(pixels(9, 7, 3)).convert("L" if mode == "F" else "RGB").convert(mode)
    picture.save(tmp_path / "a.tif")
    refused(tmp_path / "a.tif", "not that kind of picture|can't be decoded")
    if mode in ("P", "RGBA", "LA"):
        picture.save(tmp_path / "a.png")
        refused(tmp_path / "a.png", "not that kind of picture")


def test_tiff_that_is_no_single_slice(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(3, 9, 7), photometric="minisblack")
    refused(path, "pages=3, allowed 1")
    tifffile.imwrite(path, pixels(3, 9, 7), photometric="rgb", planarconfig="separate")
    refused(path, "axes SYX")
    tifffile.imwrite(path, pixels(9, 7), photometric="miniswhite")
    refused(path, "MINISWHITE")


def test_a_lost_strip_is_not_black(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(40, 30), photometric="minisblack", rowsperstrip=10)
    with tifffile.TiffFile(path) as file:
        place = file.pages.first.tags["RowsPerStrip"].valueoffset
    whole = bytearray(path.read_bytes())
    whole[place] = 5
    path.write_bytes(whole)
    refused(path, "strips=4, allowed 8")


def test_nothing_is_told_on_the_side(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(40, 30), photometric="minisblack")
    whole = bytearray(path.read_bytes())
    whole[36] ^= 64
    path.write_bytes(whole)
    refused(path, r"size and strips differ \(bytes=1200, allowed 160\)")
    assert capfd.readouterr() == ("", "")


def png_claiming(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing of it."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_sizes_that_are_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for size in ((60_000, 60_000), (0, 5)):
        path.write_bytes(png_claiming(*size))
        refused(path, "impossible size")
    tifffile.imwrite(path, pixels(9, 7))
    whole = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        places = [file.pages.first.tags[tag].valueoffset for tag in (256, 257)]
    for value, what in ((2**31 - 1, "impossible size"), (4000, "strips are missing|truncated")):
        lying = bytearray(whole)
        for place in places:
            lying[place : place + 4] = struct.pack("<I", value)
        path.write_bytes(lying)
        refused(path, what)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_every_truncation_is_seen(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(pixels(20, 16, 3)).save(path)
    whole = path.read_bytes()
    for size in range(0, len(whole) - 1, 23):
        path.write_bytes(whole[:size])
        refused(path, ": ")


def test_a_flipped_bit_in_a_png(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(pixels(20, 16)).save(path)
    whole = path.read_bytes()
    for place in range(8, len(whole) - 12):  # the last chunk, 12 bytes, says only that it ends
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        refused(path, ": ")


@pytest.mark.parametrize("content", [b"", b"II*\0", b"II*\0" + b"\xff" * 60, b"GIF89a", b"\0" * 50])
def test_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    refused(path, "neither TIFF nor PNG|can't be decoded|not a single picture")


def test_a_missing_picture(tmp_path: Path) -> None:
    refused(tmp_path / "a.tif", "no such file")
