"""The child of ``guarded``: ``python -m`` this, requests on stdin, responses on stdout.

A request is a line of JSON, ``[path, [frame, ...]]``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from gliomask.errors import GliomaskError
from gliomask.formats.dicom.guarded import DECODED, REFUSED
from gliomask.formats.dicom.pixels import read_unguarded

_HARMLESS = b"extraneous bytes"
"""libjpeg's complaint of bytes that are left over, which some scanners write."""
_MEMORY = 4 * 2**30


def main() -> None:
    """Answers requests until there are no more."""
    _limit_memory()
    with tempfile.TemporaryFile() as complaints:
        os.dup2(complaints.fileno(), 2)
        for line in sys.stdin.buffer:
            path, numbers = json.loads(line)
            _answer(Path(path), numbers, complaints)
            sys.stdout.buffer.flush()


def _answer(path: Path, numbers: Sequence[int], complaints: BinaryIO) -> None:
    offset = complaints.seek(0, 2)
    try:
        for frame in read_unguarded(path, numbers):
            if complaint := _complaint(complaints, offset):
                _send(REFUSED, complaint)
                return
            _send(DECODED, frame.astype("<i8").tobytes())
    except GliomaskError as problem:
        problem.path = None  # the parent adds it
        _send(REFUSED, str(problem).encode())
    except MemoryError:
        _send(REFUSED, b"out of memory")


def _complaint(complaints: BinaryIO, offset: int) -> bytes:
    """The first line that the decoder has written since, unless it is harmless."""
    complaints.seek(offset)
    lines = [line for line in complaints.read().splitlines() if _HARMLESS not in line]
    return lines[0] if lines else b""


def _send(kind: bytes, content: bytes) -> None:
    sys.stdout.buffer.write(kind + len(content).to_bytes(8, "little") + content)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    main()
