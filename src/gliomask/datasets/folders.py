"""Naturally sorted content of a folder, without hidden files.

Names that begin with a dot are never data: they are hidden files, ``._`` files of macOS archives,
or temporary files of killed processes (``core.atomic``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from gliomask.errors import CaseError, LayoutError
from gliomask.formats.images import SUFFIXES, is_picture
from gliomask.formats.limits import MAX_ENTRIES
from gliomask.formats.volumes import is_second_half, is_volume

_LITTER = ("__MACOSX", "lost+found")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that sorts ``x_2`` before ``x_10``."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((0, int(p), "") if p[0] in "0123456789" else (1, 0, p.casefold()) for p in parts)


def entries(folder: Path) -> list[Path]:
    """Content of a folder, naturally sorted; empty if it is not a folder.

    Raises:
        LayoutError: the folder can't be read or contains too many files.
    """
    try:
        with os.scandir(folder) as listing:
            names = [entry.name for entry in listing]
    except NotADirectoryError:
        return []
    except OSError as problem:
        raise LayoutError(f"can't be listed: {problem.strerror}", path=folder) from None
    if len(names) > MAX_ENTRIES:
        count, allowed = len(names), f"up to {MAX_ENTRIES}"
        raise LayoutError("too full", path=folder, field="entries", found=count, allowed=allowed)
    visible = [name for name in names if not name.startswith(".") and name not in _LITTER]
    return [folder / name for name in sorted(visible, key=lambda name: (natural(name), name))]


def folders(folder: Path) -> list[Path]:
    """Folders in a folder, except those that only wrap a file (``volume.nii/volume.nii``)."""
    return [path for path in entries(folder) if path.is_dir() and not is_volume(path)]


def pictures(folder: Path) -> list[Path]:
    """The picture files in a folder."""
    return [path for path in entries(folder) if is_picture(path) and path.is_file()]


def volumes(folder: Path) -> list[tuple[str, Path]]:
    """Volume files in a folder, with their names without ``.nii.gz``.

    Some copies of BraTS wrap each file in a folder with the file's name, while the file may have
    another name: the name of the folder is used.
    """
    volumes_found = []
    for path in filter(is_volume, entries(folder)):
        files = [path] if path.is_file() else [p for p in entries(path) if is_volume(p)]
        volumes_found += [(stem(path.name), file) for file in files if not is_second_half(file)]
    return volumes_found


def examinations(folder: Path, pattern: re.Pattern[str]) -> dict[str, dict[str, list[Path]]]:
    """NIfTI files in a folder with matching names: examination -> kind of file -> files.

    Args:
        pattern: pattern of the name without suffix, with the groups ``case`` and ``kind``.
    """
    examinations_found: dict[str, dict[str, list[Path]]] = {}
    for name, path in volumes(folder):
        if parts := pattern.fullmatch(name):
            kinds = examinations_found.setdefault(parts["case"], {})
            kinds.setdefault(parts["kind"].lower(), []).append(path)
    return examinations_found


def gathered(places: Iterable[Path], pattern: re.Pattern[str]) -> dict[str, dict[str, list[Path]]]:
    """NIfTI files in several folders, by examination and kind, as ``examinations`` returns them."""
    examinations_found: dict[str, dict[str, list[Path]]] = {}
    for place in places:
        for case, kinds in examinations(place, pattern).items():
            of_case = examinations_found.setdefault(case, {})
            for kind, files in kinds.items():
                of_case.setdefault(kind, []).extend(files)
    return examinations_found


def within(folder: Path, depth: int) -> list[Path]:
    """A folder and its subfolders down to ``depth``, parents first."""
    below = folders(folder) if depth else []
    return [folder, *(place for sub in below for place in within(sub, depth - 1))]


def one_each(kinds: dict[str, list[Path]]) -> dict[str, Path]:
    """Single file of each kind.

    Raises:
        CaseError: there are several files of a kind; they are named.
    """
    for kind, files in kinds.items():
        if len(files) > 1:
            names = ", ".join(file.name for file in files)
            raise CaseError(f"several files for {kind}: {names}", path=files[0].parent)
    return {kind: files[0] for kind, files in kinds.items()}


def stem(name: str) -> str:
    """File name without ``.nii.gz``, ``.png`` or another supported suffix."""
    known = max((end for end in SUFFIXES if name.lower().endswith(end)), key=len, default="")
    return name[: len(name) - len(known)]
