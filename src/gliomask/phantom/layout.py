"""Interface of layout writers: the files of a patient, and the files of the data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.core.labels import LabelArray
from gliomask.core.volume import Affine, Volume
from gliomask.formats.nifti import write_nifti

DESCRIPTION = "synthetic (gliomask phantom)"
"""Stands in the header of every NIfTI file."""


@dataclass(frozen=True, eq=False)
class SyntheticPatient:
    """One patient as a writer gets it.

    Attributes:
        number: in the cohort, from 1.
        volume: (4, I, J, K), axes RAS+.
        labels: (I, J, K) NECROSIS, OEDEMA, ENHANCING.
    """

    number: int
    volume: Volume
    labels: LabelArray


def no_summary(folder: Path, numbers: Sequence[int]) -> None:
    """Write nothing: for layouts without a file for the whole set."""


@dataclass(frozen=True)
class LayoutWriter:
    """Writer of a data set in one layout.

    Attributes:
        patient: writes the files of one patient below a folder.
        summary: writes the files that describe the whole set, given all patients' numbers.
        skull: the set is published as whole heads.
    """

    patient: Callable[[Path, SyntheticPatient], None]
    summary: Callable[[Path, Sequence[int]], None] = no_summary
    skull: bool = False


def write_image(path: Path, image: npt.NDArray[np.floating], affine: Affine) -> None:
    """Writes (I, J, K) or (I, J, K, N) intensities as scanners store them, whole int16."""
    write_nifti(path, np.rint(image).astype(np.int16), affine, DESCRIPTION)


def write_labels(path: Path, labels: LabelArray, affine: Affine, values: dict[int, int]) -> None:
    """Writes labels (I, J, K), each renamed by ``values``; a label not in there becomes 0."""
    numbers = np.zeros(labels.shape, np.uint8)
    for label, number in values.items():
        numbers[labels == label] = number
    write_nifti(path, numbers, affine, DESCRIPTION)


def flipped(patient: SyntheticPatient, axes: tuple[int, ...]) -> SyntheticPatient:
    """A patient with some voxel axes stored in reverse, with the matching affine."""
    affine, array, labels = patient.volume.affine.copy(), patient.volume.array, patient.labels
    for axis in axes:
        affine[:3, 3] += affine[:3, axis] * (labels.shape[axis] - 1)
        affine[:3, axis] *= -1
        array, labels = np.flip(array, axis + 1), np.flip(labels, axis)
    volume = Volume(array, affine, patient.volume.sequences, patient.volume.has_world)
    return SyntheticPatient(patient.number, volume, labels)
