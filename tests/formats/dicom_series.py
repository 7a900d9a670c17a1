"""Small MR series made from scratch, in any orientation, and masks that lie on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from gliomask.core.regions import REGIONS
from gliomask.formats.dicom_out.segments import DrawnSegments, Maker

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
_C, _S = float(np.cos(0.3)), float(np.sin(0.3))
OBLIQUE = (_C, _S, 0.0, -_S * _C, _C * _C, -_S)

MAKER = Maker("demo", "0.1.0", weights="ab" * 32, created=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))
THREE = ("whole", "core", "enhancing")


@dataclass(frozen=True)
class Grid:
    """Of a series.

    Attributes:
        shape: images, rows, columns.
        orientation: LPS cosines of a row's and of a column's direction.
        spacing: mm between images, rows, columns.
        origin: LPS mm of the first pixel of the first image.
        signed: pixels are signed.
        changes: attributes of every image that are other than usual; None takes one out.
    """

    shape: tuple[int, int, int] = (6, 14, 17)
    orientation: tuple[float, ...] = AXIAL
    spacing: tuple[float, float, float] = (3.0, 0.9, 1.1)
    origin: tuple[float, float, float] = (-101.5, 87.25, -40.125)
    signed: bool = False
    changes: dict[str, Any] = field(default_factory=dict)

    def position(self, number: int) -> list[float]:
        row, column = np.reshape(self.orientation, (2, 3))
        place = np.array(self.origin) + number * self.spacing[0] * np.cross(row, column)
        return [round(float(x), 6) for x in place]

    def affine(self) -> npt.NDArray[np.float64]:
        """(4, 4) of voxels (image, row, column) to RAS+ mm, written down from the standard."""
        row, column = np.reshape(self.orientation, (2, 3))
        lps = np.eye(4)
        lps[:3, 0] = np.cross(row, column) * self.spacing[0]
        lps[:3, 1] = column * self.spacing[1]
        lps[:3, 2] = row * self.spacing[2]
        lps[:3, 3] = self.position(0)
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps


def nested(shape: tuple[int, ...], seed: int = 0) -> npt.NDArray[np.bool_]:
    """Three nested masks (3, P, rows, columns) that look like nothing when turned."""
    noise = np.random.default_rng(seed).random(shape)
    masks = np.stack([noise > 0.5, noise > 0.7, noise > 0.9])
    masks[:, 0] = False  # frames without a voxel are left out
    return masks


def drawn(
    masks: npt.NDArray[np.bool_],
    affine: npt.NDArray[np.float64],
    names: tuple[str, ...] = THREE,
) -> DrawnSegments:
    return DrawnSegments(masks, tuple(REGIONS[name] for name in names), affine)


def turned(
    masks: npt.NDArray[np.bool_],
    affine: npt.NDArray[np.float64],
    axes: tuple[int, int, int],
    flips: tuple[bool, bool, bool],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Masks (R, I, J, K) with swapped, then reversed axes, and the affine that stays true."""
    masks, affine = masks.transpose(0, *(1 + a for a in axes)), affine[:, [*axes, 3]].copy()
    for axis in np.flatnonzero(flips):
        affine[:3, 3] += (masks.shape[1 + axis] - 1) * affine[:3, axis]
        affine[:3, axis] *= -1
        masks = np.flip(masks, 1 + int(axis))
    return masks, affine


def coded(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint16]:
    """Masks (R, P, rows, columns) as pixels: the sum of 2**r. So a series can hold the answer."""
    powers = 2 ** np.arange(len(masks))
    return np.tensordot(powers, masks, 1).astype(np.uint16)


def write_series(
    folder: Path,
    grid: Grid,
    pixels: npt.NDArray[np.uint16] | None = None,
    edit: Callable[[int, Dataset], None] | None = None,
) -> list[Path]:
    """Single-frame MR images, whose paths come in the order of space.

    Args:
        folder: for them.
        grid: they lie on.
        pixels: (P, rows, columns), zeros if not given.
        edit: may change each image, told its number.
    """
    pixels = np.zeros(grid.shape, np.uint16) if pixels is None else pixels
    folder.mkdir(parents=True, exist_ok=True)
    study, series, frame_of_reference = generate_uid(), generate_uid(), generate_uid()
    paths = []
    for number in range(grid.shape[0]):
        image = _file(MR, grid)
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.FrameOfReferenceUID, image.InstanceNumber = frame_of_reference, number + 1
        image.ImageOrientationPatient = [round(x, 8) for x in grid.orientation]
        image.ImagePositionPatient = grid.position(number)
        image.PixelSpacing, image.SliceThickness = list(grid.spacing[1:]), grid.spacing[0]
        _add_pixels(image, pixels[number], grid.signed)
        for keyword, value in grid.changes.items():
            if value is None:
                del image[keyword]
            else:
                setattr(image, keyword, value)
        if edit is not None:
            edit(number, image)
        paths.append(folder / f"{number:03}.dcm")
        image.save_as(paths[-1], enforce_file_format=True)
    return paths


def write_enhanced(path: Path, grid: Grid, order: list[int] | None = None) -> Path:
    """One multi-frame MR image; ``order`` says which place in space each frame has."""
    image = _file(ENHANCED_MR, grid)
    image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
    image.FrameOfReferenceUID, image.NumberOfFrames = generate_uid(), grid.shape[0]
    orientation, measures, shared = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [round(x, 8) for x in grid.orientation]
    measures.PixelSpacing, measures.SliceThickness = list(grid.spacing[1:]), grid.spacing[0]
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    image.SharedFunctionalGroupsSequence, frames = [shared], []
    for number in order or range(grid.shape[0]):
        place, frame = Dataset(), Dataset()
        place.ImagePositionPatient = grid.position(number)
        frame.PlanePositionSequence = [place]
        frames.append(frame)
    image.PerFrameFunctionalGroupsSequence = frames
    _add_pixels(image, np.zeros(grid.shape, np.uint16), grid.signed)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save_as(path, enforce_file_format=True)
    return path


def _file(sop_class: str, grid: Grid) -> FileDataset:
    meta, instance = FileMetaDataset(), generate_uid()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset("", {}, file_meta=meta, preamble=b"II*\0" + b"\0" * 124)
    image.SOPClassUID, image.SOPInstanceUID, image.Modality = sop_class, instance, "MR"
    image.PatientName, image.PatientID, image.PatientSex = "Phantom^Test", "P1", "O"
    image.PatientBirthDate, image.StudyDate, image.StudyTime = "19700101", "20200102", "101112"
    image.StudyID, image.AccessionNumber, image.ReferringPhysicianName = "S1", "A1", ""
    image.SeriesNumber, image.SeriesDescription = 4, "made up"
    image.Manufacturer, image.PositionReferenceIndicator = "nobody", ""
    return image


def _add_pixels(image: Dataset, pixels: npt.NDArray[np.uint16], signed: bool) -> None:
    image.Rows, image.Columns = pixels.shape[-2:]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
    image.PixelRepresentation = int(signed)
    image.PixelData = pixels.tobytes()
