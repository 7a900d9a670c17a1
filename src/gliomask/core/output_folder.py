"""The guard of output folders: a result replaces an earlier one of its kind, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from gliomask.core.atomic import MARK
from gliomask.errors import InputError, option

_NEW = f"name another folder by {option('out')}"


def check_replaceable(
    out: Path, kind: str, marks: Collection[str], names: Collection[str] | None = None
) -> None:
    """Refuses an output folder unless it is new, empty or holds an earlier result of this kind.

    Args:
        out: the folder, which need not be there.
        kind: of the result, for the error, e.g. ``an evaluation``.
        marks: names of entries of which every such result has at least one.
        names: of all the entries that such a result can have; None for any.

    Raises:
        InputError: ``out`` is a file, or holds something else.
    """
    entries = _entries(out)
    foreign = entries - set(names) if names is not None else set()
    if foreign or (entries and not entries & set(marks)):
        raise InputError(
            f"the folder contains something other than {kind}",
            path=out,
            field="entry",
            found=min(foreign or entries),
            hint=_NEW,
        )


def check_empty(out: Path, hint: str = _NEW, ignored: Collection[str] = ()) -> None:
    """Refuses an output folder that holds anything.

    Args:
        out: the folder, which need not be there.
        hint: what to do where it is not empty.
        ignored: names of entries that don't count.

    Raises:
        InputError: ``out`` is a file, or holds something.
    """
    if entries := _entries(out) - set(ignored):
        what = f"the folder is not empty: it contains {min(entries)}"
        raise InputError(what, path=out, hint=hint)


def _entries(out: Path) -> set[str]:
    """Names of what a folder holds, without what a killed process left half written."""
    if out.exists() and not out.is_dir():
        raise InputError("not a folder", path=out, hint=_NEW)
    if not out.is_dir():
        return set()
    return {entry.name for entry in out.iterdir() if not entry.name.startswith(MARK)}
