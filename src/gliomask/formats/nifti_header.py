"""Parsing and validation of the header of a NIfTI file.

It is checked before anything is allocated, because 66 bytes can declare a volume of a gigabyte. If
the header does not define left and right, the file is refused. Format:
https://nifti.nimh.nih.gov/nifti-1 and /nifti-2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from gliomask.core.geometry import spacing_mm
from gliomask.core.volume import Affine
from gliomask.errors import FormatError
from gliomask.formats.limits import MAX_OFFSET, MAX_VOXELS
from gliomask.formats.volume_header import VolumeHeader, affine_text, usable_affine

HEADER_BYTES = 540
"""Enough of a file for either version's header (348 and 540 bytes)."""
DIRECTION_TOLERANCE = 2e-3
"""How far sform and qform may differ in direction and spacing, as a share of the voxel size.
A rotation near a half turn loses up to 1.2e-3 when its quaternion is rounded to float32."""
ORIGIN_TOLERANCE = 1e-2
"""How far they may differ in the origin, as a share of the voxel size."""

UNSCALED = (1.0, 0.0)
"""Slope and intercept of voxels that are stored as they are meant."""

_VERSIONS: dict[int, Any] = {
    348: (nib.Nifti1Header, slice(344, 348), (b"n+1\0", b"ni1\0")),
    540: (nib.Nifti2Header, slice(4, 8), (b"n+2\0", b"ni2\0")),
}
_DTYPES = dict(
    zip(
        (2, 4, 8, 16, 64, 256, 512, 768, 1024, 1280),
        ("u1", "i2", "i4", "f4", "f8", "i1", "u2", "u4", "i8", "u8"),
        strict=True,
    )
)
_COMPLEX, _COLOUR = (32, 1792, 2048), (128, 2304)
_MM_OF_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}
"""Code of the unit of length (metre, millimetre, micrometre) -> millimetres; others are unknown,
and millimetres then."""


@dataclass(frozen=True, eq=False)
class NiftiHeader(VolumeHeader):
    """Relevant fields of a header.

    Attributes:
        dtype: of the voxels in the file, byte order included.
        offset: bytes in front of the voxels.
        scaling: (slope, intercept): intensity = slope * stored + intercept.
        paired: the voxels are in another file, ``.img`` for ``.hdr``.
    """

    dtype: np.dtype[Any]
    offset: int
    scaling: tuple[float, float]
    paired: bool

    @property
    def total_bytes(self) -> int:
        """Length of the whole content: header, extensions and voxels."""
        return self.offset + math.prod(self.shape) * self.volumes * self.dtype.itemsize


def parse_header(start: bytes, path: Path) -> NiftiHeader:
    """The header, from the first ``HEADER_BYTES`` of a file's content.

    Raises:
        FormatError: the first thing that is wrong, with the field, what was found and is allowed.
    """
    raw = _fields(start, path)
    try:
        shape, volumes = _sizes(raw)
        paired = raw["magic"].item()[:2] == b"ni"
        offset = _offset(raw, 0 if paired else int(raw["sizeof_hdr"]) + 4)
        return NiftiHeader(shape, _affine(raw), volumes, _dtype(raw), offset, _scaling(raw), paired)
    except FormatError as problem:
        problem.path = path
        raise


