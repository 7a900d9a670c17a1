"""Slices in MATLAB 7.3 files (HDF5) as the figshare set of Cheng et al. has them.

    cjdata/image        (rows, columns) intensities
          /tumorMask    the same, 1 in the tumour
          /label        1 meningioma, 2 glioma, 3 pituitary tumour
          /PID          the patient, a character each
          /tumorBorder  x, y, x, y ... of the outline that the mask was filled from

MATLAB stores columns one after the other, so HDF5 reports (columns, rows). h5py is loaded here and
nowhere else. What a file declares is checked against the limits before anything is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import FloatArray
from gliomask.errors import FormatError, GliomaskError, MachineError
from gliomask.formats.content import opened
from gliomask.formats.limits import MAX_PICTURE_PIXELS

SUFFIXES = (".mat",)
"""How the names of these files end, in lower case."""
_GROUP = "cjdata"
_MAGIC = b"\x89HDF\r\n\x1a\n"
_MAGIC_AT = (0, 512)
"""Where HDF5 may begin: MATLAB puts a text of 512 bytes in front."""
_LONGEST_ID = 100


@dataclass(frozen=True)
class SliceRecord:
    """Metadata of a slice in its file.

    Attributes:
        patient: the PID.
        label: the kind of tumour: 1 meningioma, 2 glioma, 3 pituitary tumour.
    """

    patient: str
    label: int


def is_matlab(path: Path) -> bool:
    """Return True if the suffix is that of a MATLAB file."""
    return path.name.lower().endswith(SUFFIXES)


def holds_slice(path: Path) -> bool:
    """Return True for an HDF5 file that contains a slice; False for damaged files."""
    try:
        with opened(path) as stream:
            start = stream.read(_MAGIC_AT[-1] + len(_MAGIC))
        if not any(start[at:].startswith(_MAGIC) for at in _MAGIC_AT):
            return False
        with _group(path):
            return True
    except FormatError:
        return False


def read_slice_record(path: Path) -> SliceRecord:
    """The patient and the kind of tumour of a slice.

    Raises:
        FormatError: no such file, damaged, or a field is missing or makes no sense.
        MachineError: h5py is not installed.
    """
    with _group(path) as group:
        codes = _values(group, "PID", path, _LONGEST_ID).ravel()
        label = _values(group, "label", path, 1).ravel()
    patient = "".join(chr(int(code)) for code in codes).strip()
    if not patient or not patient.isprintable():
        raise FormatError("no patient", path=path, field="PID", found=patient)
    if label.size != 1 or label[0] not in (1, 2, 3):
        kind = label[0] if label.size == 1 else f"{label.size} values"
        raise FormatError(
            "unknown kind of tumour", path=path, field="label", found=kind, allowed="1-3"
        )
    return SliceRecord(patient, int(label[0]))


def slice_shape(path: Path) -> tuple[int, int, int]:
    """The shape (columns, rows, 1) of a slice, without reading it; raises as ``read_slice``."""
    with _group(path) as group:
        columns, rows = _field(group, "image", path, MAX_PICTURE_PIXELS).shape
    return columns, rows, 1


def read_slice(path: Path) -> FloatArray:
    """The image of a slice: (I = columns, J = rows, K = 1) float32.

    Raises:
        FormatError: no such file, damaged, no image of a size that can be, or no finite numbers.
        MachineError: h5py is not installed.
    """
    with _group(path) as group:
        image = _values(group, "image", path, MAX_PICTURE_PIXELS).astype(np.float32)
    if not np.isfinite(image).all():
        raise FormatError("not all intensities are finite", path=path, field="image")
    return image[..., np.newaxis]


def read_slice_mask(path: Path) -> npt.NDArray[np.uint8]:
    """The mask of a slice: (I = columns, J = rows, K = 1), 1 in the tumour and else 0.

    Raises:
        FormatError: as ``read_slice``; numbers other than 0 and 1, or the mask is of another size
            than the image.
        MachineError: h5py is not installed.
    """
    with _group(path) as group:
        mask = _values(group, "tumorMask", path, MAX_PICTURE_PIXELS)
        shape = _field(group, "image", path, MAX_PICTURE_PIXELS).shape
    if mask.shape != shape:
        size, allowed = " x ".join(map(str, mask.shape)), " x ".join(map(str, shape))
        what = "mask and image differ in size"
        raise FormatError(what, path=path, field="tumorMask", found=size, allowed=allowed)
    odd = mask[(mask != 0) & (mask != 1)]
    if odd.size:
        raise FormatError("not a mask", path=path, field="tumorMask", found=odd[0], allowed="0, 1")
    return mask.astype(np.uint8)[..., np.newaxis]


@contextmanager
def _group(path: Path) -> Iterator[Any]:
    """The group of a slice; whatever HDF5 makes of damaged bytes becomes a FormatError."""
    h5py = _h5py()
    with opened(path) as stream:
        try:
            with h5py.File(stream, "r") as file:
                here = isinstance(file.get(_GROUP, getlink=True), h5py.HardLink)
                if not here or not isinstance(file[_GROUP], h5py.Group):
                    raise FormatError(f"contains no {_GROUP}", path=path)
                yield file[_GROUP]
        except GliomaskError:
            raise
        except (OSError, KeyError, ValueError, RuntimeError, TypeError) as problem:
            what = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
            raise FormatError(f"not a readable MATLAB 7.3 file: {what}", path=path) from None


def _field(group: Any, name: str, path: Path, most: int) -> Any:
    """A dataset of two axes with numbers, stored in this very file and not too large."""
    h5py = _h5py()
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise FormatError("a field is missing", path=path, field=name, found="none")
    dataset = group[name]
    matrix = isinstance(dataset, h5py.Dataset) and dataset.ndim == 2
    if not matrix or dataset.dtype.kind not in "iuf":
        raise FormatError("not a matrix of numbers", path=path, field=name)
    if dataset.external or dataset.is_virtual or not 0 < dataset.size <= most:
        count, allowed = f"{dataset.size} values", f"1 to {most} in this file"
        raise FormatError("impossible size", path=path, field=name, found=count, allowed=allowed)
    return dataset


def _values(group: Any, name: str, path: Path, most: int) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = _field(group, name, path, most)[()]
    return values


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        what = "the figshare set's MATLAB files need h5py, which is not installed"
        raise MachineError(what, hint='pip install "gliomask[matlab]"') from None
    return h5py
