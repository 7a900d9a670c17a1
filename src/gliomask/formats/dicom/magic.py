"""Detection of DICOM files by their first bytes: half of all DICOM files have no suffix."""

from __future__ import annotations

from pathlib import Path

from gliomask.errors import FormatError
from gliomask.formats.content import opened

_START = 132
_GROUPS = (b"\x02\x00", b"\x08\x00")
_VRS = (b"UL", b"OB", b"UI", b"CS", b"DA", b"TM", b"LO", b"SH", b"DT")


def is_dicom(path: Path) -> bool:
    """Return True for the start of a DICOM file, with or without preamble; False if unreadable."""
    try:
        with opened(path) as stream:
            start = stream.read(_START)
    except FormatError:
        return False
    return start[128:] == b"DICM" or _begins_with_element(start)


def _begins_with_element(start: bytes) -> bool:
    """Group 2 or 8, a low element, and then a VR or (implicit) the short length of a value."""
    if start[:2] not in _GROUPS or len(start) < _START:
        return False
    element = int.from_bytes(start[2:4], "little")
    length = int.from_bytes(start[4:8], "little")
    return element <= 0x20 and (start[4:6] in _VRS or 0 < length <= 64)
