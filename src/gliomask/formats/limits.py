"""Size limits of files, in one table.

Nothing is allocated from a length that a file declares before it has been checked against these.
They are far above any head MRI and far below the capacity of a machine.
"""

from __future__ import annotations

from gliomask.errors import FormatError

MAX_VOXELS = 2**28
"""Voxels of a volume file, all volumes of a 4-D one together (1 GiB as float32)."""
MAX_OFFSET = 2**24
"""Bytes of header and header extensions in front of the voxels."""
DEFLATE_RATIO = 1032
"""Maximum compression ratio of gzip (RFC 1951); a larger one means a wrong header."""
FREE_BYTES = 2**28
"""Up to so many bytes a gzip file may shrink as far as it likes, as empty masks do."""
MAX_RATIO = 200
"""How far a gzip file of more than ``FREE_BYTES`` may be shrunk; images shrink 2 to 10 times."""
MAX_PICTURE_PIXELS = 2**24
"""Pixels of a picture (4096 x 4096)."""
MAX_PICTURES = 2048
"""Slices of a stack of pictures."""
MAX_ENTRIES = 200_000
"""Files and folders in one folder of a data set."""
MAX_TEXT_BYTES = 2**24
"""Bytes of a table (CSV) or a description (JSON) of a data set."""
MAX_DICOM_BYTES = 2**31
"""Bytes of one DICOM file, which may contain a whole series."""
MAX_DICOM_FILES = 100_000
"""Maximal number of DICOM files."""
MAX_FRAMES = 10_000
"""Images in one DICOM file, and of one series."""
MAX_HEADER_BYTES = 2**24
"""Bytes of a DICOM header; a file of ``MAX_FRAMES`` images has about as many."""
MAX_ITEMS = 150_000
"""Items in all sequences of a DICOM file: 8 bytes each there, but a kilobyte in memory."""
MAX_ARCHIVE_ENTRIES = 20_000
"""Files and folders in an archive."""
MAX_ARCHIVE_BYTES = 2**32 - 1
"""Bytes that may be written out of an archive, all files together."""
FREE_ARCHIVE_BYTES = 10 * 2**20
"""Up to so many bytes an archive may shrink as far as it likes; above, no more than MAX_RATIO."""
MAX_NAME_BYTES = 255
"""Bytes of a file's or folder's name in an archive."""
MAX_DEPTH = 32
"""Folders within folders, in an archive or below the folder that DICOM files are looked for in."""


def check_picture_size(rows: int, columns: int, pages: int) -> None:
    """Check that a picture file with this number of pages may be decoded.

    Raises:
        FormatError: its size is none, or too large.
    """
    if not (rows > 0 < columns and rows * columns <= MAX_PICTURE_PIXELS):
        size, allowed = f"{columns} x {rows}", f"1 to {MAX_PICTURE_PIXELS} pixels"
        raise FormatError("impossible size", field="size", found=size, allowed=allowed)
    if rows * columns * pages > MAX_VOXELS:
        size, allowed = f"{columns} x {rows} x {pages}", f"up to {MAX_VOXELS} pixels together"
        raise FormatError("too large a stack", field="size", found=size, allowed=allowed)
