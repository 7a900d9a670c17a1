"""Atomic writing: a file or folder is complete under its final name, or does not exist.

It is written under a temporary name in the same folder and renamed. The temporary name keeps the
suffix, because many writers choose the format by it.

A file is flushed to the disk before it is renamed. The files of a folder are not: that would take
longer than writing them where there are thousands, as in a store. So a folder is complete whenever
its process is killed, but after a power cut its newest files may be empty.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gliomask.errors import ConfigError, InputError, MachineError, machine_error, option

MARK = ".writing-"
"""Prefix of temporary names, so that readers can skip the files of killed processes."""


@contextmanager
def atomic_path(final: Path) -> Iterator[Path]:
    """Provide a temporary path in the folder of ``final``; rename it to ``final`` if the block
    succeeds.

    An existing file stays until the rename. If the block raises, the temporary file is removed and
    ``final`` is not changed.

    Args:
        final: path of the file; its folder is created if it is missing.

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
def atomic_folder(final: Path, *, replace: bool = True) -> Iterator[Path]:
    """A temporary folder, which gets its final name if the block succeeds.

    An existing folder is renamed, replaced, and then removed; a link to a folder stays.

    Args:
        final: path of the folder.
        replace: if False, nothing is replaced, not even what another process creates at this path
            while the block runs.

    Raises:
        InputError: it contains the working directory, see ``replaceable_folder``.
        ConfigError: it exists and must not be replaced.
        MachineError: it can't be written.
    """
    final = replaceable_folder(final) if replace else final
    token = uuid.uuid4().hex[:12]
    temporary = final.with_name(f"{MARK}{token}-{final.name[-80:]}")
    replaced = final.with_name(f"{MARK}{token}-old")
    with writing(final, temporary):
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        try:
            yield temporary
            if not replace:
                _claim(final)
            elif final.exists():
                final.replace(replaced)
            temporary.replace(final)
            _flush(final.parent)
            shutil.rmtree(replaced, ignore_errors=True)
        finally:
            if replaced.exists() and not final.exists():
                replaced.replace(final)
            shutil.rmtree(temporary, ignore_errors=True)


def _claim(final: Path) -> None:
    """Create an empty folder, onto which a folder can be renamed.

    Of several processes only one succeeds; renaming alone would replace an empty folder.
    """
    try:
        final.mkdir()
    except FileExistsError:
        what = "exists already, and is not replaced"
        raise ConfigError(what, path=final, hint="use another name") from None


def replaceable_folder(final: Path) -> Path:
    """The folder that a path leads to, with its links followed.

    Raises:
        InputError: it is the working directory or contains it: replacing it would leave the user's
            shell in a deleted folder.
    """
    real = final.resolve()
    with suppress(FileNotFoundError):  # the shell is in a deleted folder already
        _check_elsewhere(final, real)
    return real


def _check_elsewhere(final: Path, real: Path) -> None:
    if Path.cwd().is_relative_to(real):
        what = "the working directory would be replaced"
        raise InputError(what, path=final, hint=f"use another folder: {option('out')}")


@contextmanager
def writing(final: Path, temporary: Path | None = None) -> Iterator[None]:
    """Convert an OSError in the block into a MachineError that names the file being written.

    Errors with another path (an input that can't be read) keep it.

    Args:
        final: the file being written.
        temporary: its temporary name, which is not shown in errors.

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
    """Write UTF-8 text to ``final`` atomically.

    Text that UTF-8 can't encode (undecodable bytes of a file name) is escaped.
    """
    with atomic_path(final) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
