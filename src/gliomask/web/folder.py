"""Data folder of the server: locking, paths, and free disk space."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gliomask.config.serve import Limits
from gliomask.errors import InputError
from gliomask.formats.editable_case import folder_of

RESULT: Final = "result"
"""Folder of complete result files in the folder of a job."""
EDITABLE: Final = "editable"
"""Next to it: the editable cases."""
CORRECTIONS: Final = "corrections"
"""Next to it: a folder for each correction, named by its number."""
KEPT: Final = (RESULT, EDITABLE, CORRECTIONS)
"""Entries that remain in the folder of a completed job."""


class DataFolder:
    """Paths in the data folder. No name comes from outside.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uploads, self.jobs, self.temporary = root / "uploads", root / "jobs", root / "tmp"

    def make(self) -> None:
        """Create missing folders, and remove files of killed processes."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        for folder in (self.uploads, self.jobs, self.temporary):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def upload(self, upload: str) -> Path:
        return self.uploads / upload

    def job(self, job: str) -> Path:
        return self.jobs / job

    def result(self, job: str) -> Path:
        return self.jobs / job / RESULT

    def editable(self, job: str, case: str) -> Path:
        """Editable case of an examination."""
        return self.jobs / job / EDITABLE / folder_of(case)

    def corrections(self, job: str) -> Path:
        return self.jobs / job / CORRECTIONS

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder until this process ends.

        Raises:
            InputError: another one is at work here.
        """
        handle = os.open(self.root / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            hint = "stop it, or give this one another data folder"
            raise InputError("another server uses this folder", path=self.root, hint=hint) from None
        try:
            yield
        finally:
            os.close(handle)

    def has_room(self, limits: Limits, size: int = 0) -> bool:
        """Return True if the disk has enough free space for so many bytes."""
        usage = shutil.disk_usage(self.root)
        return usage.free - size > max(limits.free_bytes, usage.total * limits.free_share)


def link_or_copy(source: Path, place: Path) -> None:
    """Link a file to a new place, or copy it on a file system without links.

    Raises:
        FileExistsError: the place is taken; a copy would overwrite the file that is linked there.
    """
    try:
        os.link(source, place)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(source, place)
