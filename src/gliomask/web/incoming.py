"""Files while they are received: written to the disk, counted and hashed."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from gliomask.core.atomic import writing
from gliomask.errors import MachineError
from gliomask.web.problems import Problem, not_found

_CHECK_BYTES: Final = 2**20
"""Bytes of a file that is being received, between two checks of the free space."""


class Incoming:
    """A file that is being received, up to the limit.

    Args:
        folder: to write to.
        limit: bytes.
        has_room: True while the disk has room for more; called repeatedly, because many
            simultaneous files, or files of unknown length, must not fill it together.
    """

    def __init__(self, folder: Path, limit: int, has_room: Callable[[], bool]) -> None:
        self.path, self._limit = folder / secrets.token_hex(16), limit
        self._digest, self._size = hashlib.sha256(), 0
        self._has_room, self._checked = has_room, 0
        try:
            with writing(folder.parent):
                self._file = self.path.open("xb")
        except MachineError:
            if not folder.is_dir():
                raise not_found("upload") from None
            raise

    def write(self, chunk: bytes) -> None:
        """Write the next bytes.

        Raises:
            Problem: too many, or the disk is nearly full; MachineError: the disk.
        """
        self._size += len(chunk)
        if self._size > self._limit:
            raise too_large(self._limit, "file")
        if self._size - self._checked >= _CHECK_BYTES:
            self._checked = self._size
            if not self._has_room():
                raise disk_full()
        self._digest.update(chunk)
        with writing(self.path.parent.parent):
            self._file.write(chunk)

    def close(self) -> tuple[int, str]:
        """Flush it to the disk; returns its size and SHA-256."""
        with writing(self.path.parent.parent):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return self._size, self._digest.hexdigest()

    def discard(self) -> None:
        """Remove the received data, even if the rest of it can't be flushed to a full disk."""
        self.path.unlink(missing_ok=True)
        with suppress(OSError):
            self._file.close()


def disk_full() -> Problem:
    """Response if the disk is full."""
    return Problem(503, "the server's disk is full: try again later", retry_s=300)


def too_large(limit: int, what: str) -> Problem:
    """Problem for data over a limit."""
    return Problem(413, f"too large: at most {limit} bytes a {what}")
