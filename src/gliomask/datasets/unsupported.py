"""Files that are not read as they are, for messages: unsupported formats, archives in a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from gliomask.datasets.folders import entries

_KINDS = (
    ".nii.bz2", ".nii.xz", ".nii.zst", ".mnc", ".gipl", ".gipl.gz", ".par", ".rec",
    ".vtk", ".vti", ".v", ".ima.gz", ".dcm.gz", ".npy", ".npz", ".h5", ".hdf5", ".bmp", ".gif",
    ".webp", ".jp2", ".j2k", ".heic", ".7z", ".rar", ".tar", ".tgz", ".tar.gz",
)  # fmt: skip
_DEPTH, _MOST = 3, 2000
_ARCHIVE, _NAMED = ".zip", 3


def unread_in(folder: Path) -> list[Path]:
    """Image files in a folder in unsupported formats, and archives."""
    return [p for p in entries(folder) if (_kind(p.name) or _is_zip(p)) and p.is_file()]


def unread_below(folder: Path) -> str:
    """Description of such files below a folder, counted by suffix; empty if there are none."""
    counts = Counter(kind for path in _below(folder) if (kind := _kind(path.name)))
    if not counts:
        return ""
    counted = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    return f"{counted} there, in an unsupported format"


def archives_below(folder: Path) -> list[Path]:
    """Zip archives below a folder: they are unpacked only where they are named themselves."""
    return [path for path in _below(folder) if _is_zip(path)]


def archives_counted(archives: Sequence[Path]) -> str:
    """Description of archives below a folder."""
    several = len(archives) > 1
    names = ", ".join(path.name for path in archives[:_NAMED]) + ", ..." * (len(archives) > _NAMED)
    return f"{len(archives)} zip archives ({names})" if several else f"a zip archive ({names})"


def is_unread(path: Path) -> bool:
    """Return True if a file has the name of an image in an unsupported format."""
    return _kind(path.name) is not None


def unread_note(path: Path) -> str:
    """Note on such a file in a folder with readable images."""
    if _is_zip(path):
        return f"{path.name} is not used: an archive in a folder is not unpacked, name it itself"
    return f"{path.name} is not used: {_kind(path.name)} is not read, convert it to .nii.gz"


def _below(folder: Path) -> Iterator[Path]:
    """Files below a folder, not deep and not too many."""
    places = [folder]
    for _ in range(_DEPTH):
        below = [path for place in places for path in entries(place)][:_MOST]
        yield from (path for path in below if path.is_file())
        places = [path for path in below if path.is_dir()]


def _is_zip(path: Path) -> bool:
    return path.name.lower().endswith(_ARCHIVE)


def _kind(name: str) -> str | None:
    return max((kind for kind in _KINDS if name.lower().endswith(kind)), key=len, default=None)
