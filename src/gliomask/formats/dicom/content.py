"""Safe opening of a DICOM file: checked before it is decompressed or parsed.

pydicom decompresses the deflated transfer syntax without limit, also for a header only, so
``inflate`` does that; it needs half a minute for eight megabytes of empty items, and raises
arbitrary exceptions for damaged bytes. This module handles all of these.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from gliomask.errors import FormatError, GliomaskError
from gliomask.formats.content import opened
from gliomask.formats.dicom.inflate import inflated
from gliomask.formats.limits import MAX_DICOM_BYTES, MAX_HEADER_BYTES, MAX_ITEMS

# pydicom logs irregularities; relevant ones are refused here, so nothing goes to stderr.
logging.getLogger("pydicom").addHandler(logging.NullHandler())

_CHUNK = 2**20
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
"""The tag of an item, in either byte order."""


def read_dataset(path: Path, tags: tuple[str, ...] | None = None) -> Dataset:
    """The data set of a file, with ``file_meta.TransferSyntaxUID`` filled in.

    Args:
        path: of the file; it may lack the preamble.
        tags: keywords of what is read, nothing behind the header; everything if not given.

    Raises:
        FormatError: missing, too large, damaged, no DICOM, or deflated beyond bounds.
        MachineError: the disk failed.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size > MAX_DICOM_BYTES:
        allowed = f"up to {MAX_DICOM_BYTES}"
        raise FormatError("too large a file", path=path, field="bytes", found=size, allowed=allowed)
    with opened(path) as file, decoding(path):
        plain = inflated(file, header_only=tags is not None)
        stream = plain or file
        _refuse_crowd(stream)
        if tags is None:
            dataset = dcmread(stream, force=True)
        else:
            header = cast(BinaryIO, _Header(stream))
            dataset = dcmread(header, stop_before_pixels=True, force=True, specific_tags=list(tags))
        _fill_syntax(dataset)
        if plain:
            dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        return dataset


class _Header:
    """A stream that ends with an error when more is read of it than a header may have.

    What is skipped over doesn't count, as large private elements are.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._left = MAX_HEADER_BYTES
        self.seek, self.tell = stream.seek, stream.tell
        self._read = stream.read

    def read(self, size: int = -1) -> bytes:
        content = self._read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            actual, allowed = f"more than {MAX_HEADER_BYTES}", f"up to {MAX_HEADER_BYTES}"
            raise FormatError("too long a header", field="bytes", found=actual, allowed=allowed)
        return content


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Convert any exception of pydicom or a decoder to a FormatError with the path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except GliomaskError as problem:
        problem.path = path
        raise
    except (MemoryError, OSError):
        raise  # an OSError is a disk error, which ``opened`` converts
    except Exception as problem:
        raise FormatError(f"can't be read as DICOM: {problem}", path=path) from None


def _refuse_crowd(stream: BinaryIO) -> None:
    """Counts what may be items, pixels included: four bytes that these hardly ever contain."""
    count, rest = 0, b""
    while chunk := stream.read(_CHUNK):
        count += sum((rest + chunk).count(item) for item in _ITEMS)
        rest = chunk[-3:]
    stream.seek(0)
    if count > MAX_ITEMS:
        raise FormatError(
            "too many items", field="items", found=count, allowed=f"up to {MAX_ITEMS}"
        )


def _fill_syntax(dataset: Dataset) -> None:
    """Transfer syntax of a file without meta information, determined from its content."""
    if dataset.file_meta.get("TransferSyntaxUID") is None:
        implicit, little = dataset.original_encoding
        if not little:
            raise FormatError("big endian without a transfer syntax")
        syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax
