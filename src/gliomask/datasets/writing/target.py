"""Common interface of data set writers: cases, summary, image files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from gliomask.core.labels import LabelArray
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.volume import Affine, FloatArray, Volume
from gliomask.formats.nifti import write_nifti

ENDING: Final = ".nii.gz"
CHANNEL_NAMES: Final[Mapping[str, str]] = {
    "t1": "T1",
    "t1ce": "T1Gd",
    "t2": "T2",
    "flair": "FLAIR",
}


@dataclass(frozen=True)
class TargetCase:
    """A case to write.

    Attributes:
        id: unique in the data set, safe as a file name.
        patient: its key.
        volume: its images on one grid, the sequences in the order of the data set's channels.
        mask: (I, J, K) uint8 with the numbers to write; None if there is none.
    """

    id: str
    patient: str
    volume: Volume
    mask: LabelArray | None


@dataclass(frozen=True)
class WriteSummary:
    """Summary of the data set.

    Attributes:
        name: its name.
        licences: licences of the data.
        sequences: the channels, in order.
        labels: number -> name, without the background.
        training, bare: ids of the cases with and without a mask.
    """

    name: str
    licences: tuple[str, ...]
    sequences: tuple[str, ...]
    labels: Mapping[int, str]
    training: tuple[str, ...]
    bare: tuple[str, ...]


class Writer(Protocol):
    """Interface of a writer: cases and description of a layout."""

    def case(self, folder: Path, case: TargetCase) -> None:
        """Write the files of a case."""

    def name_of(self, case: str) -> str:
        """Name of a case in this layout."""

    def summary(self, folder: Path, about: WriteSummary) -> None:
        """Write the description of all cases, after the cases."""


def write_image(path: Path, array: FloatArray, affine: Affine) -> None:
    """Write an image (I, J, K) or (I, J, K, N) without loss: integers as int16."""
    write_nifti(path, exact(array), affine, RESEARCH_USE_ONLY)


def exact(array: FloatArray) -> npt.NDArray[Any]:
    """Smallest lossless type: int16 for integers in its range."""
    bounds = np.iinfo(np.int16)
    small = bounds.min <= array.min() and array.max() <= bounds.max
    if small and bool((array == np.rint(array)).all()):
        return array.astype(np.int16)
    return array.astype(np.float32, copy=False)


def licence_text(licences: tuple[str, ...]) -> str:
    """Licences for a description."""
    return "; ".join(licences) or "not known"
