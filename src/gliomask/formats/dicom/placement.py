"""Place of a slice in the patient, and how far places may differ within one volume.

The reader of series and the writer of objects that refer to them both use it, so that a mask can
be written on any series that can be read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from gliomask.errors import FormatError
from gliomask.formats.dicom.values import number, numbers

Vector = npt.NDArray[np.float64]

_LEAN_TOLERANCE = 5e-3
"""Maximum cosine between rows and columns. Headers round directions to at least three decimals;
their lengths are ignored, as by other readers."""
DIRECTION_TOLERANCE = 2e-3
"""Largest difference of two directions that count as the same: a tenth of a degree."""
_SPACING_TOLERANCE = 1e-3
"""Largest difference of PixelSpacing between slices, as a share of it."""
_SHORTEST = 1e-3
"""The least length of a direction."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Place of a slice in the patient.

    Attributes:
        spacing: millimetres between (rows, columns).
        along_row, along_column: (3,) unit vectors in LPS: where the column, the row index grows.
        position: (3,) the centre of the first voxel in LPS millimetres.
    """

    spacing: tuple[float, float]
    along_row: Vector
    along_column: Vector
    position: Vector


def placement(position: Dataset, orientation: Dataset, measures: Dataset) -> Placement:
    """The place of a slice from its header, or from the functional groups of a frame.

    Raises:
        FormatError: a position, orientation or spacing that is missing or impossible.
    """
    along_row, along_column = _directions(orientation)
    spacing = _spacing(measures)
    if min(spacing) <= 0:
        raise FormatError(
            "impossible spacing", field="PixelSpacing", found=list(spacing), allowed="more than 0"
        )
    place = np.array(numbers(position, "ImagePositionPatient", 3))
    return Placement(spacing, along_row, along_column, place)


def turned(first: Placement, other: Placement) -> float:
    """Largest difference between the directions of two slices."""
    rows, columns = first.along_row - other.along_row, first.along_column - other.along_column
    return float(max(np.abs(rows).max(), np.abs(columns).max()))


def spaced_alike(first: Placement, other: Placement) -> bool:
    """Return True if the spacing of two slices differs by no more than rounding."""
    return np.allclose(other.spacing, first.spacing, rtol=_SPACING_TOLERANCE, atol=0)


def _directions(dataset: Dataset) -> tuple[Vector, Vector]:
    directions = np.array(numbers(dataset, "ImageOrientationPatient", 6)).reshape(2, 3)
    lengths = np.linalg.norm(directions, axis=1)
    if (
        lengths.min() < _SHORTEST
        or abs(directions[0] @ directions[1]) > _LEAN_TOLERANCE * lengths.prod()
    ):
        raise FormatError(
            "not an orientation",
            field="ImageOrientationPatient",
            found=directions.ravel().tolist(),
            allowed="two directions at a right angle",
        )
    along_row, along_column = directions / lengths[:, np.newaxis]
    return along_row, along_column


def _spacing(dataset: Dataset) -> tuple[float, float]:
    """Between rows and between columns; a single number stands for both."""
    if number(dataset, "PixelSpacing") is not None:
        (side,) = numbers(dataset, "PixelSpacing", 1)
        return side, side
    between_rows, between_columns = numbers(dataset, "PixelSpacing", 2)
    return between_rows, between_columns
