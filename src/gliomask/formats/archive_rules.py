"""Rules for zip archives, checked on the directory before anything is unpacked.

Refused are names outside the folder or that collide, links and devices, overlapping members (by
which a small archive contains gigabytes), encryption, nested archives, and sizes beyond ``limits``.
Format: PKWARE APPNOTE 6.3.
"""

from __future__ import annotations

import stat
import struct
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Sequence
from typing import BinaryIO
from zipfile import ZipInfo

from gliomask.errors import FormatError
from gliomask.formats.limits import (
    FREE_ARCHIVE_BYTES,
    MAX_ARCHIVE_BYTES,
    MAX_ARCHIVE_ENTRIES,
    MAX_DEPTH,
    MAX_NAME_BYTES,
    MAX_RATIO,
)

_NESTED_NAMES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".tar.gz", ".xz", ".bz2")
_END = struct.Struct("<4s4H2IH")
_END_MAGIC, _END64_MAGIC = b"PK\x05\x06", b"PK\x06\x07"
_END64_BYTES = 20
_END_SEARCH = _END.size + 2**16 + _END64_BYTES
_LOCAL = struct.Struct("<4s22x2H")
_ENCRYPTED = 0x1
_READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DIRECTORY_BYTES = 512


def check_end(stream: BinaryIO) -> None:
    """Check the size of the directory before it is read.

    Raises:
        FormatError: no zip archive, too many entries, or one in the zip64 format.
    """
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END_SEARCH))
    tail = stream.read()
    place = tail.rfind(_END_MAGIC)
    stream.seek(0)
    if place < 0 or len(tail) < place + _END.size:
        raise FormatError("not a zip archive, or truncated")
    _, disk, start, here, entries, length, _, _ = _END.unpack_from(tail, place)
    if tail[max(0, place - _END64_BYTES) : place].startswith(_END64_MAGIC):
        raise FormatError("a zip64 archive, which only more than 4 GiB or 65535 files need")
    if disk or start or here != entries:
        raise FormatError("an archive in several parts")
    if entries > MAX_ARCHIVE_ENTRIES or length > MAX_ARCHIVE_ENTRIES * _DIRECTORY_BYTES:
        count, allowed = max(entries, length // _DIRECTORY_BYTES), f"up to {MAX_ARCHIVE_ENTRIES}"
        raise FormatError("too many files", field="entries", found=count, allowed=allowed)


def check_members(infos: Sequence[ZipInfo], stream: BinaryIO, directory: int) -> None:
    """Check all members.

    Args:
        infos: its entry in the directory.
        stream: the archive.
        directory: position of the directory in it.

    Raises:
        FormatError: the first that breaks a rule; it is named.
    """
    if len(infos) > MAX_ARCHIVE_ENTRIES:
        count, allowed = len(infos), f"up to {MAX_ARCHIVE_ENTRIES}"
        raise FormatError("too many files", field="entries", found=count, allowed=allowed)
    for info in infos:
        _check_member_name(info)
        _check_kind(info)
    folders = [info.filename for info in infos if info.is_dir()]
    check_tree([info.filename for info in infos if not info.is_dir()], folders)
    _check_budget(infos)
    _check_overlap(infos, stream, directory)


def check_name(name: str) -> None:
    """Check that a name with ``/`` between folders is a safe path below the target folder.

    Raises:
        FormatError: it is not.
    """
    parts = name.rstrip("/").split("/")
    if not name.isprintable() or "\\" in name or ":" in name:
        raise _bad_name(name, "letters, digits, blanks and signs, no backslash or colon")
    if not all(part not in ("", ".", "..") for part in parts):
        raise _bad_name(name, "a path below the root")
    longest = max(len(part.encode()) for part in parts)
    if longest > MAX_NAME_BYTES or len(parts) > MAX_DEPTH:
        raise _bad_name(name, f"{MAX_NAME_BYTES} bytes a name, {MAX_DEPTH} folders deep")


def check_tree(files: Sequence[str], folders: Sequence[str] = ()) -> None:
    """Check that paths can coexist on any file system.

    Names must differ in more than capitals or accents, and a file can't be a folder too.

    Raises:
        FormatError: they can't.
    """
    names = [_folded(name) for name in files]
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise FormatError("a name occurs twice", field="name", found=twice)
    inner = {_folded(name) for name in folders}
    for name in names:
        parts = name.split("/")
        inner |= {"/".join(parts[:n]) for n in range(1, len(parts))}
    if both := inner.intersection(names):
        raise FormatError("a file and a folder of one name", field="name", found=min(both))


def _check_member_name(info: ZipInfo) -> None:
    check_name(info.orig_filename)
    if info.orig_filename.lower().endswith(_NESTED_NAMES):
        raise FormatError(
            "an archive in the archive",
            field="name",
            found=info.orig_filename,
            hint="unpack that one yourself",
        )


def _check_kind(info: ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise FormatError("encrypted", field="name", found=info.filename)
    if info.compress_type not in _READ:
        method, allowed = info.compress_type, "0 (stored), 8 (deflated)"
        raise FormatError(
            "a compression that isn't read", field="method", found=method, allowed=allowed
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG):
        raise FormatError("a link or device", field="name", found=info.filename)


def _check_budget(infos: Sequence[ZipInfo]) -> None:
    total, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
    if total > MAX_ARCHIVE_BYTES:
        allowed = f"up to {MAX_ARCHIVE_BYTES}"
        raise FormatError("too large unpacked", field="bytes", found=total, allowed=allowed)
    if total > FREE_ARCHIVE_BYTES and total > packed * MAX_RATIO:
        ratio, allowed = total // max(1, packed), f"up to {MAX_RATIO}"
        raise FormatError("decompresses too far", field="ratio", found=ratio, allowed=allowed)


def _check_overlap(infos: Sequence[ZipInfo], stream: BinaryIO, directory: int) -> None:
    """Check that members do not overlap and end before the directory."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        stream.seek(info.header_offset)
        header = stream.read(_LOCAL.size)
        if info.header_offset < end or len(header) < _LOCAL.size:
            raise FormatError("members overlap", field="name", found=info.filename)
        _, name, extra = _LOCAL.unpack(header)
        end = info.header_offset + _LOCAL.size + name + extra + info.compress_size
    if end > directory:
        raise FormatError("a member runs into the directory", field="bytes", found=end)


def _bad_name(name: str, allowed: str) -> FormatError:
    return FormatError("a name that isn't allowed", field="name", found=name, allowed=allowed)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.rstrip("/")).casefold()
