"""Conversion of a volume to the stack of axial slices for the network, and back.

``to_slices`` is the only preprocessing, for the store and for prediction, so both are identical.
All steps are exact or linear:

    volume --turn, normalise, crop--> SliceStack --fit--> network's grid
    mask   <--------place-----------  maps       <-unfit-- logits
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import (
    Element,
    Orientation,
    orientation,
    spacing_mm,
    to_reading,
    voxel_ml,
)
from gliomask.core.intensity import normalise, tissue_level
from gliomask.core.volume import Affine, FloatArray, Volume

VERSION = 1
"""Version of the preprocessing; stores and models of another version can't be used."""
MARGIN = 4
"""Margin of the crop around the head, in pixels."""
STRAY = 0.05
"""Fraction of the maximum tissue per row or column, up to which a row or column is noise."""


@dataclass(frozen=True, eq=False)
class StackRecord:
    """Record of the conversion of a volume to slices, for the conversion of masks to its grid.

    Attributes:
        shape: (I, J, K) of the volume.
        affine: (4, 4) of the volume, voxel to RAS+ mm.
        turn: permutation and flips from (I, J, K) to (S, H, W).
        box: (top, bottom, left, right) of the crop, in rows and columns.
        has_world: whether the affine is in millimetres.
    """

    shape: tuple[int, int, int]
    affine: Affine
    turn: Orientation
    box: tuple[int, int, int, int]
    has_world: bool

    @property
    def window(self) -> tuple[slice, slice]:
        """Row and column slices of the crop."""
        top, bottom, left, right = self.box
        return slice(top, bottom), slice(left, right)

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """(row, column) spacing in mm; (1, 1) if there is no world."""
        sizes = spacing_mm(self.affine)
        return sizes[self.turn.axes[1]], sizes[self.turn.axes[2]]

    @property
    def slice_mm(self) -> float:
        """Distance between slices in mm; 1 if there is no world."""
        return spacing_mm(self.affine)[self.turn.axes[0]]

    @property
    def voxel_ml(self) -> float:
        """The volume of a voxel in ml; if there is no world it counts as 1 mm³."""
        return voxel_ml(self.affine) if self.has_world else 0.001


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Axial slices in the reading frame, normalised and cropped to the head.

    Attributes:
        array: (S, C, H, W) float32, values of half precision in [-5, 5]; slices feet to head,
            rows front to back, columns patient's right to left.
        sequences: C names.
        record: record of the conversion.
        consecutive: whether these are all slices of the volume, and not a sample.
    """

    array: FloatArray
    sequences: tuple[str, ...]
    record: StackRecord
    consecutive: bool = True


def to_slices(volume: Volume, check: Callable[[], None] = lambda: None) -> SliceStack:
    """Convert a volume (C, I, J, K) to a stack (S, C, H, W).

    Args:
        volume: volume to preprocess.
        check: called between sequences; its exceptions end the work.

    Raises:
        ValueError: a sequence is constant, or the affine is singular.
    """
    turn = orientation(volume.affine)
    # Reoriented first, so that the result does not depend on the orientation of the file. One
    # sequence at a time: a second copy of all of them would dominate the memory of the process.
    images = to_reading(volume.array, turn)
    top, bottom, left, right = box = _head_box(images, check)
    window = (slice(None), slice(top, bottom), slice(left, right))
    shape = (images.shape[1], len(images), bottom - top, right - left)
    array = np.empty(shape, np.float32)
    for k, (name, image) in enumerate(zip(volume.sequences, images, strict=True)):
        check()
        try:
            array[:, k] = normalise(np.ascontiguousarray(image), window)
        except ValueError as problem:
            raise ValueError(f"{name}: {problem}") from None
    record = StackRecord(volume.shape, volume.affine, turn, box, volume.has_world)
    return SliceStack(array, volume.sequences, record)


def uncrop(maps: npt.NDArray[Element], record: StackRecord) -> npt.NDArray[Element]:
    """Pad maps or masks (..., S, H', W') of cropped slices to complete slices (..., S, H, W).

    Pixels outside the crop are 0 (False).
    """
    sizes = [record.shape[axis] for axis in record.turn.axes]
    whole = np.zeros((*maps.shape[:-3], *sizes), maps.dtype)
    whole[..., *record.window] = maps
    return whole


def place(maps: npt.NDArray[Element], record: StackRecord) -> npt.NDArray[Element]:
    """Convert maps or masks of cropped slices to the volume's grid (..., I, J, K).

    Pixels outside the crop are 0 (False). Its memory has the axis order of the reading frame, like
    the maps and most files: filling and reading one of another order takes several times as long.
    """
    lead, axes = maps.ndim - 3, record.turn.axes
    memory = np.zeros((*maps.shape[:-3], *(record.shape[axis] for axis in axes)), maps.dtype)
    placed = memory.transpose(*range(lead), *(lead + int(axis) for axis in np.argsort(axes)))
    to_reading(placed, record.turn)[..., *record.window] = maps
    return placed


def _head_box(images: FloatArray, check: Callable[[], None]) -> tuple[int, int, int, int]:
    """Bounding box of the head over all sequences and slices (C, S, H, W), with a margin."""
    head = np.zeros(images.shape[1:], bool)
    for view in images:
        check()
        image = np.ascontiguousarray(view)
        head |= image > tissue_level(image)
    count = head.sum(axis=0)
    (top, bottom), (left, right) = _span(count.sum(axis=1)), _span(count.sum(axis=0))
    return top, bottom, left, right


def _span(profile: npt.NDArray[np.integer]) -> tuple[int, int]:
    """First and last index of a profile above the noise, widened by the margin."""
    occupied = np.flatnonzero(profile > STRAY * profile.max())
    if occupied.size == 0:
        return 0, profile.size
    return max(0, int(occupied[0]) - MARGIN), min(profile.size, int(occupied[-1]) + 1 + MARGIN)
