"""The text at the beginning of an NRRD or MetaImage file: what kind, and where the data is.

Only what decides whether the file may be read at all is checked; the rest is left to SimpleITK.
Formats: https://teem.sourceforge.net/nrrd/format.html, https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.errors import FormatError
from gliomask.formats.content import opened
from gliomask.formats.itk_pieces import data_files, size_of

_MOST = 2**20
_LOCAL = ("LOCAL", "Local", "local")
_TRUE = ("TRUE", "1")
_SPACES = frozenset(
    ("leftposteriorsuperior", "lps", "leftposteriorsuperiortime", "lpst", "leftanteriorsuperior",
     "las", "rightanteriorsuperior", "ras")
)  # fmt: skip
"""NRRD spaces that SimpleITK reads as what they are, in lower case, without hyphens and spaces. It
takes every other one, also RAS and LAS with time, as left-posterior-superior."""


@dataclass(frozen=True)
class TextHeader:
    """Header fields that decide whether a file may be read.

    Attributes:
        kind: ``NRRD`` or ``MetaImage``.
        fields: its fields, names in lower case.
        data: the files that the voxels are in, in their order; often one.
        stored: bytes of these files.
        packed: whether they are compressed or written as text.
        unoriented: the field that leaves it unknown how the axes lie in the patient; None if they
            are known.
        stream_at: position of a zlib or gzip stream, None if there is none.
    """

    kind: str
    fields: Mapping[str, str]
    data: tuple[Path, ...]
    stored: int
    packed: bool
    unoriented: str | None
    stream_at: int | None


def read_text_header(path: Path) -> TextHeader:
    """The header of a file.

    Raises:
        FormatError: missing, neither format, or data that is not in this file or in its folder.
    """
    with opened(path) as file:
        start = file.read(_MOST)
    return _nrrd(start, path) if start.startswith(b"NRRD000") else _meta(start, path)


def _nrrd(start: bytes, path: Path) -> TextHeader:
    head = re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0]
    place = len(head) + (4 if start[len(head) :].startswith(b"\r") else 2)
    fields = _fields(head.decode("utf-8", "replace"), ":")
    name = fields.get("data file") or fields.get("datafile")
    encoding = fields.get("encoding", "raw").lower()
    skipped = any(f"{what} skip" in fields for what in ("line", "byte"))
    plain = encoding == "raw" and not skipped
    listed = re.split(r"(?m)^data ?file:.*$", head.decode("utf-8", "replace"), maxsplit=1)[-1]
    data = data_files(path, name, listed.splitlines(), plain=plain) if name else (path,)
    stream = (0 if name else place) if encoding in ("gzip", "gz") and not skipped else None
    unoriented = None if "space directions" in fields else "space directions"
    # "space dimension" alone has directions, but it is unknown in what.
    if re.sub("[- ]", "", fields.get("space", "")).lower() not in _SPACES:
        unoriented = "space"
    return TextHeader("NRRD", fields, data, _size(data), encoding != "raw", unoriented, stream)


def _meta(start: bytes, path: Path) -> TextHeader:
    head, separator, rest = start.partition(b"ElementDataFile")
    line, _, _ = rest.partition(b"\n")
    fields = _fields((head + separator + line).decode("utf-8", "replace"), "=")
    if not separator or "ndims" not in fields:
        raise FormatError("neither NRRD nor MetaImage", path=path)
    name = fields["elementdatafile"]
    local = name in _LOCAL
    packed = fields.get("compresseddata", "").upper() in _TRUE
    text = fields.get("binarydata", "True").upper() not in _TRUE
    plain = not packed and not text and fields.get("headersize", "0") == "0"
    listed = rest.decode("utf-8", "replace").splitlines()[1:] if not local else []
    data = (path,) if local else data_files(path, name, listed, plain=plain)
    place = len(head) + len(separator) + len(line) + 1 if local else 0
    return TextHeader(
        "MetaImage", fields, data, _size(data), packed or text, None, place if packed else None
    )


def _fields(text: str, mark: str) -> dict[str, str]:
    pairs = (line.partition(mark) for line in text.splitlines() if not line.startswith("#"))
    return {name.strip().lower(): value.strip() for name, separator, value in pairs if separator}


def _size(data: Sequence[Path]) -> int:
    return sum(map(size_of, data))
