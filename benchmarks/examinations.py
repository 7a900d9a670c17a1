"""Synthetic examinations for speed measurements: four sequences as NIfTI, or a DICOM study.

They are not suitable for measurements of accuracy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gliomask.formats.nifti import write_nifti

BRATS_SHAPE, DICOM_SHAPE = (240, 240, 155), (256, 256, 200)
BRIGHT = {"t1": -60.0, "t1ce": 40.0, "t2": 120.0, "flair": 150.0}
"""How much brighter than the head the tumour is."""
_TAGS: dict[str, dict[str, Any]] = {
    "t1": {"SeriesDescription": "Ax T1", "RepetitionTime": 500.0, "EchoTime": 10.0},
    "t1ce": {"SeriesDescription": "Ax T1 +C", "RepetitionTime": 500.0, "EchoTime": 10.0},
    "t2": {"SeriesDescription": "Ax T2", "RepetitionTime": 4000.0, "EchoTime": 98.0},
    "flair": {"SeriesDescription": "Ax FLAIR", "RepetitionTime": 9000.0, "EchoTime": 120.0},
}
_ROOT = "1.2.826.0.1.3680043.8.498.77"
Shape = tuple[int, int, int]
Numbers = npt.NDArray[np.int16]


def synthetic_head(shape: Shape, sequence: str) -> Numbers:
    """An ellipsoid of noisy tissue with a ball in it, right of the middle, in an axial order."""
    rng = np.random.default_rng(len(sequence))
    grid = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij")
    head = (grid[0] / 0.7) ** 2 + (grid[1] / 0.85) ** 2 + (grid[2] / 0.8) ** 2 < 1
    image = np.where(head, 300 + 30 * rng.standard_normal(shape, np.float32), 0)
    numbers: Numbers = np.maximum(image + BRIGHT[sequence] * synthetic_tumour(shape), 0).astype(
        np.int16
    )
    return numbers


def synthetic_tumour(shape: Shape) -> npt.NDArray[np.bool_]:
    """The ball."""
    grid = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij")
    ball: npt.NDArray[np.bool_] = (grid[0] - 0.25) ** 2 + (grid[1] - 0.1) ** 2 + (
        grid[2] - 0.2
    ) ** 2 < 0.04
    return ball


def make_nifti(
    folder: Path, shape: Shape = BRATS_SHAPE, sequences: tuple[str, ...] = tuple(BRIGHT)
) -> Path:
    """A case in the layout of BraTS 2021, without a mask: its folder."""
    name, affine = "BraTS2021_90000", np.diag([-1.0, -1, 1, 1])
    for sequence in sequences:
        image = synthetic_head(shape, sequence).astype(np.float32)
        write_nifti(folder / name / f"{name}_{sequence}.nii.gz", image, affine)
    return folder / name


def make_dicom(folder: Path, sequences: tuple[str, ...], shape: Shape = DICOM_SHAPE) -> Path:
    """A study with a series for each of these sequences: its folder."""
    for number, sequence in enumerate(sequences, 1):
        image = synthetic_head(shape, sequence)
        (folder / sequence).mkdir(parents=True)
        for k in range(shape[2]):
            path = folder / sequence / f"{k:04}.dcm"
            _write_slice(path, np.ascontiguousarray(image[:, :, k].T), k, number, sequence)
    return folder


def _write_slice(path: Path, pixels: Numbers, k: int, number: int, sequence: str) -> None:
    from pydicom import FileDataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(f"{_ROOT}.{number}.{k + 1}")
    image = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    image.StudyInstanceUID, image.SeriesInstanceUID = _ROOT, f"{_ROOT}.{number}"
    image.FrameOfReferenceUID, image.Modality = f"{_ROOT}.99", "MR"
    image.PatientID = image.PatientName = "SYNTHETIC"
    image.StudyDate, image.StudyTime, image.SeriesNumber = "20010203", "101112", number
    image.ImageType, image.InstanceNumber = ["ORIGINAL", "PRIMARY", "M", "SE"], k + 1
    image.ScanningSequence, image.MRAcquisitionType = "SE", "3D"
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.ImagePositionPatient, image.PixelSpacing = [-128, -128, k - 100], [1, 1]
    image.SliceThickness = 1
    image.Rows, image.Columns, image.SamplesPerPixel = *pixels.shape, 1
    image.PhotometricInterpretation, image.PixelRepresentation = "MONOCHROME2", 1
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
    image.PixelData = pixels.astype("<i2").tobytes()
    for keyword, value in _TAGS[sequence].items():
        setattr(image, keyword, value)
    if sequence == "flair":
        image.InversionTime = 2400.0
    image.save_as(path, enforce_file_format=True)
