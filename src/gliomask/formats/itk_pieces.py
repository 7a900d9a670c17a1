"""The files with the voxels of an NRRD or MetaImage header: one, a list, or a pattern.

A header is untrusted, so only files in its folder are allowed. Of a list or a pattern all files
are raw and of the same size; SimpleITK would read a list that is too short as if it were whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gliomask.errors import FormatError
from gliomask.formats.content import opened
from gliomask.formats.limits import MAX_FRAMES

_HINT = "save it as one file, .nrrd or .mha"
_LIST = re.compile(r"LIST( [1-3])?", re.IGNORECASE)
_PATTERN = re.compile(r"(?P<name>[^%]*%0?\d{0,2}d[^% ]*)(?P<range>( -?\d{1,6}){2,3})( [1-3])?")


def data_files(
    path: Path, field_text: str, listed: Sequence[str], *, plain: bool
) -> tuple[Path, ...]:
    """Data files of a header, all in its folder.

    Args:
        path: of the header.
        field_text: text of its field of the data file.
        listed: the lines after that field.
        plain: the voxels are raw, without anything before them.

    Raises:
        FormatError: a file elsewhere, an unknown pattern, too many files, a file that is named
            twice; several files that are compressed, missing, or not all of the same size.
    """
    several = True
    if _LIST.fullmatch(field_text):
        names = [line.strip() for line in listed if line.strip()]
    elif pattern := _PATTERN.fullmatch(field_text):
        names = _numbered(pattern, path)
    else:
        names, several = [field_text], False
    for name in names:
        if "/" in name or "\\" in name or name in ("", ".", ".."):
            raise _refusal(path, "its voxels are in another folder", name, "files in its folder")
        if "%" in name:
            what = "the pattern of the names of its data files is unknown"
            raise _refusal(path, what, name, "a pattern with its range, such as s%03d.raw 0 4 1")
    files = tuple(path.with_name(name) for name in names)
    if several:
        _check_pieces(path, field_text, files, plain=plain)
    return files


def _numbered(pattern: re.Match[str], path: Path) -> list[str]:
    first, last, *rest = (int(number) for number in pattern["range"].split())
    step = rest[0] if rest else 1
    numbers = range(first, last + (1 if step > 0 else -1), step) if step else range(0)
    if not 0 < len(numbers) <= MAX_FRAMES or min(numbers) < 0:
        raise _refusal(path, "impossible numbers", pattern[0], f"1 to {MAX_FRAMES} files")
    return [pattern["name"] % number for number in numbers]


def _check_pieces(path: Path, names: str, files: Sequence[Path], *, plain: bool) -> None:
    if not plain:
        what = "its voxels are in several files, compressed, as text or behind a header"
        raise _refusal(path, what, names, "several files of raw voxels only")
    if not 0 < len(files) <= MAX_FRAMES:
        raise _refusal(path, "its voxels are in so many files", len(files), f"1 to {MAX_FRAMES}")
    if len(set(files)) < len(files):
        raise _refusal(path, "a file of voxels is named twice", names, "each file once")
    sizes = {size_of(file) for file in files}
    if len(sizes) > 1:
        raise _refusal(path, "its files of voxels differ in size", sorted(sizes), "one size")


def size_of(data: Path) -> int:
    """Bytes of a file.

    Raises:
        FormatError: it can't be opened.
    """
    with opened(data):
        return data.stat().st_size


def _refusal(path: Path, what: str, value: object, allowed: str) -> FormatError:
    return FormatError(what, path=path, field="data file", found=value, allowed=allowed, hint=_HINT)