def _fields(start: bytes, path: Path) -> Any:
    """nibabel's view of the fields in either version and byte order, not checked yet."""
    sizes = {int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big")}
    size = next(iter(sizes & _VERSIONS.keys()), None)
    if size is None:
        raise FormatError("not a NIfTI file" if start else "empty file", path=path)
    if len(start) < size:
        raise FormatError(f"truncated: {len(start)} of the header's {size} bytes", path=path)
    header, place, magics = _VERSIONS[size]
    if start[place] == b"\0\0\0\0" and size == 348:
        hint = "convert it to .nii.gz with a tool that writes its orientation"
        raise FormatError("ANALYZE 7.5, which does not define left and right", path=path, hint=hint)
    if start[place] not in magics:
        magic = start[place].hex(" ")
        allowed = "n+1, ni1, n+2, ni2"
        raise FormatError(
            "not a NIfTI file", path=path, field="magic", found=magic, allowed=allowed
        )
    return header(start[:size], check=False)


def _sizes(raw: Any) -> tuple[tuple[int, int, int], int]:
    """(I, J, K) and the number of volumes; dimensions of 1 at the end don't count."""
    count = int(raw["dim"][0])
    if not 2 <= count <= 7:
        raise FormatError("not a volume", field="dim[0]", found=count, allowed="2 to 7")
    dims = [*(int(n) for n in raw["dim"][1 : count + 1]), *([1] if count == 2 else [])]
    if min(dims) < 1:
        raise FormatError("an empty dimension", field="dim", found=dims, allowed="1 and more")
    if math.prod(dims) > MAX_VOXELS:
        allowed = f"up to {MAX_VOXELS} voxels together"
        raise FormatError("too large", field="dim", found=dims, allowed=allowed)
    if sum(n > 1 for n in dims[3:]) > 1:
        raise FormatError("too many dimensions", field="dim", found=dims, allowed="3 or 4")
    return (dims[0], dims[1], dims[2]), math.prod(dims[3:])


def _dtype(raw: Any) -> np.dtype[Any]:
    code = int(raw["datatype"])
    if code not in _DTYPES:
        allowed = "whole or real numbers of up to 64 bits"
        kind = "complex" if code in _COMPLEX else "colour" if code in _COLOUR else "unusable"
        what = f"voxels of {kind} type"
        raise FormatError(what, field="datatype", found=code, allowed=allowed)
    return np.dtype(_DTYPES[code]).newbyteorder(raw.endianness)


def _offset(raw: Any, lowest: int) -> int:
    offset = float(raw["vox_offset"])
    if not (offset.is_integer() and lowest <= offset <= MAX_OFFSET):
        allowed = f"{lowest} to {MAX_OFFSET}"
        raise FormatError("impossible offset", field="vox_offset", found=offset, allowed=allowed)
    return int(offset)


def _scaling(raw: Any) -> tuple[float, float]:
    """A slope of 0 means that there is no scaling, by the standard; by all readers, one that is
    no number too."""
    slope, intercept = float(raw["scl_slope"]), float(raw["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return UNSCALED
    if not math.isfinite(intercept):
        allowed = "finite numbers"
        raise FormatError("not a number", field="scl_inter", found=intercept, allowed=allowed)
    return slope, intercept


def _affine(raw: Any) -> Affine:
    """The sform, else the qform; refused when neither is set or the two are in conflict."""
    sform = usable_affine(raw.get_sform(), "sform") if int(raw["sform_code"]) > 0 else None
    qform = usable_affine(_qform_matrix(raw), "qform") if int(raw["qform_code"]) > 0 else None
    if sform is None and qform is None:
        raise FormatError(
            "orientation unknown: neither sform nor qform is set",
            field="sform_code",
            found=int(raw["sform_code"]),
            allowed="1 or more, or the same for qform_code",
            hint="set it with the tool that wrote the file",
        )
    if sform is not None and qform is not None and not forms_agree(sform, qform):
        raise FormatError(
            "sform and qform are in conflict",
            field="qform",
            found=affine_text(qform),
            allowed=f"about the sform's {affine_text(sform)}",
            hint="set the code of the wrong one to 0",
        )
    affine = np.array(sform if sform is not None else qform)
    affine[:3] *= _MM_OF_UNIT.get(int(raw["xyzt_units"]) & 7, 1.0)
    return affine


def forms_agree(sform: Affine, qform: Affine) -> bool:
    """Return True if two affines are equal within the tolerances at the top of this file."""
    sizes = np.array(spacing_mm(sform))
    difference = np.abs(sform - qform)[:3]
    turned = (difference[:, :3] > DIRECTION_TOLERANCE * sizes).any()
    moved = (difference[:, 3] > ORIGIN_TOLERANCE * sizes.min()).any()
    return not (turned or moved)


def _qform_matrix(raw: Any) -> Affine:
    fields = raw.copy()
    if fields["pixdim"][0] == 0:  # to be read as 1 by the standard
        fields["pixdim"][0] = 1
    try:
        return np.asarray(fields.get_qform(), np.float64)
    except (HeaderDataError, ValueError) as problem:
        pixdim = [float(f"{n:.4g}") for n in raw["pixdim"][:4]]
        raise FormatError(f"unusable qform: {problem}", field="pixdim", found=pixdim) from None
