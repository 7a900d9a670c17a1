"""FreeSurfer's MGH and MGZ to arrays and back, through nibabel.

Format: https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat
"""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.freesurfer.mghformat import MGHError, MGHHeader

from gliomask.core.atomic import atomic_path
from gliomask.core.volume import Affine, FloatArray
from gliomask.errors import FormatError
from gliomask.formats.content import check_room, read_start, read_whole
from gliomask.formats.limits import MAX_VOXELS
from gliomask.formats.numbers import intensities, label_numbers
from gliomask.formats.volume_header import VolumeHeader, usable_affine

_HEADER_BYTES = 90
"""Of the fields; the voxels begin at ``_OFFSET``."""
_OFFSET = 284
_TYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
_COMPRESSION = 4


def files(path: Path) -> tuple[Path, ...]:
    """The file itself."""
    return (path,)


def read_header(path: Path) -> VolumeHeader:
    """The grid of a file, without reading its voxels.

    Raises:
        FormatError: missing, not MGH, or a header that can't be true or can't be used.
    """
    return _header(path)[0]


def read_volumes(path: Path) -> tuple[FloatArray, Affine]:
    """All volumes of a file (I, J, K, N), float32, finite, and its affine.

    Raises:
        FormatError: as ``read_header``; truncated, damaged; NaN or infinite voxels.
    """
    header, voxels = _read(path)
    return intensities(voxels, path), header.affine


def read_labels(path: Path) -> tuple[npt.NDArray[np.integer], Affine]:
    """A label volume (I, J, K) of whole numbers, and its affine.

    Raises:
        FormatError: as ``read_volumes``; several volumes; a voxel that is not a whole number.
    """
    header, voxels = _read(path)
    header.check_single(path)
    return label_numbers(voxels[..., 0], path), header.affine


def write_volume(path: Path, array: npt.NDArray[Any], affine: Affine, note: str = "") -> None:
    """Write a volume (I, J, K) atomically; the format has no field for a note.

    Args:
        path: ends in ``.mgh``, or ``.mgz`` for a compressed file.
        array: uint8, int16, int32 or float32.
        affine: (4, 4), voxel index to RAS+ millimetres; without shear.
        note: not written.
    """
    content = nib.MGHImage(array, affine).to_bytes()
    if path.suffix.lower() == ".mgz":
        content = gzip.compress(content, _COMPRESSION, mtime=0)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _header(path: Path) -> tuple[VolumeHeader, np.dtype[Any]]:
    start = read_start(path, _OFFSET)
    if len(start) < _OFFSET or start[:4] != b"\0\0\0\1":
        raise FormatError("not an MGH file", path=path)
    try:
        raw = MGHHeader(start[:_HEADER_BYTES].ljust(MGHHeader.template_dtype.itemsize, b"\0"))
        matrix = raw.get_affine()
    except (MGHError, ValueError) as problem:
        raise FormatError(f"an unusable MGH header: {problem}", path=path) from None
    dims, code = [int(n) for n in raw["dims"]], int(raw["type"])
    if min(dims) < 1 or math.prod(dims) > MAX_VOXELS:
        allowed = f"1 and more, up to {MAX_VOXELS} voxels together"
        raise FormatError("impossible size", path=path, field="dims", found=dims, allowed=allowed)
    if code not in _TYPES:
        allowed = ", ".join(str(known) for known in _TYPES)
        raise FormatError("unusable type", path=path, field="type", found=code, allowed=allowed)
    dtype = np.dtype(_TYPES[code])
    check_room(path, _OFFSET + math.prod(dims) * dtype.itemsize)
    affine = usable_affine(matrix, "Mdc", path)
    return VolumeHeader((dims[0], dims[1], dims[2]), affine, dims[3]), dtype


def _read(path: Path) -> tuple[VolumeHeader, npt.NDArray[Any]]:
    header, dtype = _header(path)
    count = math.prod(header.shape) * header.volumes
    content = read_whole(path, _OFFSET + count * dtype.itemsize)
    flat = np.frombuffer(content, dtype, count, offset=_OFFSET)
    return header, flat.reshape((*header.shape, header.volumes), order="F")
