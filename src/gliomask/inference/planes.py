"""Views of a stack of axial slices: slices in several planes, combined into one map.

The network's mistakes on a slice differ from those on slices that cross it. Where voxels are small
in all directions, a model that was trained on slices of several planes segments some slices of
each: of three planes every third slice. The maps of a plane are interpolated between its slices
(``through_slices``), and those of the planes averaged. The first plane shows where tumour is
possible: slices of the others that are not near it are left out, and the mean of the earlier planes
stands for them. So on average several planes take no longer than the axial one alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from threadpoolctl import threadpool_limits

from gliomask.core.geometry import Orientation, Plane
from gliomask.core.slices import MARGIN, SliceStack
from gliomask.core.volume import FloatArray
from gliomask.inference.image_kind import is_skull_stripped
from gliomask.inference.slice_batch import shows_something
from gliomask.inference.through_slices import combines, covers_head, gaussian_weights, smooth
from gliomask.nets.cards import AXIAL, ModelCard

CROSSING: Final[tuple[Plane, ...]] = ("coronal", "sagittal")
"""The planes that cross the axial one."""
VOXEL_MM: Final = 1.5
"""Largest side of voxels that are cut in several planes."""
POSSIBLE: Final = 0.25
"""Probability from which tumour is possible, before the temperature. A fixed value, so that neither
the temperature nor the threshold changes which slices are segmented."""
REACH: Final = 3.0
"""Distance, in standard deviations of the smoothing, beyond which a slice has almost no weight."""
Cut = Callable[[FloatArray], FloatArray]
"""From (A, S, H, W) of the axial slices to a view (A, N, H', W') of the slices of a plane."""


@dataclass(frozen=True, eq=False)
class PlaneView:
    """Slices that go through the network.

    Attributes:
        stack: n slices (n, C, H', W') as a stack of their own.
        smoothing_mm: standard deviation of the Gaussian across them, see ``through_slices``; 0 if
            they are not combined.
    """

    stack: SliceStack
    smoothing_mm: float

    def maps(self, total: FloatArray) -> FloatArray:
        """Array for the maps (R, n, H', W') of the slices: here the result itself.

        Args:
            total: (R, S, H, W) of the stack, 0 at first.
        """
        return total

    def near_tumour(self, total: FloatArray) -> npt.NDArray[np.bool_]:
        """(n,) bool: the slices that may show tumour according to the earlier planes; here all.

        Args:
            total: (R, S, H, W) of the stack, to which the earlier planes were added.
        """
        return np.ones(len(self.stack.array), bool)

    def add(self, maps: FloatArray, at: npt.NDArray[np.intp], total: FloatArray) -> None:
        """Adds the maps of these slices to those of the stack; here they are smoothed in place.

        Args:
            maps: (R, n, H', W').
            at: positions of the slices that went through the network.
            total: (R, S, H, W) of the stack.
        """
        if self.smoothing_mm:
            smooth(total, self.stack.record.slice_mm, self.smoothing_mm)


@dataclass(frozen=True, eq=False)
class CrossingView(PlaneView):
    """Every ``step``-th slice of one of ``step`` planes.

    Attributes:
        step: number of planes.
        before: number of planes that are combined before this one.
        cut: from axial slices to those of the plane.
    """

    step: int
    before: int
    cut: Cut

    def maps(self, total: FloatArray) -> FloatArray:
        """An array of its own, see ``PlaneView.maps``."""
        slices, _, height, width = self.stack.array.shape
        return np.zeros((len(total), slices, height, width), np.float32)

    def near_tumour(self, total: FloatArray) -> npt.NDArray[np.bool_]:
        """See ``PlaneView.near_tumour``: all slices of the first plane; of the others those within
        ``REACH`` of possible tumour in the mean of the earlier planes."""
        if not self.before:
            return super().near_tumour(total)
        highest = self.cut(total).max(axis=(0, 2, 3)) * (self.step / self.before)
        reach = math.ceil(REACH * self.smoothing_mm / self.stack.record.slice_mm)
        near: npt.NDArray[np.bool_] = ndimage.maximum_filter1d(
            highest >= POSSIBLE, 2 * reach + 1, mode="constant"
        )
        return near[:: self.step]

    def add(self, maps: FloatArray, at: npt.NDArray[np.intp], total: FloatArray) -> None:
        """Adds the share of this plane in the mean, interpolated between its slices. The mean of
        the earlier planes stands for slices that were left out."""
        cut = self.cut(total)
        distance = self.stack.record.slice_mm
        weights = gaussian_weights(cut.shape[1], distance, self.smoothing_mm, self.step)[:, at]
        if self.before:
            left_out = 1 - weights.sum(axis=1)
            cut *= (1 + left_out / self.before)[:, None, None]
        # The last digit would depend on the number of threads.
        with threadpool_limits(1, "blas"):
            for target, region in zip(cut, maps, strict=True):
                target += np.tensordot(weights / self.step, region[at], axes=1)


def views_of(stack: SliceStack, card: ModelCard) -> tuple[PlaneView, ...]:
    """The views of a stack: all axial slices, or some of each plane of the card."""
    if not combines(stack, card):
        return (PlaneView(stack, 0.0),)
    if card.planes == AXIAL or not crosses(stack):
        return (PlaneView(stack, card.slice_smoothing_mm),)
    head = _head(stack)
    return tuple(_crossing(stack, number, head, card) for number in range(len(card.planes)))


def crosses(stack: SliceStack) -> bool:
    """Return True for images that are cut in several planes: of the whole brain without the skull,
    with small voxels."""
    small = max(stack.record.slice_mm, *stack.record.pixel_mm) <= VOXEL_MM
    return covers_head(stack) and small and is_skull_stripped(stack)


def _head(stack: SliceStack) -> slice:
    """The axial slices that show something, with the margin of the crop."""
    varies = np.flatnonzero(shows_something(stack, range(stack.array.shape[1])))
    first, last = (varies[0], varies[-1]) if varies.size else (0, len(stack.array) - 1)
    return slice(max(0, int(first) - MARGIN), int(last) + 1 + MARGIN)


def _crossing(stack: SliceStack, number: int, head: slice, card: ModelCard) -> CrossingView:
    order, cut = _PLANES[card.planes[number]]
    step, record = len(card.planes), stack.record
    images = cut(stack.array.swapaxes(0, 1), head)[:, ::step].swapaxes(0, 1)
    slices, rows, columns = (record.turn.axes[axis] for axis in order)
    # Only the sizes of its voxels are used.
    sizes = replace(record, turn=Orientation((slices, rows, columns), record.turn.flips))
    return CrossingView(
        stack=replace(stack, array=images, record=sizes),
        smoothing_mm=card.slice_smoothing_mm,
        step=step,
        before=number,
        cut=lambda maps: cut(maps, head),
    )


def _axial(maps: FloatArray, head: slice) -> FloatArray:
    """Feet to head; rows front to back, columns right to left."""
    return maps


def _coronal(maps: FloatArray, head: slice) -> FloatArray:
    """Front to back; rows from the top of the head down, columns right to left."""
    return maps[:, head][:, ::-1].transpose(0, 2, 1, 3)


def _sagittal(maps: FloatArray, head: slice) -> FloatArray:
    """Left to right; rows from the top of the head down, columns front to back."""
    return maps[:, head][:, ::-1, :, ::-1].transpose(0, 3, 1, 2)


_PLANES: Final = {
    "axial": ((0, 1, 2), _axial),
    "coronal": ((1, 0, 2), _coronal),
    "sagittal": ((2, 0, 1), _sagittal),
}
"""Axes of the axial stack that are the slices, rows and columns of a plane, and its cut."""
