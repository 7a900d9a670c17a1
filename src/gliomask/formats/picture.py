"""One TIFF or PNG picture to an array, with its size checked before its pixels are decoded."""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from gliomask.errors import FormatError, GliomaskError
from gliomask.formats.content import opened
from gliomask.formats.limits import MAX_PICTURE_PIXELS

# What tifffile finds odd it logs; what matters of it is refused here, so nothing goes to stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_KINDS = ((1, 0), (8, 0), (16, 0), (8, 2))
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_COLOUR_DTYPES = ("uint8", "uint16")
_GREY_DTYPES = ("bool", *_COLOUR_DTYPES)
_ALLOWED = "8 or 16-bit grey or RGB"


def read_picture(path: Path) -> npt.NDArray[Any]:
    """A picture as it is stored: (rows, columns, 1 or 3), uint8 or uint16.

    The format is known by the first bytes, not by the name.

    Raises:
        FormatError: missing, damaged, truncated, too large, several pages, or a kind of picture
            other than 8 or 16-bit grey or RGB (palettes, CMYK, transparency, floats).
    """
    with opened(path) as stream:
        start = stream.read(26)
        stream.seek(0)
        with _decoding(path):
            if start.startswith(_PNG_MAGIC):
                pixels = _png(stream, start)
            elif start.startswith(_TIFF_MAGIC):
                pixels = _tiff(stream)
            else:
                raise FormatError("neither TIFF nor PNG")
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8)
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def _png(stream: BinaryIO, start: bytes) -> npt.NDArray[Any]:
    width, height, depth, colour = struct.unpack(">IIBB", start[16:26])
    _check_size(height, width)
    if (depth, colour) not in _PNG_KINDS:
        found = f"{depth}-bit, colour type {colour}"
        raise FormatError("not that kind of picture", field="PNG", found=found, allowed=_ALLOWED)
    with Image.open(stream, formats=["PNG"]) as picture:
        picture.verify()  # the checksums, which decoding doesn't look at
    stream.seek(0)
    with Image.open(stream, formats=["PNG"]) as picture:
        pixels = np.asarray(picture)
    return pixels.astype(np.uint16) if depth == 16 else pixels


def _tiff(stream: BinaryIO) -> npt.NDArray[Any]:
    with tifffile.TiffFile(stream) as file:
        if len(file.pages) != 1:
            found = len(file.pages)
            raise FormatError("not a single picture", field="pages", found=found, allowed="1")
        page = file.pages.first
        _check_size(page.imagelength, page.imagewidth)
        _check_kind(page)
        _check_strips(page, file.filehandle.size)
        pixels: npt.NDArray[Any] = page.asarray()
        return pixels


def _check_size(rows: int, columns: int) -> None:
    if not 0 < rows * columns <= MAX_PICTURE_PIXELS:
        found, allowed = f"{columns} x {rows}", f"1 to {MAX_PICTURE_PIXELS} pixels"
        raise FormatError("impossible size", field="size", found=found, allowed=allowed)


def _check_kind(page: tifffile.TiffPage) -> None:
    packed = page.compression != tifffile.COMPRESSION.NONE
    if "Compression" not in page.tags or (packed and "BitsPerSample" not in page.tags):
        # tifffile would go on as if there were 1 bit per pixel, not compressed.
        raise FormatError("a damaged TIFF header: type or compression isn't told")
    kind = (page.axes, page.samplesperpixel, page.photometric)
    grey = kind == ("YX", 1, tifffile.PHOTOMETRIC.MINISBLACK) and page.dtype in _GREY_DTYPES
    colour = kind == ("YXS", 3, tifffile.PHOTOMETRIC.RGB) and page.dtype in _COLOUR_DTYPES
    if not (grey or colour):
        photometric = getattr(page.photometric, "name", page.photometric)
        found = f"{page.dtype} {photometric}, axes {page.axes}"
        raise FormatError("not that kind of picture", field="TIFF", found=found, allowed=_ALLOWED)


def _check_strips(page: tifffile.TiffPage, size: int) -> None:
    """Every strip lies in the file, as long as it must be: what lacks would come out as black."""
    offsets, counts = page.dataoffsets, page.databytecounts
    if not len(offsets) == len(counts) == math.prod(page.chunked):
        found, allowed = len(offsets), str(math.prod(page.chunked))
        raise FormatError("strips are missing", field="strips", found=found, allowed=allowed)
    if min(counts) < 1 or max(map(sum, zip(offsets, counts, strict=True))) > size:
        raise FormatError(f"truncated: {size} bytes can't hold its strips")
    row = -(-page.imagewidth * page.samplesperpixel * page.bitspersample // 8)
    if page.compression == tifffile.COMPRESSION.NONE and sum(counts) != row * page.imagelength:
        found, allowed = sum(counts), str(row * page.imagelength)
        raise FormatError("size and strips differ", field="bytes", found=found, allowed=allowed)


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Whatever a decoder makes of damaged bytes becomes a FormatError with the path."""
    try:
        yield
    except GliomaskError as problem:
        problem.path = path
        raise
    except MemoryError:
        raise
    except Exception as problem:
        # Decoders answer damaged bytes with whatever exception these lead them into.
        raise FormatError(f"can't be decoded: {problem}", path=path) from None
