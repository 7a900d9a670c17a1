"""Compressions of DICOM pixels that the installed packages can read."""

from __future__ import annotations

from typing import Final

from pydicom import uid
from pydicom.pixels.decoders.base import get_decoder

COMPRESSIONS: Final = {
    "RLE": uid.RLELossless,
    "JPEG": uid.JPEGBaseline8Bit,
    "lossless JPEG": uid.JPEGLosslessSV1,
    "JPEG-LS": uid.JPEGLSLossless,
    "JPEG 2000": uid.JPEG2000Lossless,
}
"""Those that scanners and archives write, by their common names."""


def readable() -> dict[str, bool]:
    """Name of the compression -> whether a decoder for it is installed."""
    return {name: get_decoder(syntax).is_available for name, syntax in COMPRESSIONS.items()}
