"""Table of volume formats, with the module that reads and writes each of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from gliomask.core.extras import load_extra
from gliomask.core.volume import Affine, FloatArray
from gliomask.errors import FormatError
from gliomask.formats.volume_header import VolumeHeader


class Codec(Protocol):
    """The module of a format."""

    def files(self, path: Path) -> tuple[Path, ...]:
        """All files of a volume: its header, and those of its voxels."""

    def read_header(self, path: Path) -> VolumeHeader:
        """The grid, without reading the voxels."""

    def read_volumes(self, path: Path) -> tuple[FloatArray, Affine]:
        """All volumes (I, J, K, N), float32, finite, and the affine."""

    def read_labels(self, path: Path) -> tuple[npt.NDArray[np.integer], Affine]:
        """A label volume (I, J, K) of whole numbers, and the affine."""

    def write_volume(
        self, path: Path, array: npt.NDArray[Any], affine: Affine, note: str = ""
    ) -> None:
        """Write a volume (I, J, K) atomically."""


@dataclass(frozen=True)
class VolumeFormat:
    """A format of volumes.

    Attributes:
        name: display name.
        suffixes: endings of the names of its files, in lower case.
        written: the suffix of a mask for an image of this format.
        module: reads and writes it; loaded when it is needed.
    """

    name: str
    suffixes: tuple[str, ...]
    written: str
    module: str

    @property
    def codec(self) -> Codec:
        """Module that reads and writes the format."""
        return cast(Codec, load_extra(f"gliomask.formats.{self.module}"))


NIFTI = VolumeFormat("NIfTI", (".nii", ".nii.gz", ".hdr", ".img", ".img.gz"), ".nii.gz", "nifti")
NRRD = VolumeFormat("NRRD", (".nrrd", ".nhdr"), ".nrrd", "itk")
FORMATS = (
    NIFTI,
    NRRD,
    VolumeFormat("MetaImage", (".mha", ".mhd"), ".mha", "itk"),
    VolumeFormat("MGH", (".mgh", ".mgz"), ".mgz", "mgh"),
)
SUFFIXES = tuple(suffix for volume_kind in FORMATS for suffix in volume_kind.suffixes)
"""How the names of volume files end, in lower case."""
_SECOND_HALVES = {".img": ".hdr", ".img.gz": ".hdr"}


def volume_format(path: Path) -> VolumeFormat | None:
    """The format that a name ends as; None for anything else."""
    name = path.name.lower()
    return next(
        (volume_kind for volume_kind in FORMATS if name.endswith(volume_kind.suffixes)), None
    )


def files_of(path: Path) -> tuple[Path, ...]:
    """All files that the content of a file depends on: itself, and those of its voxels.

    A file that is not a volume, or whose header can't be read, stands for itself.
    """
    known = volume_format(path)
    try:
        return known.codec.files(path) if known else (path,)
    except FormatError:
        return (path,)


def is_volume(path: Path) -> bool:
    """Return True if the suffix is that of a volume file."""
    return volume_format(path) is not None


def is_second_half(path: Path) -> bool:
    """Return True for the ``.img`` of a pair with a ``.hdr`` in the same folder."""
    name = path.name.lower()
    half = next((end for end in _SECOND_HALVES if name.endswith(end)), None)
    if half is None:
        return False
    bare = path.name[: -len(half)]
    return any(path.with_name(f"{bare}{end}").exists() for end in (".hdr", ".HDR"))
