"""Bytes after the voxels of a NIfTI file, which are ignored with a note, as by other tools."""

from __future__ import annotations

from pathlib import Path

from gliomask.errors import FormatError
from gliomask.formats.content import opened
from gliomask.formats.limits import FREE_BYTES
from gliomask.formats.nifti import located
from gliomask.formats.volumes import NIFTI, volume_format

_GZIP_MAGIC = b"\x1f\x8b"
_LENGTH_BYTES = 4


def padding_bytes(path: Path) -> int:
    """Number of bytes after the voxels of a volume file.

    Only the header and a gzip stream's own note of its length are read. 0 for other formats, and
    where that length can't be true (several gzip members) or the file can't be read at all.
    """
    if volume_format(path) is not NIFTI:
        return 0
    try:
        header, data = located(path)
        more = _content_bytes(data) - header.total_bytes
    except FormatError:
        return 0
    return more if 0 < more <= FREE_BYTES else 0


def _content_bytes(path: Path) -> int:
    with opened(path) as file:
        if file.read(2) != _GZIP_MAGIC:
            return path.stat().st_size
        file.seek(-_LENGTH_BYTES, 2)
        return int.from_bytes(file.read(_LENGTH_BYTES), "little")
