"""NIfTI files with any header at all, also such as no writer would write."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

AXIAL = np.array([[-1.0, 0, 0, 90], [0, -1, 0, 126], [0, 0, 2.5, -72], [0, 0, 0, 1]])


def image(shape: tuple[int, ...] = (7, 6, 5), seed: int = 0) -> npt.NDArray[np.int16]:
    """Whole numbers that hardly compress, so that every bit of a file matters."""
    return np.random.default_rng(seed).integers(0, 3000, shape).astype(np.int16)


def content(array: npt.NDArray[Any] | None = None, version: int = 1, **fields: Any) -> bytes:
    """The bytes of a good file with some header fields overwritten."""
    kind: Any = nib.Nifti1Image if version == 1 else nib.Nifti2Image
    voxels = image() if array is None else array
    made = kind(voxels, None, dtype=voxels.dtype)
    made.header.set_xyzt_units("mm")
    made.set_sform(AXIAL, 1)
    made.set_qform(AXIAL, 1)
    good: bytes = made.to_bytes()
    header = type(made.header)(good[: made.header.sizeof_hdr], check=False)
    for name, value in fields.items():
        header[name] = value
    changed: bytes = header.binaryblock
    return changed + good[made.header.sizeof_hdr :]


def by_nibabel(path: Path) -> Any:
    """The same file as the reference implementation reads it."""
    return nib.load(path)


def write(path: Path, data: bytes) -> Path:
    """Writes the bytes, as gzip if the name says so."""
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path
