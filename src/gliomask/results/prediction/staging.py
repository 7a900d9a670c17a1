"""Atomic writing of several files."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gliomask.core.atomic import MARK, writing
from gliomask.core.output_folder import check_folder


@contextmanager
def staged(out: Path, record: str, stale: Iterable[str] = ()) -> Iterator[Path]:
    """Creates an empty folder; its contents move into ``out`` when the block succeeds.

    Files and folders of the same names in ``out`` are replaced, all others stay. When the block
    raises, nothing of it remains; an ``out`` that was not there before is not there after.

    A process that is killed between two of the moves leaves no record, neither the old nor the new
    one, so a mixture of old and new files is never complete.

    Args:
        out: the folder; made if it is missing.
        record: name of the file that marks the others as complete: its predecessor in ``out`` is
            removed before the first move, and it moves last.
        stale: names in ``out`` that are of an older result; they go with its record.

    Raises:
        InputError: ``out`` is a file, or a link to nothing.
        MachineError: the files can't be written.
    """
    check_folder(out)
    created = not out.exists()
    folder = out / f"{MARK}{uuid.uuid4().hex[:12]}"
    with writing(out, folder):
        folder.mkdir(parents=True)
        try:
            yield folder
            (out / record).unlink(missing_ok=True)
            for name in stale:
                remove(out / name)
            for entry in sorted(folder.iterdir(), key=lambda entry: (entry.name == record, entry)):
                _move(entry, out / entry.name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if created and not any(out.iterdir()):
                out.rmdir()


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    if target.is_dir():  # a folder can't be replaced by a rename
        old = source.with_name(f"{source.name}-old")
        target.replace(old)
    source.replace(target)
