"""Write test of a folder, and its free space."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folder:
    """A folder to write into.

    Attributes:
        path: path of the folder.
        free: bytes free on its disk; None if unknown.
        problem: reason why it is not writable; None if it is.
    """

    path: Path
    free: int | None
    problem: str | None


def try_folder(path: Path) -> Folder:
    """Writes a small file there and removes it.

    A folder that does not exist yet is checked by the nearest one above it that does; nothing is
    made.
    """
    existing = path.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        free = shutil.disk_usage(existing).free
        with tempfile.NamedTemporaryFile(dir=existing, prefix=".gliomask-") as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        return Folder(path, None, problem.strerror or str(problem))
    return Folder(path, free, None)


def try_temporary() -> Folder:
    """The folder for temporary files; where there is none, the problem names those tried."""
    try:
        return try_folder(Path(tempfile.gettempdir()))
    except OSError as problem:
        return Folder(Path(os.environ.get("TMPDIR", "/tmp")), None, problem.strerror)  # noqa: S108
