"""Incidental findings in a scan that are not tumour.

Vessels in the clefts, which light up after contrast medium, and the small bright spots that
ageing leaves in white matter. They are not labelled.
"""

from __future__ import annotations

import numpy as np

from gliomask.core.volume import FloatArray
from gliomask.phantom.fields import VoxelRegion
from gliomask.phantom.tissues import Tissue


def add_vessels(rng: np.random.Generator, region: VoxelRegion, fractions: FloatArray) -> None:
    """Turns a little of the fluid into vessels; ``fractions`` (T, N, parts) change in place."""
    share = 0.7 * np.clip(region.rough(rng, (7, 4)) - 1.3, 0, 1)
    _exchange(fractions, Tissue.CSF, Tissue.VESSEL, share)


def add_spots(rng: np.random.Generator, region: VoxelRegion, fractions: FloatArray) -> None:
    """Turns spots of white matter to the tissue of oedema, in place: many in some, none in most.

    They are a few mm wide and keep clear of the cortex, where partial volume leaves little WM.
    """
    rarity = rng.uniform(1.7, 4.0)
    share = 0.8 * np.clip(2 * (region.rough(rng, (5, 3)) - rarity), 0, 1)
    _exchange(fractions, Tissue.WM, Tissue.OEDEMA, share * (fractions[Tissue.WM] > 0.8))


def _exchange(fractions: FloatArray, old: Tissue, new: Tissue, share: FloatArray) -> None:
    moved = fractions[old] * share
    fractions[old] -= moved
    fractions[new] += moved
