"""Storage format of pixels, checked against the limits and the file before decoding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from gliomask.errors import FormatError
from gliomask.formats.dicom.values import has, text, whole, whole_or
from gliomask.formats.limits import DEFLATE_RATIO, MAX_FRAMES, MAX_PICTURE_PIXELS, MAX_VOXELS

KEYWORDS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "NumberOfFrames",
)
"""The elements that ``pixel_format`` reads."""
EXTRA = 'pip install "gliomask[jpeg]"'
"""Installation of the decoders that are not in the core."""

_ALLOCATED = (8, 16, 32)
_GREY = ("MONOCHROME2", "MONOCHROME1")
_MAX_SIDE = 2**16 - 1
_CONVERT = "convert the files to explicit VR little endian, e.g. by `gdcmconv --raw`"


@dataclass(frozen=True)
class PixelFormat:
    """Storage format of pixels.

    Attributes:
        rows, columns, frames: counts.
        allocated, stored: bits of a pixel, and the low ones of them that contain its value.
        signed: two's complement.
        inverted: large values are dark (MONOCHROME1).
        sure: number of low bits whose meaning is certain.
        doubt: the element that makes the other bits doubtful; empty if none does.
        syntax: the transfer syntax.
    """

    rows: int
    columns: int
    frames: int
    allocated: int
    stored: int
    signed: bool
    inverted: bool
    sure: int
    doubt: str
    syntax: UID

    @property
    def native_bytes(self) -> int:
        """Bytes of all frames when they are not compressed."""
        return self.rows * self.columns * self.frames * self.allocated // 8


def pixel_format(dataset: Dataset, path: Path) -> PixelFormat:
    """Format from a header. Missing elements have the defaults of other readers.

    Raises:
        FormatError: colour, a size or depth that can't be true or is too large, a file too small
            for its pixels, or a compression that nothing installed can decode.
    """
    _check_grey(dataset)
    allocated = whole(dataset, "BitsAllocated", 64)
    if allocated not in _ALLOCATED:
        allowed = ", ".join(map(str, _ALLOCATED))
        raise FormatError("unusable", field="BitsAllocated", found=allocated, allowed=allowed)
    stored = min(whole_or(dataset, "BitsStored", allocated, 64, 1), allocated)
    sure, doubt = _sure_bits(dataset, allocated, stored)
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    _check_decoder(syntax)
    pixels = PixelFormat(
        rows=whole(dataset, "Rows", _MAX_SIDE, 1),
        columns=whole(dataset, "Columns", _MAX_SIDE, 1),
        frames=whole_or(dataset, "NumberOfFrames", 1, MAX_FRAMES) or 1,
        allocated=allocated,
        stored=stored,
        signed=bool(whole_or(dataset, "PixelRepresentation", 0, 1)),
        inverted=text(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        sure=sure,
        doubt=doubt,
        syntax=syntax,
    )
    _check_size(pixels, path)
    return pixels


def complete(dataset: Dataset, pixels: PixelFormat) -> None:
    """Add the elements that a decoder needs and the header lacks."""
    dataset.BitsStored, dataset.HighBit = pixels.stored, pixels.stored - 1
    dataset.PixelRepresentation, dataset.SamplesPerPixel = int(pixels.signed), 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.NumberOfFrames = pixels.frames


def _sure_bits(dataset: Dataset, allocated: int, stored: int) -> tuple[int, str]:
    """Number of low bits whose meaning is certain, and the element that makes the others doubtful.

    Without PixelRepresentation the highest bit may be the sign. If HighBit is inconsistent, values
    may be stored in other bits, although all readers use the low ones.
    """
    if not has(dataset, "PixelRepresentation"):
        return stored - 1, "PixelRepresentation"
    if whole_or(dataset, "HighBit", stored - 1, 63) != stored - 1:
        return stored, "HighBit"
    return allocated, ""


def _check_grey(dataset: Dataset) -> None:
    kind = text(dataset, "PhotometricInterpretation") or _GREY[0]
    samples = whole_or(dataset, "SamplesPerPixel", 1, 255)
    if kind not in _GREY or samples != 1:
        kind_text, allowed = f"{kind}, {samples} samples", f"{' or '.join(_GREY)}, 1 sample"
        raise FormatError(
            "not a greyscale image",
            field="PhotometricInterpretation",
            found=kind_text,
            allowed=allowed,
        )


def _check_size(pixels: PixelFormat, path: Path) -> None:
    area = pixels.rows * pixels.columns
    if area > MAX_PICTURE_PIXELS or area * pixels.frames > MAX_VOXELS:
        actual = f"{pixels.rows} x {pixels.columns} x {pixels.frames}"
        allowed = f"up to {MAX_PICTURE_PIXELS} pixels a frame and {MAX_VOXELS} in all"
        raise FormatError("too large", field="Rows x Columns", found=actual, allowed=allowed)
    size = path.stat().st_size * (DEFLATE_RATIO if pixels.syntax.is_deflated else 1)
    if not pixels.syntax.is_compressed and pixels.native_bytes > size:
        raise FormatError(f"truncated: {size} bytes can't hold {pixels.native_bytes} of pixels")


def _check_decoder(syntax: UID) -> None:
    if not syntax.is_transfer_syntax or syntax.is_private:
        what, allowed = "an unknown transfer syntax", "those of the DICOM standard"
        raise FormatError(
            what, field="TransferSyntaxUID", found=str(syntax), allowed=allowed, hint=_CONVERT
        )
    if not syntax.is_compressed:
        return
    try:
        ready = get_decoder(syntax).is_available
    except NotImplementedError:
        raise FormatError(
            "a compression that isn't read", field="TransferSyntaxUID", found=syntax.name
        ) from None
    if not ready:
        raise FormatError(
            "a compression whose decoder isn't installed",
            field="TransferSyntaxUID",
            found=syntax.name,
            hint=EXTRA,
        )
