"""A cohort laid out like the figshare set of Cheng et al.: MATLAB files of single slices.

One slice of a patient is written, the one with the largest tumour core.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.core.atomic import atomic_path
from gliomask.core.geometry import orientation, to_reading
from gliomask.core.regions import region_masks
from gliomask.phantom.layout import LayoutWriter, SyntheticPatient

GLIOMA = 2
"""The set's number of this kind of tumour."""
_USER_BLOCK = 512
"""Bytes that MATLAB puts in front of HDF5."""


def write_slice(
    path: Path,
    image: npt.NDArray[np.integer],
    mask: npt.NDArray[np.bool_],
    patient: str,
    label: int = GLIOMA,
) -> None:
    """Writes a slice and its mask (both rows, columns) as the set has them.

    Needs h5py. The outline is the mask's pixels that touch what is outside, not in their order.
    """
    import h5py

    inner = mask[1:-1, :-2] & mask[1:-1, 2:] & mask[:-2, 1:-1] & mask[2:, 1:-1]
    edge = mask & ~np.pad(inner, 1)
    border = np.argwhere(edge)[:, ::-1].astype(np.float64)
    with atomic_path(path) as temporary:
        with h5py.File(temporary, "w", userblock_size=_USER_BLOCK) as file:
            group = file.create_group("cjdata")
            group["PID"] = np.array([[ord(letter)] for letter in patient], np.uint16)
            group["label"] = np.array([[label]], np.float64)
            group["image"] = image.T.astype(np.int16)
            group["tumorMask"] = mask.T.astype(np.uint8)
            group["tumorBorder"] = border.reshape(1, -1)
        text = b"MATLAB 7.3 MAT-file, synthetic (gliomask phantom)"
        with temporary.open("r+b") as stream:
            stream.write(text.ljust(_USER_BLOCK - 4) + bytes(2) + b"IM")


def _slice(folder: Path, patient: SyntheticPatient) -> None:
    turn = orientation(patient.volume.affine)
    core = to_reading(region_masks(patient.labels, ("core",))[0], turn)
    image = to_reading(patient.volume.select(("t1ce",)).array[0], turn)
    k = int(np.argmax(core.sum(axis=(1, 2))))
    path = folder / "brainTumorDataPublic" / f"{9000 + patient.number}.mat"
    write_slice(path, np.rint(image[k]).astype(np.int16), core[k], f"PHANTOM{patient.number:03d}")


WRITERS = {"figshare_cheng": LayoutWriter(_slice, skull=True)}
"""Layout -> how it is written."""
