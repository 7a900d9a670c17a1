"""One picture file (TIFF, PNG, JPEG) to arrays, with its size checked before it is decoded.

Pillow and tifffile define the readable files. This module only refuses what they would read
wrongly: too large sizes, strips outside the file, transparency.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from gliomask.errors import FormatError, GliomaskError
from gliomask.formats import tiff
from gliomask.formats.content import opened
from gliomask.formats.limits import check_picture_size
from gliomask.formats.pixels import pixels_of

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
"""How the names of pictures end, in lower case."""

_FORMATS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}


def read_picture(path: Path) -> npt.NDArray[Any]:
    """The only picture in a file, see ``read_pages``.

    Returns:
        (rows, columns, 1 or 3).

    Raises:
        FormatError: as ``read_pages``; several pages.
    """
    pages = read_pages(path)
    if len(pages) != 1:
        hint = "a file with several pages is a stack: use it alone"
        raise FormatError(
            "several pages instead of one picture", path=path, field="pages", found=len(pages),
            allowed="1", hint=hint,
        )  # fmt: skip
    picture: npt.NDArray[Any] = pages[0]
    return picture


def read_pages(path: Path) -> npt.NDArray[Any]:
    """All pages of a picture file as they are displayed.

    The format is known by the first bytes, not by the name. A page that is stored turned
    (orientation tag) is turned back, one that is stored as a negative or with a palette is read
    as its shades.

    Returns:
        (pages, rows, columns, 1 or 3) in the type that the shades are stored in; 0 and 1 for
        pictures of one bit.

    Raises:
        FormatError: missing, damaged, truncated or too large; transparent; pages that differ;
            16-bit colour in a PNG and other kinds that no reader at hand reads unrounded.
    """
    with opened(path) as stream:
        start = stream.read(26)
        stream.seek(0)
        with _decoding(path):
            if start.startswith(tiff.MAGIC):
                return tiff.read_tiff(stream)
            form = next((name for magic, name in _FORMATS.items() if start.startswith(magic)), None)
            if form is None:
                raise FormatError("neither TIFF, PNG nor JPEG")
            return _single(stream, form)[np.newaxis]


def _single(stream: BinaryIO, form: str) -> npt.NDArray[Any]:
    with Image.open(stream, formats=[form]) as picture:
        check_picture_size(picture.height, picture.width, 1)
        if (frames := getattr(picture, "n_frames", 1)) > 1:
            raise FormatError("an animation", field="frames", found=frames, allowed="1")
        if form == "PNG":
            _check_png(stream)
            picture.verify()  # the checksums, which decoding doesn't verify
    stream.seek(0)
    with Image.open(stream, formats=[form]) as picture:
        return pixels_of(ImageOps.exif_transpose(picture))


def _check_png(stream: BinaryIO) -> None:
    """Pillow rounds colour of 16 bits to 8; all other kinds it reads as they are."""
    place = stream.tell()
    stream.seek(24)
    depth, colour = stream.read(2)
    stream.seek(place)
    if depth == 16 and colour != 0:
        kind, allowed = f"16-bit, colour type {colour}", "16-bit grey, or up to 8 bits"
        raise FormatError("would be rounded to 8 bits", field="PNG", found=kind, allowed=allowed)


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Convert any exception of a decoder to a FormatError with the path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # relevant problems are refused
            yield
    except GliomaskError as problem:
        problem.path = path
        raise
    except MemoryError:
        raise
    except UnidentifiedImageError:
        raise FormatError("can't be decoded: a damaged header", path=path) from None
    except Exception as problem:
        # Decoders raise arbitrary exceptions for damaged bytes.
        raise FormatError(f"can't be decoded: {problem}", path=path) from None
