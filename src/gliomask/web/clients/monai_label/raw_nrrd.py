"""A compressed NRRD file of ours, decompressed: OHIF's reader requires it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PACKED, _RAW = b"\nencoding: gzip\n", b"\nencoding: raw\n"
_CHUNK: Final = 2**18
_GZIP: Final = 31
_MAX_HEADER: Final = 2**16


def raw_nrrd(path: Path) -> Iterator[bytes]:
    """The bytes of the file, unpacked as they are needed. ValueError: it isn't one of ours."""
    with path.open("rb") as file:
        head, end, data = file.read(_MAX_HEADER).partition(b"\n\n")
        if not end or _PACKED not in head + b"\n":
            raise ValueError("not a packed NRRD file with its voxels in it")
        yield (head + b"\n").replace(_PACKED, _RAW) + b"\n"
        unpacking = zlib.decompressobj(_GZIP)
        while data := data or file.read(_CHUNK):
            yield unpacking.decompress(data)
            data = b""
