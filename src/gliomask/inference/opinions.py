"""Alternative predictions for a stack: masks of a network's other maps, as counts.

A network with deep supervision gives a side map at each of its stages, and another map again of
a mirrored slice. How far their masks lie from the plain one shows how unsure the network is. They
are compared on the network's own grid, where its maps are: scaling seven more maps to the grid of
the volume would take as long as a third of the network itself, and changes their counts by less
than a hundredth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.regions import labels_of_regions, region_masks
from gliomask.core.resample import extent, scales
from gliomask.core.slices import SliceStack
from gliomask.core.volume import FloatArray
from gliomask.nets.cards import ModelCard
from gliomask.statistics.temperature import adjusted_threshold

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Opinions:
    """M alternative predictions for a stack, in addition to the plain one.

    Attributes:
        probabilities: (R, S, H, W) float32 of the plain pass, on the cropped slices.
        disagreement: (R, S, H, W) float32, the standard deviation of the side maps'
            probabilities, taken on the network's grid; 0 for slices without tumour
            (``passes.NEARLY``), combined like the probabilities; None if it was not requested.
        names: M ways: ``side 1`` (the finest) to ``side 6``, ``left-right``, ``front-back``.
        plain: (R,) voxels of the plain mask.
        voxels: (M, R) voxels of the masks of the others, from their pixels on the network's grid.
        dice: (M, R) between each of them and the plain mask, on that grid; 1 if both are empty.
    """

    probabilities: FloatArray
    disagreement: FloatArray | None
    names: tuple[str, ...]
    plain: Counts
    voxels: Counts
    dice: npt.NDArray[np.float64]


def disagreement(opinions: Opinions, region: int) -> float:
    """1 - mean Dice between the plain mask of a region (its index) and the M others, in [0, 1]."""
    return float(1.0 - opinions.dice[:, region].mean())


@dataclass(frozen=True, eq=False)
class OtherMaps:
    """Maps of a network in addition to the plain one, of K slices; probabilities before the
    temperature.

    Attributes:
        sides: the side maps, each (K, R, size, size).
        picked: (P,) of these slices, those that were also looked at mirrored.
        mirrored: the maps of these, mirrored back, each (P, R, size, size).
    """

    sides: tuple[FloatArray, ...]
    picked: npt.NDArray[np.intp]
    mirrored: tuple[FloatArray, ...]


class Tally:
    """Volumes of masks on the network's grid, summed over the slices of one or several planes.

    Mirrored maps are of a sample of the slices: their Dice is that of the sample, and by how much
    their volumes differ from the plain one is scaled up from it.

    Args:
        card: of the network; sides, mirrored: numbers of maps of either sort.
    """

    def __init__(self, card: ModelCard, sides: int, mirrored: int) -> None:
        self._size, self._regions = card.size, card.regions
        self._level = adjusted_threshold(card.threshold, 1 / card.temperature)
        self._sides, self._mirrored = (_Comparison(n, len(card.regions)) for n in (sides, mirrored))

    def add(self, stack: SliceStack, fused: FloatArray, others: OtherMaps) -> None:
        """Adds K slices.

        Args:
            stack: the stack that they are of.
            fused: (K, R, size, size) the fused map, before smoothing and temperature.
            others: the other maps.
        """
        pixel_mm, shape = stack.record.pixel_mm, (stack.array.shape[-2], stack.array.shape[-1])
        window = extent(shape, pixel_mm, self._size)
        pixel = 1 / math.prod(scales(shape, pixel_mm, self._size))
        mask = self._masks(fused, window)
        sides, mirrored = (
            [self._masks(maps, window) for maps in several]
            for several in (others.sides, others.mirrored)
        )
        self._sides.add(mask, sides, pixel)
        self._mirrored.add(mask[:, others.picked], mirrored, pixel)

    def opinions(
        self,
        maps: FloatArray,
        apart: FloatArray | None,
        plain: Counts,
        names: tuple[str, ...],
        share: float = 1.0,
    ) -> Opinions:
        """Sums over the slices.

        Args:
            maps, apart, plain, names: see ``Opinions``.
            share: fraction of the planes that contributed slices; volumes are divided by it.
        """
        sides, mirrored = self._sides, self._mirrored
        sample = mirrored.slices / max(sides.slices, 1)
        more = np.concatenate([sides.excess, mirrored.excess / (sample or 1.0)])
        dice = np.concatenate([sides.dice, mirrored.dice])
        return Opinions(maps, apart, names, plain, _rounded((sides.plain + more) / share), dice)

    def _masks(self, maps: FloatArray, window: tuple[slice, slice]) -> npt.NDArray[np.bool_]:
        """(R, K, h, w) bool: the regions within the slice, an inner one within the outer."""
        marked = maps[:, :, *window].swapaxes(0, 1) >= self._level
        return region_masks(labels_of_regions(marked, self._regions), self._regions)


class _Comparison:
    """Masks of some maps compared with the plain one, in voxels.

    Attributes:
        slices: slices added so far.
        plain: (R,) voxels of the plain mask.
    """

    def __init__(self, others: int, regions: int) -> None:
        self.slices = 0
        self.plain = np.zeros(regions)
        self._voxels, self._shared = np.zeros((2, others, regions))

    def add(
        self,
        plain: npt.NDArray[np.bool_],
        others: Sequence[npt.NDArray[np.bool_]],
        pixel: float,
    ) -> None:
        """Adds slices (R, K, h, w), each pixel of which is so many voxels."""
        self.slices += plain.shape[1]
        self.plain += pixel * _count(plain)
        for k, mask in enumerate(others):
            self._voxels[k] += pixel * _count(mask)
            self._shared[k] += pixel * _count(mask & plain)

    @property
    def excess(self) -> npt.NDArray[np.float64]:
        """(M, R) voxels more than the plain mask."""
        return self._voxels - self.plain

    @property
    def dice(self) -> npt.NDArray[np.float64]:
        """(M, R) with the plain mask."""
        both = self.plain + self._voxels
        return np.where(both > 0, 2 * self._shared / np.where(both > 0, both, 1.0), 1.0)


def _rounded(voxels: npt.NDArray[np.float64]) -> Counts:
    """Rounded counts, at least 0: a mirrored map may mark so little that its estimate is below."""
    return np.rint(np.maximum(voxels, 0.0)).astype(np.int64)


def _count(masks: npt.NDArray[np.bool_]) -> Counts:
    """(..., S, H, W) to (...): how many voxels."""
    counts: Counts = np.count_nonzero(masks, axis=(-3, -2, -1)).astype(np.int64)
    return counts
