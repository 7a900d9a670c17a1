"""Checks of output folders: a result only replaces an earlier result of the same kind."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from gliomask.core.atomic import MARK, replaceable_folder
from gliomask.errors import InputError, option

_NEW = f"use another folder: {option('out')}"


def check_replaceable(
    out: Path, kind: str, marks: Collection[str], names: Collection[str] | None = None
) -> None:
    """Refuse an output folder unless it is new, empty or contains an earlier result of this kind.

    Args:
        out: the folder, which need not exist.
        kind: kind of result, for the error, e.g. ``an evaluation``.
        marks: names of files, of which every such result contains at least one.
        names: patterns of the paths that such a result can contain, for a folder that is replaced
            as a whole; None if it may contain anything else.

    Raises:
        InputError: ``out`` is a file, contains something else, or would be replaced together with
            the working directory.
    """
    entries = _entries(out)
    if names is not None:
        replaceable_folder(out)
    foreign = "" if not entries or entries & set(marks) else min(entries)
    if not foreign and names is not None:
        foreign = next((path for path in _files(out) if not _is_of(path, names)), "")
    if foreign:
        raise InputError(
            f"the folder contains something other than {kind}",
            path=out,
            field="entry",
            found=foreign,
            hint=_NEW,
        )


def check_empty(out: Path, hint: str = _NEW, ignored: Collection[str] = ()) -> None:
    """Refuse an output folder that is not empty.

    Args:
        out: the folder, which need not exist.
        hint: advice if it is not empty.
        ignored: names of files to ignore.

    Raises:
        InputError: ``out`` is a file, or is not empty.
    """
    if entries := _entries(out) - set(ignored):
        what = f"the folder is not empty: it contains {min(entries)}"
        raise InputError(what, path=out, hint=hint)


def _is_of(path: str, names: Collection[str]) -> bool:
    """Return True if a path has one of the patterns; a star is a part of a name."""
    return any(path.count("/") == name.count("/") and fnmatchcase(path, name) for name in names)


def _files(out: Path) -> Iterator[str]:
    """Relative paths of all files in a folder, without temporary files of killed processes."""
    files = (path.relative_to(out) for path in out.rglob("*") if not path.is_dir())
    return (path.as_posix() for path in files if not path.parts[0].startswith(MARK))


def _entries(out: Path) -> set[str]:
    """Names of the files in a folder, without temporary files of killed processes."""
    if out.exists() and not out.is_dir():
        raise InputError("not a folder", path=out, hint=_NEW)
    if not out.is_dir():
        return set()
    return {entry.name for entry in out.iterdir() if not entry.name.startswith(MARK)}
