"""One DICOM file, opened without trust: known by its content, checked before it is inflated.

pydicom inflates the deflated transfer syntax without limit, even where only the header is asked
for, and answers damaged bytes with whatever exception these lead it into. Both end here.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from gliomask.errors import FormatError, GliomaskError
from gliomask.formats.content import opened
from gliomask.formats.limits import MAX_DICOM_BYTES

# What pydicom finds odd it logs; what matters of it is refused here, so nothing goes to stderr.
logging.getLogger("pydicom").addHandler(logging.NullHandler())


def read_dataset(path: Path, tags: tuple[str, ...] | None = None) -> Dataset:
    """The data set of a file, with ``file_meta.TransferSyntaxUID`` filled in.

    Args:
        path: of the file; it may lack the preamble.
        tags: keywords of what is read, nothing behind the header; everything if not given.

    Raises:
        FormatError: missing, too large, damaged, no DICOM, or in the deflated transfer syntax.
        MachineError: the disk failed.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size > MAX_DICOM_BYTES:
        allowed = f"up to {MAX_DICOM_BYTES}"
        raise FormatError("too large a file", path=path, field="bytes", found=size, allowed=allowed)
    with opened(path) as stream, decoding(path):
        _refuse_deflated(stream)
        header = tags is not None
        dataset = dcmread(
            stream,
            stop_before_pixels=header,
            force=True,
            specific_tags=list(tags) if tags is not None else None,
        )
        _fill_syntax(dataset)
        return dataset


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Whatever pydicom or a decoder makes of damaged bytes becomes a FormatError with the path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except GliomaskError as problem:
        problem.path = path
        raise
    except (MemoryError, OSError):
        raise  # an OSError is the disk's, and ``opened`` knows what to make of it
    except Exception as problem:
        raise FormatError(f"can't be read as DICOM: {problem}", path=path) from None


def _refuse_deflated(stream: BinaryIO) -> None:
    read_preamble(stream, force=True)
    syntax = _read_file_meta_info(stream).get("TransferSyntaxUID")
    stream.seek(0)
    if syntax == DeflatedExplicitVRLittleEndian:
        raise FormatError(
            "a deflated data set, which may inflate without end",
            field="TransferSyntaxUID",
            found=str(syntax),
            allowed="any other",
            hint="convert it to explicit VR little endian",
        )


def _fill_syntax(dataset: Dataset) -> None:
    """A file without meta information has the syntax that it was found to be written in."""
    if dataset.file_meta.get("TransferSyntaxUID") is None:
        implicit, little = dataset.original_encoding
        if not little:
            raise FormatError("big endian without a transfer syntax")
        syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax
