"""Size of a compressed frame from its own header, checked before decoding.

A few bytes can declare a picture of gigabytes; the size must match the header of the file.
"""

from __future__ import annotations

from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from gliomask.errors import FormatError

_JPEG2000_START = b"\xff\x4f\xff\x51"
_BOXES = 4096
_NO_FRAME_HEADERS = (0xC4, 0xC8, 0xCC)
_JPEG_LS_FRAME = 0xF7


def check_frame_size(frame: bytes, syntax: UID, rows: int, columns: int) -> None:
    """Check that a compressed frame has the size that the header of the file states.

    Args:
        frame: the bytes of one frame.
        syntax: its transfer syntax. Run-length coding has no size of its own and always passes.

    Raises:
        FormatError: another size, none at all, or a syntax that isn't read.
    """
    if syntax == RLELossless:
        return
    if syntax in JPEG2000TransferSyntaxes or "2000" in syntax.name:
        size = _jpeg2000_size(frame)
    elif syntax in (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes):
        size = _jpeg_size(frame)
    else:
        raise FormatError(
            "a compression that isn't read", field="TransferSyntaxUID", found=syntax.name
        )
    if size != (rows, columns):
        size_text = "none" if size is None else f"{size[0]} x {size[1]}"
        what = "the compressed image has another size"
        raise FormatError(what, field="size", found=size_text, allowed=f"{rows} x {columns}")


def _jpeg2000_size(frame: bytes) -> tuple[int, int] | None:
    """Size in the SIZ segment (ISO/IEC 15444-1, A.5.1): image area, and one tile within it."""
    start = frame.find(_JPEG2000_START, 0, _BOXES)
    fields = frame[start + 8 : start + 24]
    if start < 0 or len(fields) < 16:
        return None
    right, bottom, left, top = (int.from_bytes(fields[n : n + 4], "big") for n in (0, 4, 8, 12))
    return bottom - top, right - left


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    """Size in the frame header, SOF0 to SOF15 (ITU-T T.81, B.2.2) or SOF55 (T.87, C.2.2)."""
    place = 2 if frame[:2] == b"\xff\xd8" else len(frame)
    while place + 9 <= len(frame) and frame[place] == 0xFF:
        marker = frame[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker == _JPEG_LS_FRAME or _is_frame_header(marker):
            fields = frame[place + 5 : place + 9]
            return int.from_bytes(fields[:2], "big"), int.from_bytes(fields[2:], "big")
        else:
            place += 2 + int.from_bytes(frame[place + 2 : place + 4], "big")
    return None


def _is_frame_header(marker: int) -> bool:
    return 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADERS
