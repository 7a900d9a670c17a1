"""Growth of a tumour in a brain: infiltration, solid core, fluid, enhancing part.

Infiltration and oedema spread through white matter, which lets them pass, rather than through
cortex and fluid, which don't, and not through the falx. Every compartment is what lies inside a
level of a rough distance to the centre; the level is chosen so that the volume comes out as drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gliomask.core.labels import ENHANCING, NECROSIS, OEDEMA, LabelArray
from gliomask.core.volume import FloatArray
from gliomask.phantom.fields import VoxelRegion
from gliomask.phantom.tissues import Tissue
from gliomask.phantom.tumour import Tumour

_HAND_MM = 1.2
"""Detail finer than about twice this is lost in a drawn outline."""
_LEAST_SHARE = 0.25
"""Voxels with less tumour than this are left out all the same."""


@dataclass(frozen=True, eq=False)
class Compartments:
    """Shares of the brain in each voxel that belong to the tumour, (N, parts), nested.

    Attributes:
        whole: everything that is tumour or oedema.
        core: solid or fluid tumour, within ``whole``.
        fluid: necrosis or cyst, within ``core``.
        rim: enhancing part, within ``core`` and apart from ``fluid``.
    """

    whole: FloatArray
    core: FloatArray
    fluid: FloatArray
    rim: FloatArray

    def labels(self, region: VoxelRegion) -> LabelArray:
        """(I, J, K) what an annotator would mark, with outlines as smooth as a hand draws them."""
        sigma = [*(_HAND_MM / step for step in region.grid.voxel_mm[:2]), 0]
        drawn = [region.put(np.asarray(p.mean(axis=-1))) for p in (self.whole, self.core, self.rim)]
        there = drawn[0] > _LEAST_SHARE
        whole, core, rim = (ndimage.gaussian_filter(part, sigma) * there for part in drawn)
        labels = np.where(whole > 0.5, OEDEMA, 0).astype(np.uint8)
        labels[core > 0.5] = NECROSIS
        labels[(core > 0.5) & (rim > 0.5 * core)] = ENHANCING
        return labels


def grow(
    rng: np.random.Generator,
    region: VoxelRegion,
    tumour: Tumour,
    world: FloatArray,
    points: FloatArray,
    brain: FloatArray,
) -> Compartments:
    """Lets the tumour grow into a healthy brain.

    Args:
        rng: source of random numbers.
        region: N voxels.
        tumour: the tumour to simulate.
        world: (3, N, parts) places in the patient, mm.
        points: the same places in the template, mm.
        brain: (3, N, parts) healthy fractions of CSF, GM, WM.
    """
    offset = world - tumour.centre[:, None, None]
    distance = np.sqrt(np.sum(np.tensordot(tumour.shape, offset, axes=1) ** 2, axis=0))
    count = tumour.volume_ml / region.grid.part_ml
    edge, core_radius = np.float32(tumour.edge_mm), np.float32(tumour.core_radius_mm)

    parenchyma = brain[Tissue.GM] + brain[Tissue.WM]
    beyond_falx = np.clip(-tumour.side * points[0] / 6, 0, 1)
    resistance = 0.3 * brain[Tissue.GM] + 0.8 * brain[Tissue.CSF] + beyond_falx
    rough = 0.3 * region.rough(rng, (24, 12)) + resistance
    outward = distance + np.float32(tumour.radius_mm) * rough
    whole = _ramp(_inside(outward, parenchyma > 0.5, count) / edge) * parenchyma
    whole *= _largest(region, whole > 0.5)

    outward = distance + core_radius * 0.25 * region.rough(rng, (20, 10, 5))
    depth = _inside(outward, whole > 0.5, count * tumour.core)
    core = np.minimum(_ramp(depth / edge), whole)

    outward = distance + core_radius * 0.3 * region.rough(rng, (10, 5))
    lake = _inside(outward, core > 0.5, count * tumour.core * tumour.fluid)
    fluid = np.minimum(_ramp(lake / edge), core)

    solid = core - fluid
    shore = np.where(np.isfinite(lake), np.abs(lake), distance)  # without fluid, the centre
    far_from_lake = shore / core_radius + 0.35 * region.rough(rng, (10, 5, 3))
    count_rim = tumour.enhancing * float(np.sum(solid > 0.5))
    rim = _ramp(_inside(far_from_lake, solid > 0.5, count_rim) / 0.15) * solid
    return Compartments(whole, core, fluid, rim)


def tissues_of(
    rng: np.random.Generator, region: VoxelRegion, parts: Compartments, density: float
) -> FloatArray:
    """(T, N, parts) fractions of the tumour's own tissues, 0 for all others.

    Infiltration leaves some brain in place, so that its anatomy shines through; solid tumour holds
    small lakes of fluid here and there.

    Args:
        rng: source of random numbers.
        region: N voxels.
        parts: the tumour's compartments.
        density: share of the tissue that infiltration replaces.
    """
    fractions = np.zeros((len(Tissue), *parts.whole.shape), np.float32)
    varied = density * (1 + 0.15 * region.rough(rng, (8, 4)))
    fractions[Tissue.OEDEMA] = (parts.whole - parts.core) * np.clip(varied, 0, 1)
    solid = parts.core - parts.fluid - parts.rim
    loose = np.clip(0.1 + 0.12 * region.rough(rng, (8, 4)), 0, 0.5)
    fractions[Tissue.TUMOUR] = solid * (1 - loose)
    fractions[Tissue.FLUID] = parts.fluid + solid * loose
    fractions[Tissue.RIM] = parts.rim
    return fractions


def _inside(outward: FloatArray, allowed: npt.NDArray[np.bool_], count: float) -> FloatArray:
    """mm inside the ``count`` innermost allowed places, negative outside; -inf for a count of 0."""
    values = outward[allowed]
    count_inside = min(int(count), values.size - 1)
    if count_inside < 1:
        return np.full_like(outward, -np.inf)
    return np.asarray(np.partition(values, count_inside)[count_inside] - outward, np.float32)


def _ramp(depth: FloatArray) -> FloatArray:
    """0 outside, 1 inside, a straight way between them of width 1 across the border."""
    return np.asarray(np.clip(depth + np.float32(0.5), 0, 1), np.float32)


def _largest(region: VoxelRegion, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(N, 1): whether a voxel is in the largest connected piece of a mask (N, parts)."""
    pieces, _ = ndimage.label(region.put(np.asarray(inside.any(axis=-1))))
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray((pieces == np.argmax(sizes))[region.mask][:, None])
