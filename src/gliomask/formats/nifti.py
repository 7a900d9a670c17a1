"""Safe reading and writing of NIfTI files.

Reading checks the header before it allocates and the gzip checksum before it returns. Writing is
atomic and stores the affine in both sform and qform, so that all tools read the same.
"""

from __future__ import annotations

import gzip
import math
import re
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

from gliomask.core.atomic import atomic_path
from gliomask.core.volume import Affine, FloatArray
from gliomask.errors import FormatError
from gliomask.formats.content import check_room, read_start, read_whole
from gliomask.formats.nifti_header import (
    HEADER_BYTES,
    UNSCALED,
    NiftiHeader,
    forms_agree,
    parse_header,
)
from gliomask.formats.numbers import check_finite, pick_volume, to_float32, whole_numbers

_ENDINGS = (".nii", ".nii.gz")
_WRITABLE = ("uint8", "int16", "float32")
_SCANNER = 1
_COMPRESSION = 4


def read_header(path: Path) -> NiftiHeader:
    """Header of a file, without its voxels; later damage is not detected.

    Raises:
        FormatError: missing, not NIfTI, or a header that can't be true or can't be used.
    """
    return located(path)[0]


def read_nifti(path: Path, volume: int | None = None) -> tuple[FloatArray, Affine]:
    """A volume's intensities (I, J, K), scaled as its header says, finite, and its affine.

    Args:
        path: a ``.nii`` or ``.nii.gz`` file, or either half of a ``.hdr``/``.img`` pair; NIfTI-1
            or NIfTI-2.
        volume: which one of a 4-D file, from 0. A 3-D file has only volume 0.

    Raises:
        FormatError: damaged, truncated, an impossible header, unknown orientation, a 4-D file
            without a choice, no such volume, NaN or infinite voxels.
    """
    volumes, affine = read_nifti_volumes(path)
    return pick_volume(volumes, volume, path), affine


def read_nifti_volumes(path: Path) -> tuple[FloatArray, Affine]:
    """All volumes of a file (I, J, K, N), float32, finite, and its affine; see ``read_nifti``."""
    header, stored = _read(path)
    with np.errstate(over="ignore", invalid="ignore"):  # overflows are detected below
        scaled = stored if header.scaling == UNSCALED else _scaled(stored, header)
    numbers = to_float32(scaled)
    check_finite(numbers if header.volumes > 1 else numbers[..., 0], path)
    return numbers, header.affine


def read_nifti_labels(path: Path) -> tuple[npt.NDArray[np.integer], Affine]:
    """A label volume (I, J, K) of whole numbers, and its affine.

    Raises:
        FormatError: as ``read_nifti``, and for a voxel that is not a whole number.
    """
    header, voxels = _read(path)
    header.check_single(path)
    stored = voxels[..., 0]
    if header.scaling == UNSCALED and stored.dtype.kind in "iu":
        return stored.astype(stored.dtype.newbyteorder("=")), header.affine
    with np.errstate(over="ignore", invalid="ignore"):  # overflows are detected below
        numbers = _scaled(stored, header)
    step = header.scaling[0] if stored.dtype.kind in "iu" else 0.0
    return whole_numbers(numbers, path, step), header.affine


def write_nifti(path: Path, array: npt.NDArray[Any], affine: Affine, description: str = "") -> None:
    """Write a volume atomically.

    The affine goes to the sform, and to the qform too unless a qform can't express it (shear).
    It is read back in float32: exactly, if it came from a NIfTI file.

    Args:
        path: ends in ``.nii`` or ``.nii.gz``.
        array: (I, J, K) or (I, J, K, N); uint8, int16 or float32, kept as it is.
        affine: (4, 4), voxel index to RAS+ millimetres.
        description: up to 79 bytes of text for the header.

    Raises:
        ValueError: another suffix, shape or type, or a longer description.
    """
    if not path.name.endswith(_ENDINGS):
        raise ValueError(f"{path.name} does not end in .nii or .nii.gz")
    if array.ndim not in (3, 4) or array.dtype not in _WRITABLE:
        raise ValueError(f"{array.dtype} of shape {array.shape} can't be written")
    if len(description.encode()) > 79:
        raise ValueError(f"description longer than 79 bytes: {description!r}")
    image = nib.Nifti1Image(array, None)
    image.header["descrip"] = description.encode()
    image.header.set_xyzt_units("mm")
    image.set_qform(affine, _SCANNER)
    image.set_sform(affine, _SCANNER)
    if not forms_agree(image.get_sform(), image.get_qform()):
        image.set_qform(None, 0, update_affine=False)
    content = image.to_bytes()
    if path.suffix == ".gz":
        content = gzip.compress(content, _COMPRESSION, mtime=0)  # same content, same bytes
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def files(path: Path) -> tuple[Path, ...]:
    """The file itself, or both halves of a pair.

    Raises:
        FormatError: as ``read_header``, for one of a pair.
    """
    if path.name.lower().endswith(_ENDINGS):
        return (path,)
    head = _other_half(path, ".hdr") if _is_img(path) else path
    return tuple(dict.fromkeys((path, head, located(path)[1])))


def located(path: Path) -> tuple[NiftiHeader, Path]:
    """The header of a file or pair, and the file that its voxels are in.

    Raises:
        FormatError: as ``read_header``.
    """
    head = _other_half(path, ".hdr") if _is_img(path) else path
    header = parse_header(read_start(head, HEADER_BYTES), head)
    data = head
    if header.paired:
        data = path if _is_img(path) else _other_half(path, ".img")
    check_room(data, header.total_bytes)
    return header, data


def _is_img(path: Path) -> bool:
    return path.name.lower().endswith((".img", ".img.gz"))


def _other_half(path: Path, ending: str) -> Path:
    """The file of a pair that goes with this one, compressed or not."""
    bare = re.sub(r"\.(hdr|img)(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    names = [f"{bare}{end}{gz}" for end in (ending, ending.upper()) for gz in ("", ".gz")]
    halves = [path.with_name(name) for name in names]
    other_half = next((half for half in halves if half.is_file()), None)
    if other_half is None:
        what, hint = "one half of a .hdr/.img pair", f"put {halves[0].name} into the same folder"
        raise FormatError(what, path=path, hint=hint)
    return other_half


def _read(path: Path) -> tuple[NiftiHeader, npt.NDArray[Any]]:
    """Header and voxels as stored (I, J, K, N), after the whole file was read and checked."""
    header, data = located(path)
    content = read_whole(data, header.total_bytes)
    count = math.prod(header.shape) * header.volumes
    flat = np.frombuffer(content, header.dtype, count, offset=header.offset)
    return header, flat.reshape((*header.shape, header.volumes), order="F")


def _scaled(stored: npt.NDArray[Any], header: NiftiHeader) -> npt.NDArray[np.float64]:
    slope, intercept = header.scaling
    scaled: npt.NDArray[np.float64] = stored.astype(np.float64) * slope + intercept
    return scaled


# Common interface of ``formats.volumes``.
read_volumes, read_labels, write_volume = read_nifti_volumes, read_nifti_labels, write_nifti
