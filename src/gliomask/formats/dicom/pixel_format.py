"""Storage format of pixels, checked against the limits and the file before decoding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from gliomask.errors import FormatError
from gliomask.formats.dicom.values import has, text, whole
from gliomask.formats.limits import MAX_FRAMES, MAX_PICTURE_PIXELS, MAX_VOXELS

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
"""What gives the decoders that the core does without."""

_ALLOCATED = (8, 16, 32)
_MAX_SIDE = 2**16 - 1


@dataclass(frozen=True)
class PixelFormat:
    """Storage format of pixels.

    Attributes:
        rows, columns, frames: counts.
        allocated, stored: bits of a pixel, and the low ones of them that hold its value.
        signed: two's complement.
        syntax: the transfer syntax.
    """

    rows: int
    columns: int
    frames: int
    allocated: int
    stored: int
    signed: bool
    syntax: UID

    @property
    def native_bytes(self) -> int:
        """Bytes of all frames when they are not compressed."""
        return self.rows * self.columns * self.frames * self.allocated // 8


def pixel_format(dataset: Dataset, path: Path) -> PixelFormat:
    """The format, from a header.

    Raises:
        FormatError: colour, inverted grey, a size or depth that can't be true or is too large, a
            file too small for its pixels, or a compression that nothing installed can decode.
    """
    _check_grey(dataset)
    allocated = whole(dataset, "BitsAllocated", 64)
    if allocated not in _ALLOCATED:
        allowed = ", ".join(map(str, _ALLOCATED))
        raise FormatError("unusable", field="BitsAllocated", found=allocated, allowed=allowed)
    stored = whole(dataset, "BitsStored", allocated, 1)
    whole(dataset, "HighBit", stored - 1, stored - 1)
    pixels = PixelFormat(
        rows=whole(dataset, "Rows", _MAX_SIDE, 1),
        columns=whole(dataset, "Columns", _MAX_SIDE, 1),
        frames=whole(dataset, "NumberOfFrames", MAX_FRAMES, 1)
        if has(dataset, "NumberOfFrames")
        else 1,
        allocated=allocated,
        stored=stored,
        signed=bool(whole(dataset, "PixelRepresentation", 1)),
        syntax=UID(dataset.file_meta.TransferSyntaxUID),
    )
    _check_size(pixels, path)
    _check_decoder(pixels.syntax)
    return pixels


def _check_grey(dataset: Dataset) -> None:
    kind = text(dataset, "PhotometricInterpretation")
    if kind == "MONOCHROME1":
        what, allowed = "inverted grey: large values are dark", "MONOCHROME2"
        raise FormatError(what, field="PhotometricInterpretation", found=kind, allowed=allowed)
    samples = whole(dataset, "SamplesPerPixel", 255)
    if kind != "MONOCHROME2" or samples != 1:
        kind_text, allowed = f"{kind}, {samples} samples", "MONOCHROME2, 1 sample"
        raise FormatError(
            "no grey image", field="PhotometricInterpretation", found=kind_text, allowed=allowed
        )


def _check_size(pixels: PixelFormat, path: Path) -> None:
    area = pixels.rows * pixels.columns
    if area > MAX_PICTURE_PIXELS or area * pixels.frames > MAX_VOXELS:
        actual = f"{pixels.rows} x {pixels.columns} x {pixels.frames}"
        allowed = f"up to {MAX_PICTURE_PIXELS} pixels a frame and {MAX_VOXELS} in all"
        raise FormatError("too large", field="Rows x Columns", found=actual, allowed=allowed)
    size = path.stat().st_size
    if not pixels.syntax.is_compressed and pixels.native_bytes > size:
        raise FormatError(f"truncated: {size} bytes can't hold {pixels.native_bytes} of pixels")


def _check_decoder(syntax: UID) -> None:
    if not syntax.is_transfer_syntax or syntax.is_private:
        raise FormatError("unknown", field="TransferSyntaxUID", found=str(syntax))
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
