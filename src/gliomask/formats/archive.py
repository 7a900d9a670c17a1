"""Unpacking of zip archives.

An archive is untrusted. Its directory is checked before a byte is written (``archive_rules``),
written bytes are counted, and the files go to a new folder that is removed after use.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from gliomask.core.identity import safe_name
from gliomask.errors import FormatError, GliomaskError, MachineError
from gliomask.formats.archive_rules import check_end, check_members
from gliomask.formats.content import opened
from gliomask.formats.limits import MAX_ARCHIVE_BYTES

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_NESTED = (b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!", b"\xfd7zXZ", b"BZh")
_CHUNK = 2**20


UNPACK = "unpack it and give the folder that it was unpacked to"
"""Hint where an archive is no input."""


def is_archive(path: Path) -> bool:
    """Return True if a file has the signature of a zip archive; False if it can't be read."""
    try:
        with opened(path) as stream:
            return stream.read(4) in _MAGIC
    except FormatError:
        return False


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack an archive to a folder of the same name, which is removed afterwards.

    A folder is given as it is.

    Raises:
        FormatError: no archive, damaged, or one that breaks a rule; nothing is left behind.
        MachineError: the disk failed or is full.
    """
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="gliomask-") as place:
        folder = Path(place) / safe_name(path.stem)
        folder.mkdir()
        extract(path, folder)
        yield folder


@contextmanager
def all_unpacked(paths: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """Paths with each archive among them as a folder, see ``unpacked``; all others as they are."""
    with ExitStack() as stack:
        yield tuple(
            stack.enter_context(unpacked(path)) if is_archive(path) else path for path in paths
        )


def extract(archive: Path, folder: Path) -> tuple[Path, ...]:
    """Unpack an archive.

    Args:
        archive: a zip file.
        folder: an empty folder to write to. After an error, what was written by then is removed.

    Returns:
        the files, in the order of the archive.

    Raises:
        FormatError: see ``unpacked``.
        MachineError: the disk failed or is full.
    """
    with opened(archive) as stream, _unpacking(archive):
        check_end(stream)
        with ZipFile(stream) as members:
            infos = members.infolist()
            check_members(infos, stream, members.start_dir)
            try:
                return _write_all(members, infos, folder)
            except BaseException:
                _empty(folder)
                raise


def _write_all(members: ZipFile, infos: Sequence[ZipInfo], folder: Path) -> tuple[Path, ...]:
    written, left = [], MAX_ARCHIVE_BYTES
    for info in infos:
        path = folder.joinpath(*info.filename.rstrip("/").split("/"))
        if info.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        left -= _write(members, info, path, left)
        written.append(path)
    return tuple(written)


def _write(members: ZipFile, info: ZipInfo, path: Path, left: int) -> int:
    """Write one member and return its size; its checksum is verified at the end."""
    count = 0
    with members.open(info) as source, path.open("xb") as target:
        while chunk := source.read(_CHUNK):
            if not count and chunk.startswith(_NESTED):
                raise FormatError("an archive in the archive", field="name", found=info.filename)
            count += len(chunk)
            if count > min(left, info.file_size):
                raise FormatError("longer than declared", field="name", found=info.filename)
            target.write(chunk)
    if count < info.file_size:
        raise FormatError("shorter than declared", field="name", found=info.filename)
    return count


@contextmanager
def _unpacking(archive: Path) -> Iterator[None]:
    try:
        yield
    except GliomaskError as problem:
        problem.path = archive
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError) as problem:
        raise FormatError(f"a damaged archive: {problem}", path=archive) from None
    except (NotImplementedError, RuntimeError) as problem:
        raise FormatError(f"an archive that can't be read: {problem}", path=archive) from None
    except OSError as problem:
        raise MachineError(f"can't be unpacked: {problem.strerror}", path=archive) from None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
