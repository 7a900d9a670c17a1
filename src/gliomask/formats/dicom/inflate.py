"""Decompression of the deflated transfer syntax (DICOM PS3.5, A.5) up to a limit.

pydicom and GDCM read such files without a limit on the decompressed size.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import BinaryIO

from pydicom.filebase import DicomBytesIO
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from gliomask.errors import FormatError
from gliomask.formats.limits import FREE_BYTES, MAX_HEADER_BYTES, MAX_RATIO

_RAW = -zlib.MAX_WBITS
_PREAMBLE = bytes(128) + b"DICM"
_FREE_HEADER_BYTES, _HEADER_RATIO = 2**16, 32
"""Headers shrink 5 to 20 times; pydicom needs a second for half a megabyte of empty elements."""


def inflated(stream: BinaryIO, *, header_only: bool) -> BinaryIO | None:
    """Convert a deflated file to explicit VR little endian; return None if it isn't deflated.

    Args:
        stream: the file, at its beginning; rewound if the result is None.
        header_only: decompress no more than a header may need.

    Raises:
        FormatError: the data set is truncated or decompresses beyond the limit.
    """
    read_preamble(stream, force=True)
    meta = _read_file_meta_info(stream)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        stream.seek(0)
        return None
    packed = stream.read()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    start = DicomBytesIO()
    write_file_meta_info(start, meta, enforce_standard=False)
    content = _content(packed, header_only=header_only)
    return BytesIO(_PREAMBLE + start.getvalue() + content)


def _content(packed: bytes, *, header_only: bool) -> bytes:
    most = max(FREE_BYTES, MAX_RATIO * len(packed))
    if header_only:
        most = min(MAX_HEADER_BYTES, _FREE_HEADER_BYTES + _HEADER_RATIO * len(packed))
    inflater = zlib.decompressobj(_RAW)
    content = inflater.decompress(packed, most + 1)
    if header_only:
        return content
    if len(content) > most:
        allowed = f"up to {most} bytes"
        raise FormatError(
            "inflates too far", field="bytes", found=f"more than {most}", allowed=allowed
        )
    if not inflater.eof:
        raise FormatError("truncated: the deflated data set ends too early")
    return content
