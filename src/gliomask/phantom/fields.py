"""The grid that a phantom is computed on, the part of it that is head, smooth random fields.

A field is a coarse lattice of normal numbers blended by cubic B-splines. The blend is a product
with one small matrix per axis, so a field over a million voxels takes milliseconds. The lattice is
laid out in millimetres: the same draw gives the same patient at any resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine, FloatArray

Element = TypeVar("Element", bound=np.generic)

_SPREAD = 0.479
"""Mean sum of squares of the four B-spline weights: what blending leaves of the variance."""


@dataclass(frozen=True)
class PhantomGrid:
    """A box of voxels whose axes run to the right, the front and the head (RAS+).

    Attributes:
        shape: (I, J, K).
        voxel_mm: size of a voxel along each axis.
        centre_mm: world position of the middle of the box.
        parts: thin layers in each slice: a slice shows the mean of what it cuts through.
    """

    shape: tuple[int, int, int]
    voxel_mm: tuple[float, float, float]
    centre_mm: tuple[float, float, float]
    parts: int = 3

    @property
    def affine(self) -> Affine:
        """(4, 4) float64, voxel index to RAS+ mm."""
        affine = np.diag([*self.voxel_mm, 1.0])
        half = (np.array(self.shape) - 1) / 2
        affine[:3, 3] = np.array(self.centre_mm) - half * np.array(self.voxel_mm)
        return affine

    @property
    def part_ml(self) -> float:
        """Volume of one layer of one voxel, in ml."""
        return float(np.prod(self.voxel_mm)) / self.parts / 1000

    def spread(self, axis: int) -> tuple[int, float]:
        """Samples along an axis and mm between them: layers, not slices, along the last."""
        parts = self.parts if axis == 2 else 1
        return self.shape[axis] * parts, self.voxel_mm[axis] / parts

    def points(self) -> FloatArray:
        """(3, I, J, K, parts) world position in mm of every layer of every voxel."""
        lines = []
        for axis in range(3):
            count, step = self.spread(axis)
            line = self.centre_mm[axis] + (np.arange(count) - (count - 1) / 2) * step
            lines.append(line.astype(np.float32))
        return np.stack(np.meshgrid(*lines, indexing="ij")).reshape(3, *self.shape, self.parts)

    def smooth(self, rng: np.random.Generator, scale_mm: float) -> FloatArray:
        """(I, J, K, parts) random field of about zero mean and unit deviation.

        Args:
            rng: source of random numbers.
            scale_mm: distance between the lattice's nodes; lumps are about twice as wide.
        """
        weights = [_spline_weights(*self.spread(axis), scale_mm) for axis in range(3)]
        lattice = rng.standard_normal([w.shape[1] for w in weights], np.float32)
        for w in weights:  # each turn blends the first axis and moves it to the end
            lattice = np.tensordot(lattice, w, axes=(0, 1))
        field = lattice.reshape(*self.shape, self.parts)
        return np.asarray(field / np.float32(_SPREAD**1.5), np.float32)


@dataclass(frozen=True, eq=False)
class VoxelRegion:
    """The N voxels of a grid that are worth computing; values over it are (..., N, parts).

    Attributes:
        grid: the whole box.
        mask: (I, J, K) bool with N voxels set.
    """

    grid: PhantomGrid
    mask: npt.NDArray[np.bool_]

    @cached_property
    def index(self) -> npt.NDArray[np.intp]:
        """(N,) where the voxels are in the grid laid out as one line."""
        return np.flatnonzero(self.mask)

    def take(self, values: FloatArray) -> FloatArray:
        """(..., I, J, K, parts) to (..., N, parts)."""
        lines = values.reshape(*values.shape[:-4], -1, values.shape[-1])
        return lines.take(self.index, axis=-2)

    def put(self, values: npt.NDArray[Element]) -> npt.NDArray[Element]:
        """(..., N) to (..., I, J, K), 0 elsewhere."""
        lines = np.zeros((*values.shape[:-1], self.mask.size), values.dtype)
        lines[..., self.index] = values
        return lines.reshape(*values.shape[:-1], *self.grid.shape)

    def smooth(self, rng: np.random.Generator, scale_mm: float) -> FloatArray:
        """(N, parts): ``Grid.smooth`` within the region."""
        return self.take(self.grid.smooth(rng, scale_mm))

    def rough(self, rng: np.random.Generator, scales_mm: tuple[float, ...]) -> FloatArray:
        """(N, parts) field of unit deviation with lumps of several sizes, finer ones weaker.

        Each scale's share is proportional to it, as in natural outlines.
        """
        size = float(np.sqrt(sum(scale**2 for scale in scales_mm)))
        field = np.zeros((int(self.mask.sum()), self.grid.parts), np.float32)
        for scale in scales_mm:
            field += self.smooth(rng, scale) * np.float32(scale / size)
        return field


def _spline_weights(count: int, step: float, scale_mm: float) -> FloatArray:
    """(count, nodes): the weight of each node of the lattice for each sample along an axis."""
    place = (np.arange(count) + 0.5) * step / scale_mm
    first = np.floor(place).astype(int)
    t = place - first
    basis = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3)
    nodes = int(np.floor(count * step / scale_mm)) + 4
    weights = np.zeros((count, nodes), np.float32)
    for offset, values in enumerate(basis):
        weights[np.arange(count), first + offset] = values / 6
    return weights
