"""Lesions of a mask: connected components, their sizes and positions.

A lesion is a 3-D connected component with 26-neighbourhood (voxels that share a face, an edge or a
corner), as in BraTS and in published tools that measure diameters. Very small components are listed
separately, because they are usually noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import is_larger, spacing_mm, voxel_ml
from gliomask.core.volume import Affine

Mask = npt.NDArray[np.bool_]
Point = tuple[float, float, float]

TINY_ML = 0.05
"""Components up to this volume are listed apart: BraTS 2023 ignores lesions of up to 50 mm³."""


@dataclass(frozen=True)
class Lesion:
    """One connected component.

    Attributes:
        number: in ``Lesions.labels``; 1 is the largest component.
        voxels: number of voxels.
        volume_ml: their volume in millilitres (sheared voxels included).
        centroid_mm: mean of its voxels' centres in RAS+ mm.
        box: for each voxel axis the first index and the one after the last.
        extent_mm: length of that box along each voxel axis, outer edge to outer edge.
        touches_border: a voxel of it lies in the first or last layer of the volume, so that some
            of it may be missing.
    """

    number: int
    voxels: int
    volume_ml: float
    centroid_mm: Point
    box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    extent_mm: Point
    touches_border: bool

    def crop(self, labels: npt.NDArray[np.int32]) -> Mask:
        """Mask of the lesion within its box."""
        own: Mask = labels[tuple(slice(*ends) for ends in self.box)] == self.number
        return own


@dataclass(frozen=True, eq=False)
class Lesions:
    """All components of one mask.

    Attributes:
        labels: (I, J, K) int32, the number of each voxel's component, 0 outside.
        found: lesions larger than ``tiny_ml``, the largest first.
        tiny: the others, the largest first.
        tiny_ml: the largest volume that counts as tiny.
    """

    labels: npt.NDArray[np.int32]
    found: tuple[Lesion, ...]
    tiny: tuple[Lesion, ...]
    tiny_ml: float


def find_lesions(mask: Mask, affine: Affine, tiny_ml: float = TINY_ML) -> Lesions:
    """Find the lesions of a mask (I, J, K); an empty one has none.

    Components of one size are in the order of their first voxel.

    Args:
        mask: bool.
        affine: (4, 4), voxel index to RAS+ mm.
        tiny_ml: components up to this volume are tiny.

    Raises:
        ValueError: the mask is not a volume.
    """
    from scipy.ndimage import find_objects, generate_binary_structure, label

    if mask.ndim != 3:
        raise ValueError(f"a mask of shape {mask.shape}, not (I, J, K)")
    labels = np.zeros(mask.shape, np.int32)
    boxes = find_objects(mask.view(np.uint8))
    if not boxes:
        return Lesions(labels, (), (), tiny_ml)
    largest_box = labels[boxes[0]]
    count = int(label(mask[boxes[0]], generate_binary_structure(3, 3), output=largest_box))
    sizes = np.bincount(largest_box.reshape(-1), minlength=count + 1)
    order = np.argsort(-sizes[1:], kind="stable") + 1
    rank = np.zeros(count + 1, np.int32)
    rank[order] = np.arange(1, count + 1)
    largest_box[...] = rank[largest_box]
    lesions = [
        _describe(labels, _moved(box, boxes[0]), n, affine)
        for n, box in enumerate(find_objects(largest_box), 1)
    ]
    measured_lesions = tuple(lesion for lesion in lesions if is_larger(lesion.volume_ml, tiny_ml))
    return Lesions(labels, measured_lesions, tuple(lesions[len(measured_lesions) :]), tiny_ml)


def _moved(box: tuple[slice, ...], within: tuple[slice, ...]) -> tuple[slice, ...]:
    """A box within another one, as one of the volume."""
    sides = zip(box, within, strict=True)
    return tuple(slice(own.start + by.start, own.stop + by.start) for own, by in sides)


def _describe(
    labels: npt.NDArray[np.int32], box: tuple[slice, ...], number: int, affine: Affine
) -> Lesion:
    (i0, i1), (j0, j1), (k0, k1) = ((side.start, side.stop) for side in box)
    where = np.argwhere(labels[box] == number)
    centre = where.mean(axis=0) + np.array([i0, j0, k0])
    x, y, z = affine[:3, :3] @ centre + affine[:3, 3]
    i_mm, j_mm, k_mm = spacing_mm(affine)
    ends = ((i0, i1), (j0, j1), (k0, k1))
    return Lesion(
        number=number,
        voxels=len(where),
        volume_ml=len(where) * voxel_ml(affine),
        centroid_mm=(float(x), float(y), float(z)),
        box=ends,
        extent_mm=((i1 - i0) * i_mm, (j1 - j0) * j_mm, (k1 - k0) * k_mm),
        touches_border=any(
            first == 0 or stop == n for (first, stop), n in zip(ends, labels.shape, strict=True)
        ),
    )
