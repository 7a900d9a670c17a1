"""Maps of regions that are stored as slices cropped to the head, and placed one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gliomask.core.slices import StackRecord, place
from gliomask.core.volume import FloatArray


@dataclass(frozen=True, eq=False)
class RegionMaps:
    """Maps of R regions on the grid of a volume, 0 outside the crop to the head.

    The crop is less than half of a usual volume, and who writes or shows maps needs one at a time:
    all of them on the grid of the volume would dominate the memory of the process.

    Attributes:
        cropped: (R, S, H, W) float32 on the cropped slices.
        record: conversion between those and the volume.
    """

    cropped: FloatArray
    record: StackRecord

    @property
    def shape(self) -> tuple[int, ...]:
        """(R, I, J, K)."""
        return (len(self.cropped), *self.record.shape)

    def __iter__(self) -> Iterator[FloatArray]:
        """The map of each region, (I, J, K)."""
        return (place(cropped, self.record) for cropped in self.cropped)

    def max(self) -> float:
        """Highest value anywhere."""
        return float(self.cropped.max(initial=0.0))

    def whole(self) -> FloatArray:
        """All maps, (R, I, J, K)."""
        return place(self.cropped, self.record)

    def maximum(self) -> FloatArray:
        """Highest value of any region at each voxel, (I, J, K)."""
        return place(np.max(self.cropped, axis=0), self.record)
