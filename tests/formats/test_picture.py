"""One picture: every kind that is read, and every kind that is refused before it is decoded."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image, ImageOps

from gliomask.errors import FormatError
from gliomask.formats.picture import read_pages, read_picture


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


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB"])
@pytest.mark.parametrize("suffix", [".tif", ".jpg"])
def test_colour_spaces_that_are_no_scans(tmp_path: Path, mode: str, suffix: str) -> None:
    picture = Image.fromarray(pixels(9, 7, 3))
    if suffix == ".jpg" and mode != "CMYK":
        pytest.skip("a JPEG's YCbCr is how it stores RGB")
    convert = picture.convert(mode) if mode != "LAB" else Image.merge("LAB", picture.split())
    convert.save(tmp_path / f"a{suffix}")
    refused(tmp_path / f"a{suffix}", "not that kind of picture|can't be decoded")


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_opacity_is_left_out_and_transparency_refused(
    tmp_path: Path, mode: str, suffix: str
) -> None:
    path, grey = tmp_path / f"a{suffix}", pixels(9, 7)
    solid = Image.fromarray(grey).convert(mode)
    solid.save(path)
    assert (read_picture(path) == grey[..., np.newaxis]).all()
    alpha = solid.convert("RGBA").getchannel("A")
    alpha.putpixel((2, 3), 254)
    solid.putalpha(alpha)
    solid.save(path)
    refused(path, "transparent picture")


def test_a_grey_palette_is_its_shades(tmp_path: Path) -> None:
    shades = pixels(9, 7) // 16
    picture = Image.fromarray(shades)
    picture.putpalette([min(n * 10, 255) for n in range(256) for _ in range(3)])
    for name in ("a.png", "a.tif"):
        picture.save(tmp_path / name)
        assert np.array_equal(read_picture(tmp_path / name), shades[..., np.newaxis] * 10)
    picture.putpalette([value for n in range(256) for value in (n, 0, 0)])
    picture.save(tmp_path / "a.png")
    assert np.array_equal(read_picture(tmp_path / "a.png")[..., 0], shades)
    assert not read_picture(tmp_path / "a.png")[..., 1:].any()


def test_colour_of_16_bits_is_not_rounded(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" + struct.pack(">6H", 1, 2, 3, 4, 5, 65535))
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in (header, body, b"IEND")
    ]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    refused(tmp_path / "a.png", "would be rounded to 8 bits")


def test_pages_are_a_stack(tmp_path: Path) -> None:
    path, array = tmp_path / "a.tif", pixels(3, 9, 7)
    tifffile.imwrite(path, array, photometric="minisblack")
    assert np.array_equal(read_pages(path), array[..., np.newaxis])
    refused(path, "pages=3, allowed 1")
    with tifffile.TiffWriter(path) as file:
        file.write(pixels(9, 7), photometric="minisblack")
        file.write(pixels(4, 3), photometric="minisblack", subfiletype=1)  # a thumbnail
    assert np.array_equal(read_picture(path)[..., 0], pixels(9, 7))
    with tifffile.TiffWriter(path) as file:
        file.write(pixels(9, 7), photometric="minisblack")
        file.write(pixels(4, 3), photometric="minisblack")
    refused(path, "pages that differ")


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16"])
def test_a_negative_is_read_as_it_is_shown(tmp_path: Path, dtype: str) -> None:
    path, array = tmp_path / "a.tif", pixels(9, 8, dtype=dtype)
    tifffile.imwrite(path, array, photometric="miniswhite")
    high = 1 if dtype == "bool" else np.iinfo(dtype).max
    assert np.array_equal(read_picture(path)[..., 0], high - array.astype(int))


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_a_picture_that_is_stored_turned(tmp_path: Path, tag: int, dtype: str) -> None:
    """Both ways of decoding turn it as Pillow, the reference, does."""
    path, array = tmp_path / "a.tif", pixels(9, 7)
    stored = array.astype(dtype)
    tifffile.imwrite(path, stored, photometric="minisblack", extratags=[(274, "H", 1, tag, True)])
    exif = Image.Exif()
    exif[274] = tag
    Image.fromarray(array).save(tmp_path / "a.png", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    assert np.array_equal(read_picture(path)[..., 0], upright)
    assert np.array_equal(read_picture(tmp_path / "a.png")[..., 0], upright)


def test_a_deflate_bomb_is_not_inflated(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    bomb = zlib.compress(bytes(2**26), 9)
    tifffile.imwrite(
        path, iter([bomb]), shape=(9, 7), dtype="float64", compression="deflate", rowsperstrip=9
    )
    tracemalloc.start()
    try:
        refused(path, "decompresses too far")
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_a_lost_strip_is_not_black(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(40, 30), photometric="minisblack", rowsperstrip=10)
    with tifffile.TiffFile(path) as file:
        place = file.pages.first.tags["RowsPerStrip"].valueoffset
    whole = bytearray(path.read_bytes())
    whole[place] = 5
    path.write_bytes(whole)
    refused(path, "strips=4, allowed 8")


def test_a_short_strip_is_not_black(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(40, 30), photometric="minisblack")
    with tifffile.TiffFile(path) as file:
        place = file.pages.first.tags["StripByteCounts"].valueoffset
    whole = bytearray(path.read_bytes())
    whole[place : place + 2] = struct.pack("<H", 1199)
    path.write_bytes(whole)
    refused(path, "its strips hold 1199 of 1200 bytes")
    assert capfd.readouterr() == ("", "")


def test_a_padded_strip_is_read(tmp_path: Path) -> None:
    """As the LGG set is published: strips of 11 rows, the last one as long as the others."""
    path, array = tmp_path / "a.tif", pixels(40, 30)
    tifffile.imwrite(path, array, photometric="minisblack", rowsperstrip=11)
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        place, last = page.tags["StripByteCounts"].valueoffset, page.dataoffsets[-1]
    whole = bytearray(path.read_bytes())
    assert len(whole) == last + 7 * 30
    whole[place + 6 : place + 8] = struct.pack("<H", 11 * 30)
    path.write_bytes(whole + bytes(4 * 30))
    assert np.array_equal(read_picture(path)[..., 0], array)


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
        refused(path, "impossible size|Image size|damaged header")
    tifffile.imwrite(path, pixels(9, 7))
    whole = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        places = [file.pages.first.tags[tag].valueoffset for tag in (256, 257)]
    for value, what in (
        (2**31 - 1, "impossible size"),
        (4000, "strips are missing|truncated|too large"),
    ):
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
    refused(path, "neither TIFF, PNG nor JPEG|can't be decoded|no page")


def test_a_missing_picture(tmp_path: Path) -> None:
    refused(tmp_path / "a.tif", "no such file")
