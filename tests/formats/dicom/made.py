"""Small MR series made with pydicom, and the judges of what a reader makes of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, MRImageStorage

ROOT = "1.2.826.0.1.3680043.8.498."
AXIAL = (1.0, 0, 0, 0, 1, 0)
SAGITTAL = (0.0, 1, 0, 0, 0, -1)
CORONAL = (1.0, 0, 0, 0, 0, -1)

Vector = npt.NDArray[np.float64]
Stored = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Plan:
    """Where slices lie: millimetres in LPS; ``lean`` is added to the position with each slice."""

    directions: tuple[float, ...] = AXIAL
    between_rows: float = 0.9
    between_columns: float = 1.1
    step: float = 5.0
    origin: tuple[float, float, float] = (-31.5, 17.25, -40.0)
    slices: int = 6
    rows: int = 10
    columns: int = 12
    lean: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def normal(self) -> Vector:
        normal: Vector = np.cross(self.directions[:3], self.directions[3:])
        return normal

    def position(self, k: int) -> Vector:
        origin: Vector = np.array(self.origin)
        moved: Vector = origin + k * (self.step * self.normal + np.array(self.lean))
        return moved

    def world(self, i: float, j: float, k: int) -> Vector:
        """RAS+ millimetres of column i, row j of slice k, by the equation of PS3.3 C.7.6.2.1.1."""
        along_row, along_column = np.array(self.directions[:3]), np.array(self.directions[3:])
        lps: Vector = self.position(k) + along_row * self.between_columns * i
        lps = lps + along_column * self.between_rows * j
        ras: Vector = lps * np.array([-1.0, -1.0, 1.0])
        return ras


def oblique(degrees: float, about: int = 0, base: Sequence[float] = AXIAL) -> tuple[float, ...]:
    """Directions turned about a world axis."""
    a, b = [n for n in range(3) if n != about]
    turn = np.eye(3)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn[a, a], turn[a, b], turn[b, a], turn[b, b] = cos, -sin, sin, cos
    rows = np.array(base).reshape(2, 3) @ turn.T
    return tuple(round(float(n), 10) for n in rows.ravel())


def pixels(plan: Plan, seed: int = 0, low: int = 0, high: int = 4000) -> Stored:
    """Stored values (K, rows, columns), each voxel another, so that nothing can be swapped."""
    count = plan.slices * plan.rows * plan.columns
    values = np.random.default_rng(seed).permutation(np.linspace(low, high, count).astype(int))
    return values.reshape(plan.slices, plan.rows, plan.columns)


def series(
    plan: Plan, stored: Stored, series: int = 1, study: int = 1, **tags: Any
) -> list[Dataset]:
    """A series of MR images, one for each slice, explicit VR little endian."""
    return [
        _slice(plan, stored[k], k, f"{ROOT}{study}.{series}", {"SeriesNumber": series, **tags})
        for k in range(plan.slices)
    ]


def _slice(plan: Plan, values: Stored, k: int, uid: str, tags: dict[str, Any]) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(f"{uid}.{k + 1}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, f"{uid}.{k + 1}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid.rpartition(".")[0], uid
    dataset.FrameOfReferenceUID = f"{ROOT}99"
    dataset.Modality, dataset.Manufacturer = "MR", "SYNTHETIC"
    dataset.PatientID, dataset.PatientName = "P1", "SYNTHETIC"
    dataset.StudyDate, dataset.StudyTime, dataset.SeriesTime = "20010203", "101112", "101112"
    dataset.SeriesDescription = "Ax T2 FSE"
    dataset.InstanceNumber = k + 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    dataset.ScanningSequence, dataset.MRAcquisitionType = "SE", "2D"
    dataset.EchoTime, dataset.RepetitionTime, dataset.EchoNumbers = 98.0, 4000.0, 1
    dataset.SliceThickness, dataset.MagneticFieldStrength = 4.0, 3.0
    dataset.ImagePositionPatient = [round(float(n), 8) for n in plan.position(k)]
    dataset.ImageOrientationPatient = list(plan.directions)
    dataset.PixelSpacing = [plan.between_rows, plan.between_columns]
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = plan.rows, plan.columns, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(values.min() < 0)
    dataset.PixelData = values.astype("<i2" if values.min() < 0 else "<u2").tobytes()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def save(
    folder: Path, datasets: Sequence[Dataset], ending: str = ".dcm", syntax: UID | None = None
) -> None:
    """Writes each data set to a file, whose names say nothing of the order of slices."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, dataset in enumerate(datasets):
        if syntax is not None:
            if syntax == ExplicitVRBigEndian:
                dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
            dataset.file_meta.TransferSyntaxUID = syntax
        name = f"{(n * 7 + 3) % 101:03d}-{dataset.SeriesNumber}{ending}"
        dcmwrite(folder / name, dataset, enforce_file_format=True)


def lossless_jpeg(path: Path) -> None:
    """Compresses a file in place, by gdcm, which the extra ``jpeg`` brings; nothing else here can.

    Skips the test where it is not installed.
    """
    gdcm = pytest.importorskip("gdcm")
    reader, change = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def by_dcm2niix(folder: Path, out: Path) -> list[tuple[npt.NDArray[Any], npt.NDArray[np.float64]]]:
    """What dcm2niix makes of a folder: arrays and affines (RAS+), as they are in its files."""
    out.mkdir(parents=True, exist_ok=True)
    program = Path(sys.executable).with_name("dcm2niix")
    options = ["-g", "i", "-b", "n", "-z", "n", "-p", "n", "-f", "%s_%e", "-o", str(out)]
    subprocess.run([program, *options, str(folder)], check=True, capture_output=True)
    images = [nib.Nifti1Image.from_filename(path) for path in sorted(out.glob("*.nii"))]
    return [(np.asanyarray(image.dataobj), np.array(image.affine)) for image in images]


def assert_same_in_world(
    array: npt.NDArray[Any],
    affine: npt.NDArray[np.float64],
    other: npt.NDArray[Any],
    other_affine: npt.NDArray[np.float64],
) -> None:
    """Every voxel of one volume lies within a thousandth of a millimetre on one of the other, and
    has its value. Of volumes above a million voxels each seventh is asked."""
    assert sorted(array.shape) == sorted(other.shape)
    chosen = np.arange(0, array.size, 7 if array.size > 1_000_000 else 1)
    index = np.array(np.unravel_index(chosen, array.shape))
    place = affine @ np.vstack([index, np.ones((1, chosen.size))])
    nearest = np.rint(np.linalg.inv(other_affine) @ place)
    assert np.linalg.norm((other_affine @ nearest - place)[:3], axis=0).max() < 1e-3
    ours, theirs = array[tuple(index)], other[tuple(nearest[:3].astype(int))]
    if other.dtype.kind == "f":  # it rounds elsewhere
        assert np.allclose(ours, theirs, rtol=1e-6, atol=1e-4)
    else:
        assert np.array_equal(ours, theirs)
