"""Reading of the bytes of a file, decompressed if it is gzip, up to a given size.

A gzip stream is always read to its end, where its checksum is: a reader that stops at the last
voxel does not detect damage.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from gliomask.errors import FormatError, MachineError
from gliomask.formats.limits import DEFLATE_RATIO, FREE_BYTES, MAX_RATIO, MAX_TEXT_BYTES

_CHUNK = 2**20
_STAND_INS = MappingProxyType(
    {
        b"version https://git-lfs": ("a pointer of Git LFS", "fetch it by git lfs pull"),
        b"/annex/objects/": ("a pointer of git-annex", "fetch it by git annex get"),
        b"<!doctype html": ("a web page", "download it again"),
        b"<html": ("a web page", "download it again"),
    }
)
"""Beginnings of files that stand for others -> what they are, and what to do."""
_LONGEST_MARK = 64
_GZIP_MAGIC = b"\x1f\x8b"


def read_start(path: Path, count: int) -> bytes:
    """The first ``count`` bytes of the content, fewer if there are fewer.

    Raises:
        FormatError: no such file, or its gzip stream is damaged within these bytes.
        MachineError: the disk failed.
    """
    with _content(path) as stream:
        return stream.read(count)


def read_whole(path: Path, size: int) -> bytearray:
    """The first ``size`` bytes of the content, which it must have. A gzip checksum is checked.

    Following bytes (padding, a trailer) are skipped, because the checksum of a gzip stream is at
    its end.

    Raises:
        FormatError: missing, truncated, damaged, or much longer than ``size``.
        MachineError: the disk failed.
    """
    content, past = bytearray(), 0
    with _content(path) as stream:
        while chunk := _next(stream, size - len(content)):
            if len(content) < size:
                content += chunk
            elif (past := past + len(chunk)) > FREE_BYTES:
                raise FormatError(f"contains far more than the {size} expected bytes", path=path)
    if len(content) < size:
        raise FormatError(f"truncated: {len(content)} of {size} bytes", path=path)
    return content


def _next(stream: BinaryIO | gzip.GzipFile, needed: int) -> bytes:
    """Up to so many bytes; after them whatever follows, which need be no gzip member."""
    try:
        return stream.read(min(needed, _CHUNK) or _CHUNK)
    except gzip.BadGzipFile as problem:
        if not needed and str(problem).startswith("Not a gzipped file"):
            return b""
        raise


def read_text(path: Path) -> str:
    """A small text file: UTF-8 with or without a byte-order mark, or UTF-16 with one.

    Raises:
        FormatError: missing, too large for a description or table, or in another encoding.
        MachineError: the disk failed.
    """
    with opened(path) as file:
        content = file.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        raise FormatError(f"more than {MAX_TEXT_BYTES} bytes of text", path=path)
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as problem:
        what, hint = f"not UTF-8 text at byte {problem.start}", "save it as UTF-8"
        raise FormatError(what, path=path, hint=hint) from None


def check_room(path: Path, size: int) -> None:
    """Check that a file can contain ``size`` bytes, before any of them are read.

    Raises:
        FormatError: the file is too small for it, or so small that it is a bomb.
    """
    with opened(path) as stream:
        packed = stream.read(2) == _GZIP_MAGIC
    check_packing(path, path.stat().st_size, size, packed=packed)


def check_packing(path: Path, stored: int, size: int, *, packed: bool) -> None:
    """Check that ``stored`` bytes of a file can contain ``size`` bytes of content.

    Raises:
        FormatError: they can't, or so many that it is a bomb.
    """
    if size > stored * (DEFLATE_RATIO if packed else 1):
        raise FormatError(f"truncated: {stored} bytes can't hold the {size} it needs", path=path)
    if packed and size > FREE_BYTES and size > stored * MAX_RATIO:
        allowed = f"up to {MAX_RATIO} above {FREE_BYTES} bytes"
        ratio = size // stored
        raise FormatError(
            "decompresses too far", path=path, field="ratio", found=ratio, allowed=allowed
        )


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading; failures of the system become errors of ours.

    Raises:
        FormatError: it isn't there, is a folder, may not be read, or stands for another file.
        MachineError: the disk failed.
    """
    try:
        with path.open("rb") as file:
            _check_stand_in(file.read(_LONGEST_MARK), path)
            file.seek(0)
            yield file
    except FileNotFoundError:
        raise FormatError("no such file", path=path) from None
    except (IsADirectoryError, NotADirectoryError, PermissionError) as problem:
        raise FormatError(f"can't be opened: {problem.strerror}", path=path) from None
    except OSError as problem:
        raise MachineError(f"can't be read: {problem.strerror}", path=path) from None


def _check_stand_in(start: bytes, path: Path) -> None:
    """Check that a file is not one that download tools leave in the place of another."""
    for mark, (what, hint) in _STAND_INS.items():
        if start.lower().lstrip().startswith(mark):
            raise FormatError(f"{what} instead of the file", path=path, hint=hint)


@contextmanager
def _content(path: Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    """The content as a stream. gzip is recognised by its first bytes, not by the name."""
    with opened(path) as file:
        packed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        try:
            yield gzip.GzipFile(fileobj=file) if packed else file
        except EOFError:
            raise FormatError("truncated: the gzip stream ends too early", path=path) from None
        except (gzip.BadGzipFile, zlib.error) as problem:
            raise FormatError(f"damaged gzip stream: {problem}", path=path) from None
