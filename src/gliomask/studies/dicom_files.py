"""The files that may be DICOM, in a folder and all folders below it."""

from __future__ import annotations

from pathlib import Path

from gliomask.datasets.folders import entries
from gliomask.errors import LayoutError
from gliomask.formats.dicom.magic import is_dicom
from gliomask.formats.limits import MAX_DEPTH, MAX_ENTRIES


def files_below(folder: Path) -> list[Path]:
    """All files, folder by folder, in a steady order; a folder that several links lead to, once.

    Raises:
        LayoutError: no such folder; too many files or too deep folders.
    """
    if not folder.is_dir():
        raise LayoutError("no such folder", path=folder)
    files: list[Path] = []
    waiting = [(folder, 0)]
    visited: set[Path] = set()
    while waiting:
        place, depth = waiting.pop()
        if place.resolve() in visited:
            continue
        visited.add(place.resolve())
        if depth > MAX_DEPTH:
            allowed = f"up to {MAX_DEPTH}"
            raise LayoutError("too deep", path=place, field="depth", found=depth, allowed=allowed)
        below = entries(place)
        files += [path for path in below if path.is_file()]
        if len(files) > MAX_ENTRIES:
            allowed = f"up to {MAX_ENTRIES}"
            raise LayoutError(
                "too full", path=folder, field="files", found=len(files), allowed=allowed
            )
        inner = [path for path in below if path.is_dir()]
        waiting += [(path, depth + 1) for path in reversed(inner)]
    return files


def holds_dicom(folder: Path) -> bool:
    """Return True if a file in a folder or its subfolders is DICOM by its first bytes."""
    return any(is_dicom(path) for path in files_below(folder))
