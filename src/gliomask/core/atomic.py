"""A file or folder appears whole under its final name, or not at all.

It is written under a temporary name in the same folder, flushed to the disk and renamed. The
temporary name keeps the suffix, because many writers choose the format by it.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gliomask.errors import MachineError, machine_error

MARK = ".writing-"
"""Every temporary name begins with this, so that readers can skip what a killed process left."""


@contextmanager
def atomic_path(final: Path) -> Iterator[Path]:
    """Gives a temporary path beside ``final``; renames it to ``final`` when the block succeeds.

    What stood at ``final`` stays until the rename and is replaced by it. When the block raises,
    the temporary file is removed and ``final`` is untouched.

    Args:
        final: where the file is to stand; its folder is made if it is missing.

    Yields:
        a path in the same folder with the same suffix, which the block must create as a file.

    Raises:
        MachineError: it can't be written.
    """
    temporary = final.with_name(f"{MARK}{uuid.uuid4().hex[:12]}-{final.name[-80:]}")
    with writing(final, temporary):
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _flush(temporary)
            temporary.replace(final)
            _flush(final.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(final: Path) -> Iterator[Path]:
    """The same for a whole folder: it takes its name when the block succeeds.

    A folder that stood at ``final`` is moved aside, replaced, and then removed.

    Raises:
        MachineError: it can't be written.
    """
    token = uuid.uuid4().hex[:12]
    temporary = final.with_name(f"{MARK}{token}-{final.name[-80:]}")
    replaced = final.with_name(f"{MARK}{token}-old")
    with writing(final, temporary):
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        try:
            yield temporary
            if final.exists():
                final.replace(replaced)
            temporary.replace(final)
            _flush(final.parent)
            shutil.rmtree(replaced, ignore_errors=True)
        finally:
            if replaced.exists() and not final.exists():
                replaced.replace(final)
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def writing(final: Path, temporary: Path | None = None) -> Iterator[None]:
    """Turns the system's errors in the block into one that names what was being written.

    Errors that name a path elsewhere (an input that can't be read) keep it.

    Args:
        final: what is being written.
        temporary: the name that it has meanwhile, which no error shows.

    Raises:
        MachineError: the system failed.
    """
    try:
        yield
    except MachineError as problem:
        problem.path = _final(problem.path, final, temporary)
        raise
    except OSError as problem:
        error = machine_error(problem, final)
        error.path = _final(error.path, final, temporary)
        raise error from problem


def _final(path: str | Path | None, final: Path, temporary: Path | None) -> str | Path | None:
    """The path with the final name in place of the temporary one."""
    if path is None or temporary is None or not Path(path).is_relative_to(temporary):
        return path
    return final / Path(path).relative_to(temporary)


def write_text(final: Path, text: str) -> None:
    """Writes UTF-8 text to ``final``, whole or not at all.

    What UTF-8 can't hold (the undecodable bytes of a file's name) is escaped.
    """
    with atomic_path(final) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
