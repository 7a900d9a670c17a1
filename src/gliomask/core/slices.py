"""A volume as the stack of axial slices that a network sees, and the record that undoes it.

``to_slices`` is the only preprocessing there is: the store is filled with it and prediction runs
through it, so the two can't drift apart. Everything in it is exact or linear:

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
"""Of the preprocessing: a store or a model made with another one can't be used."""
MARGIN = 4
"""Pixels kept around the head by the crop."""
STRAY = 0.05
"""Share of the fullest row's or column's tissue up to which one counts as noise beyond the head."""


@dataclass(frozen=True, eq=False)
class StackRecord:
    """The exact record of how a volume became slices, so that masks can go back onto its grid.

    Attributes:
        shape: (I, J, K) of the volume.
        affine: (4, 4) of the volume, voxel to RAS+ mm.
        turn: how (I, J, K) became (S, H, W).
        box: (top, bottom, left, right): the rows and columns that the crop kept.
        has_world: whether millimetres mean anything.
    """

    shape: tuple[int, int, int]
    affine: Affine
    turn: Orientation
    box: tuple[int, int, int, int]
    has_world: bool

    @property
    def window(self) -> tuple[slice, slice]:
        """The rows and columns that the crop kept."""
        top, bottom, left, right = self.box
        return slice(top, bottom), slice(left, right)

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """(row, column) spacing in mm; (1, 1) where there is no world."""
        sizes = spacing_mm(self.affine)
        return sizes[self.turn.axes[1]], sizes[self.turn.axes[2]]

    @property
    def slice_mm(self) -> float:
        """Distance between slices in mm; 1 where there is no world."""
        return spacing_mm(self.affine)[self.turn.axes[0]]

    @property
    def voxel_ml(self) -> float:
        """The volume of a voxel in ml; where there is no world it counts as 1 mm³."""
        return voxel_ml(self.affine) if self.has_world else 0.001


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Axial slices in the reading frame, normalised and cropped to the head.

    Attributes:
        array: (S, C, H, W) float32, values of half precision in [-5, 5]; slices feet to head,
            rows front to back, columns patient's right to left.
        sequences: C names.
        record: undoes it.
    """

    array: FloatArray
    sequences: tuple[str, ...]
    record: StackRecord


def to_slices(volume: Volume, check: Callable[[], None] = lambda: None) -> SliceStack:
    """A volume (C, I, J, K) as a stack (S, C, H, W).

    Args:
        volume: to be preprocessed.
        check: called between sequences; what it raises ends the work.

    Raises:
        ValueError: a sequence is constant or the affine singular; the text says which.
    """
    turn = orientation(volume.affine)
    # Turned first, so that a head gives the same numbers whichever way its file lies. One sequence
    # at a time: a second copy of all of them would be most of what a process needs.
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
    """Maps or masks (..., S, H', W') of the cropped slices as whole slices (..., S, H, W).

    What the crop took away is 0 (False).
    """
    sizes = [record.shape[axis] for axis in record.turn.axes]
    whole = np.zeros((*maps.shape[:-3], *sizes), maps.dtype)
    whole[..., *record.window] = maps
    return whole


def place(maps: npt.NDArray[Element], record: StackRecord) -> npt.NDArray[Element]:
    """Maps or masks of the cropped slices back on the volume's grid (..., I, J, K).

    What the crop took away is 0 (False).
    """
    placed = np.zeros((*maps.shape[:-3], *record.shape), maps.dtype)
    to_reading(placed, record.turn)[..., *record.window] = maps
    return placed


def _head_box(images: FloatArray, check: Callable[[], None]) -> tuple[int, int, int, int]:
    """Rows and columns of the head over all sequences and slices (C, S, H, W), with a margin."""
    head = np.zeros(images.shape[1:], bool)
    for view in images:
        check()
        image = np.ascontiguousarray(view)
        head |= image > tissue_level(image)
    count = head.sum(axis=0)
    (top, bottom), (left, right) = _span(count.sum(axis=1)), _span(count.sum(axis=0))
    return top, bottom, left, right


def _span(profile: npt.NDArray[np.integer]) -> tuple[int, int]:
    """First and last index where a profile holds more than stray pixels, widened by the margin."""
    kept = np.flatnonzero(profile > STRAY * profile.max())
    if kept.size == 0:
        return 0, profile.size
    return max(0, int(kept[0]) - MARGIN), min(profile.size, int(kept[-1]) + 1 + MARGIN)
