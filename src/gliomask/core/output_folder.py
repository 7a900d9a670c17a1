"""Checks of output folders before the work: a result can be written there, and only replaces an
earlier result of the same kind."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from gliomask.core.atomic import MARK, replaceable_folder
from gliomask.errors import ConfigError, InputError, MachineError, option

_NEW = f"use another folder: {option('out')}"


def check_folder(out: Path, hint: str = _NEW) -> None:
    """Refuse an output folder that can't be written to.

    Args:
        out: the folder, which need not exist.
        hint: advice for the user.

    Raises:
        InputError: it or a folder above it is a file, or a link to nothing.
        MachineError: it, or the folder in which it would be created, can't be written to.
    """
    place = next(path for path in (out, *out.absolute().parents) if os.path.lexists(path))
    if not place.exists():
        what = "a link to a folder that does not exist"
        target, create = place.readlink(), f"create it, or {hint}"
        raise InputError(what, path=place, field="target", found=target, hint=create)
    if not place.is_dir():
        raise InputError("not a folder", path=place, hint=hint)
    if not os.access(place, os.W_OK | os.X_OK):
        what = "can't be written to: no permission, or read-only"
        raise MachineError(what, path=place, hint=hint)


def check_absent(out: Path) -> None:
    """Refuse an output folder that exists.

    Raises:
        ConfigError: it exists. InputError, MachineError: see ``check_folder``.
    """
    if out.exists():
        hint = f"choose a folder that does not exist yet: {option('out')}"
        raise ConfigError("the output folder exists already", path=out, hint=hint)
    check_folder(out)


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
        InputError: ``out`` contains something else, or would be replaced together with the working
            directory; see also ``check_folder``.
        MachineError: see ``check_folder``.
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
        InputError: ``out`` is not empty; see also ``check_folder``.
        MachineError: see ``check_folder``.
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
    check_folder(out)
    if not out.is_dir():
        return set()
    return {entry.name for entry in out.iterdir() if not entry.name.startswith(MARK)}
