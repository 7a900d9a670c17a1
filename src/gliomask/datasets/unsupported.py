"""Recognition of image files in unsupported formats, for messages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gliomask.datasets.folders import entries

_KINDS = (
    ".nii.bz2", ".nii.xz", ".nii.zst", ".nii.zip", ".mnc", ".gipl", ".gipl.gz", ".par", ".rec",
    ".vtk", ".vti", ".v", ".ima.gz", ".dcm.gz", ".npy", ".npz", ".h5", ".hdf5", ".bmp", ".gif",
    ".webp", ".jp2", ".j2k", ".heic", ".7z", ".rar", ".tar", ".tgz", ".tar.gz",
)  # fmt: skip
_DEPTH, _MOST = 3, 2000


def unread_in(folder: Path) -> list[Path]:
    """Image files in a folder in unsupported formats."""
    return [p for p in entries(folder) if _kind(p.name) and p.is_file()]


def unread_below(folder: Path) -> str:
    """Description of such files below a folder, counted by suffix; empty if there are none."""
    counts: Counter[str] = Counter()
    places = [folder]
    for _ in range(_DEPTH):
        below = [path for place in places for path in entries(place)][:_MOST]
        counts.update(kind for path in below if (kind := _kind(path.name)) and path.is_file())
        places = [path for path in below if path.is_dir()]
    if not counts:
        return ""
    counted = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    return f"{counted} there, in an unsupported format"


def is_unread(path: Path) -> bool:
    """Return True if a file has the name of an image in an unsupported format."""
    return _kind(path.name) is not None


def unread_note(path: Path) -> str:
    """Note on such a file in a folder with readable images."""
    return f"{path.name} is not used: {_kind(path.name)} is not read, convert it to .nii.gz"


def _kind(name: str) -> str | None:
    return max((kind for kind in _KINDS if name.lower().endswith(kind)), key=len, default=None)
