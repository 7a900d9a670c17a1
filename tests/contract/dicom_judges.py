"""Three readers of DICOM that know nothing of each other, and what each makes of a folder.

GDCM through SimpleITK (3D Slicer, MONAI, TorchIO, nnU-Net's converters), dcm2niix, and pydicom
through highdicom. A reader is right if one of the volumes that it makes has each voxel of the
truth at its place, with its value.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom
import nibabel as nib
import numpy as np
import numpy.typing as npt
import pydicom
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it

from gliomask.formats.dicom.read import read_series
from gliomask.formats.dicom.series import Survey, survey_files
from tests.formats.dicom.made import Plan

sitk.ProcessObject.SetGlobalWarningDisplay(False)

Array = npt.NDArray[Any]
Volume = tuple[Array, npt.NDArray[np.float64]]
"""Voxels (I, J, K) and the affine to RAS+ millimetres."""
RIGHT, WRONG, REFUSES = "right", "wrong", "refuses"

_RAS_OF_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Truth:
    """What a folder holds.

    Attributes:
        plan: where its slices lie, and how far from each other.
        values: (K, rows, columns).
        shifts: (K, 3) how far slices lie from their places in the plan, LPS millimetres.
        tolerance: how far a reader may be off, millimetres.
    """

    plan: Plan
    values: Array
    shifts: Array | None = None
    tolerance: float = 2e-3

    def equals(self, volume: Volume) -> bool:
        """Whether each voxel is in the volume, at its place and with its value."""
        array, affine = volume
        if sorted(array.shape) != sorted(self.values.shape):
            return False
        if len(self.values) == 1 and not self._is_as_thick(volume):
            return False
        index = (self._places() - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
        nearest = np.rint(index)
        if (nearest < 0).any() or (nearest >= array.shape).any():
            return False
        off = np.linalg.norm((index - nearest) @ affine[:3, :3].T, axis=1).max()
        theirs = array[tuple(nearest.astype(int).T)]
        return bool(off <= self.tolerance and np.allclose(theirs, self.values.ravel(), rtol=1e-5))

    def _places(self) -> Array:
        """(voxels, 3) RAS+ millimetres, in the order of the values."""
        rows, columns = self.values.shape[1:]
        places = []
        for k in range(len(self.values)):
            corner = self.plan.world(0, 0, k)
            if self.shifts is not None:
                corner = corner + self.shifts[k] * np.array([-1.0, -1.0, 1.0])
            along_row = self.plan.world(1, 0, k) - self.plan.world(0, 0, k)
            along_column = self.plan.world(0, 1, k) - self.plan.world(0, 0, k)
            j, i = (axis.reshape(-1, 1) for axis in np.indices((rows, columns)))
            places.append(corner + i * along_row + j * along_column)
        return np.concatenate(places)

    def _is_as_thick(self, volume: Volume) -> bool:
        array, affine = volume
        thickness = np.linalg.norm(affine[:3, array.shape.index(1)])
        return bool(abs(thickness - self.plan.step) <= self.tolerance)


def by_gdcm(folder: Path, out: Path) -> list[Volume]:
    """Each series as SimpleITK's documentation reads it; a series of one file as that file."""
    volumes = []
    for uid in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder), True):
        names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid, True)
        image = sitk.ReadImage(names if len(names) > 1 else names[0])
        lps = np.eye(4)
        size = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
        lps[:3, :3], lps[:3, 3] = size, image.GetOrigin()
        array = sitk.GetArrayFromImage(image)
        if array.ndim == 3:
            volumes.append((array.transpose(2, 1, 0), _RAS_OF_LPS @ lps))
    return volumes


def by_dcm2niix(folder: Path, out: Path) -> list[Volume]:
    """What dcm2niix writes of a folder."""
    out.mkdir(parents=True, exist_ok=True)
    program = Path(sys.executable).with_name("dcm2niix")
    options = ["-g", "i", "-b", "n", "-z", "n", "-p", "n", "-f", "%s_%e", "-o", str(out)]
    subprocess.run([program, *options, str(folder)], check=True, capture_output=True, timeout=60)
    images = [nib.Nifti1Image.from_filename(path) for path in sorted(out.glob("*.nii"))]
    found = [(np.asarray(image.dataobj), np.array(image.affine)) for image in images]
    return [(array, affine) for array, affine in found if array.ndim == 3]


def by_highdicom(folder: Path, out: Path) -> list[Volume]:
    """Each series, or file of many frames, as a highdicom volume."""
    of_series: dict[str, list[pydicom.Dataset]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        dataset = pydicom.dcmread(path, force=True)
        of_series.setdefault(dataset.SeriesInstanceUID, []).append(dataset)
    volumes = []
    for datasets in of_series.values():
        if "PerFrameFunctionalGroupsSequence" in datasets[0]:
            image = highdicom.Image.from_dataset(datasets[0])
            volume = image.get_volume(apply_modality_transform=None)
        else:
            volume = highdicom.get_volume_from_series(datasets)
        volumes.append((volume.array, _RAS_OF_LPS @ volume.affine))
    return volumes


def by_ours(folder: Path, out: Path) -> list[Volume]:
    return [read_series(one.image.paths, one.image.channel) for one in looked_at(folder).series]


def looked_at(folder: Path) -> Survey:
    return survey_files(sorted(path for path in folder.rglob("*") if path.is_file()))


READERS: dict[str, Callable[[Path, Path], list[Volume]]] = {
    "GDCM": by_gdcm,
    "dcm2niix": by_dcm2niix,
    "highdicom": by_highdicom,
}


def verdict(
    read: Callable[[Path, Path], list[Volume]], folder: Path, out: Path, truth: Truth
) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            volumes = read(folder, out)
    except Exception:
        return REFUSES
    if not volumes:
        return REFUSES
    return RIGHT if any(truth.equals(volume) for volume in volumes) else WRONG
