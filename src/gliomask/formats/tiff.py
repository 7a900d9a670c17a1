"""Reader of TIFF pages: parsed by tifffile, decoded by Pillow, or by tifffile if Pillow would
round."""

from __future__ import annotations

import logging
import math
import zlib
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from tifffile import COMPRESSION, PHOTOMETRIC

from gliomask.errors import FormatError
from gliomask.formats.limits import MAX_PICTURES, check_picture_size
from gliomask.formats.pixels import check_opaque, pixels_of, with_channels

# tifffile logs irregularities; relevant ones are refused here, so nothing goes to stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How a TIFF begins."""

_ALPHA = (1, 2)
_DEFLATE = (COMPRESSION.ADOBE_DEFLATE, COMPRESSION.DEFLATE)
_UNBOUNDED = (COMPRESSION.LZMA, COMPRESSION.ZSTD)
_BY_PILLOW = ("bool", "uint8", "uint16")
"""Types of grey that Pillow reads as they are; in colour only the first two. Compressed signed
numbers of the other byte order it swaps."""
_NEGATIVE_BY_PILLOW = ("bool", "uint8")
_CHUNK = 2**20


def read_tiff(stream: BinaryIO) -> npt.NDArray[Any]:
    """The pages of a TIFF (pages, rows, columns, 1 or 3), without thumbnails.

    Raises:
        FormatError: too large; strips that are missing, short or outside the file; pages that
            differ; a kind that neither reader reads unrounded.
        Exception: whatever the decoders make of damaged bytes.
    """
    with tifffile.TiffFile(stream) as file:
        if len(file.pages) > MAX_PICTURES:
            count, allowed = len(file.pages), f"up to {MAX_PICTURES}"
            raise FormatError("too many pages", field="pages", found=count, allowed=allowed)
        pages = [(k, page.aspage()) for k, page in enumerate(file.pages)]
        pages = [(k, page) for k, page in pages if not page.is_reduced]  # thumbnails
        for _, page in pages:
            check_picture_size(page.imagelength, page.imagewidth, len(pages))
            _check_strips(page, file.filehandle.size)
        arrays = [_pixels(stream, k, page) for k, page in pages]
    kinds = {(array.shape, array.dtype) for array in arrays}
    if len(kinds) != 1:
        what = "pages that differ in size or type" if kinds else "no page in it"
        raise FormatError(what, field="pages", found=len(arrays))
    stack: npt.NDArray[Any] = np.stack(arrays)
    return stack


def _pixels(stream: BinaryIO, index: int, page: tifffile.TiffPage) -> npt.NDArray[Any]:
    if _pillow_is_exact(page):
        stream.seek(0)
        with Image.open(stream, formats=["TIFF"]) as picture:
            picture.seek(index)
            return pixels_of(picture)
    if page.photometric not in (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.RGB):
        raise _unreadable(page)
    _check_inflated(page)
    return _displayed(page, page.asarray())


def _pillow_is_exact(page: tifffile.TiffPage) -> bool:
    if page.imagedepth > 1:
        return False
    negative = page.photometric == PHOTOMETRIC.MINISWHITE
    types = _NEGATIVE_BY_PILLOW if negative or page.samplesperpixel > 1 else _BY_PILLOW
    packed = page.bitspersample % 8 and page.bitspersample != 1
    return str(page.dtype) in types and not (packed and page.bitspersample > 8)


def _displayed(page: tifffile.TiffPage, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Convert stored to displayed pixels: channels last, positive, upright."""
    if page.axes not in ("YX", "YXS", "SYX") or array.dtype.kind not in "biuf":
        raise _unreadable(page)
    pixels = with_channels(np.moveaxis(array, 0, -1) if page.axes == "SYX" else array)
    channels = 3 if page.photometric == PHOTOMETRIC.RGB else 1
    rest = pixels.shape[-1] - channels
    if rest and (rest > 1 or page.extrasamples[0] not in _ALPHA):
        raise _unreadable(page)
    if rest:
        check_opaque(pixels[..., -1], int(np.iinfo(pixels.dtype).max))
    pixels = pixels[..., :channels]
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        if pixels.dtype.kind != "u":
            raise _unreadable(page)
        pixels = np.iinfo(pixels.dtype).max - pixels
    return _upright(pixels, page.tags.valueof("Orientation", 1))


def _upright(pixels: npt.NDArray[Any], tag: int) -> npt.NDArray[Any]:
    """Turned as the orientation tag says (TIFF 6.0, p. 36)."""
    if tag in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    down, right = tag in (3, 4, 7, 8), tag in (2, 3, 6, 7)
    return pixels[:: -1 if down else 1, :: -1 if right else 1]


def _check_strips(page: tifffile.TiffPage, size: int) -> None:
    """Check that every strip or tile is complete in the file; missing ones would be read as
    black."""
    offsets, counts = page.dataoffsets, page.databytecounts
    if not len(offsets) == len(counts) == math.prod(page.chunked):
        count, allowed = len(offsets), str(math.prod(page.chunked))
        raise FormatError("strips are missing", field="strips", found=count, allowed=allowed)
    if min(counts) < 1 or max(map(sum, zip(offsets, counts, strict=True))) > size:
        raise FormatError(f"truncated: {size} bytes can't hold its strips")
    if page.compression == COMPRESSION.NONE and sum(counts) < (needed := _stored_bytes(page)):
        raise FormatError(f"truncated: its strips hold {sum(counts)} of {needed} bytes")


def _stored_bytes(page: tifffile.TiffPage) -> int:
    """The least that the pixels take when they are not compressed; padding may come on top."""
    planes = page.samplesperpixel if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE else 1
    row = -(-page.imagewidth * (page.samplesperpixel // planes) * page.bitspersample // 8)
    return int(row * page.imagelength * planes)


def _check_inflated(page: tifffile.TiffPage) -> None:
    """Inflates for nothing but the length: tifffile alone would believe any amount."""
    if page.compression in _UNBOUNDED:
        raise _unreadable(page)
    if page.compression not in _DEFLATE:
        return
    most = math.prod(page.chunks) * np.dtype(page.dtype).itemsize + 1
    handle = page.parent.filehandle
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        handle.seek(offset)
        inflating, left, length = zlib.decompressobj(), handle.read(count), 0
        while left and not inflating.eof:
            length += len(inflating.decompress(left, _CHUNK))
            left = inflating.unconsumed_tail
            if length > most:
                raise FormatError("decompresses too far", field="bytes", found=f"more than {most}")


def _unreadable(page: tifffile.TiffPage) -> FormatError:
    names = [getattr(value, "name", value) for value in (page.photometric, page.compression)]
    layout = f"{page.dtype} {names[0]}, axes {page.axes}, compression {names[1]}"
    allowed = "grey or RGB, uncompressed, deflate or LZW"
    return FormatError("not that kind of picture", field="TIFF", found=layout, allowed=allowed)
