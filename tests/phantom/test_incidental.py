from __future__ import annotations

import numpy as np

from gliomask.core.volume import FloatArray
from gliomask.phantom.fields import PhantomGrid, VoxelRegion
from gliomask.phantom.incidental import add_spots, add_vessels
from gliomask.phantom.tissues import Tissue

GRID = PhantomGrid((40, 40, 10), (3.0, 3.0, 6.0), (0, 0, 0), parts=2)
REGION = VoxelRegion(GRID, np.ones(GRID.shape, bool))


def filled(tissue: Tissue, share: float = 1.0) -> FloatArray:
    fractions = np.zeros((len(Tissue), 40 * 40 * 10, 2), np.float32)
    fractions[tissue] = share
    return fractions


def test_vessels_take_the_place_of_some_fluid() -> None:
    fractions = filled(Tissue.CSF)
    add_vessels(np.random.default_rng(0), REGION, fractions)
    assert 0.005 < fractions[Tissue.VESSEL].mean() < 0.2
    np.testing.assert_allclose(fractions.sum(axis=0), 1, atol=1e-6)
    assert np.flatnonzero(fractions.sum(axis=(1, 2))).tolist() == [Tissue.CSF, Tissue.VESSEL]


def test_there_are_no_vessels_without_fluid() -> None:
    fractions = filled(Tissue.WM)
    add_vessels(np.random.default_rng(0), REGION, fractions)
    assert (fractions == filled(Tissue.WM)).all()


def test_some_patients_have_bright_spots_and_some_have_none() -> None:
    spots = []
    for seed in range(12):
        fractions = filled(Tissue.WM)
        add_spots(np.random.default_rng(seed), REGION, fractions)
        spots.append(float(fractions[Tissue.OEDEMA].mean()))
        np.testing.assert_allclose(fractions.sum(axis=0), 1, atol=1e-6)
    assert min(spots) < 1e-3 < max(spots) < 0.05


def test_spots_keep_clear_of_the_cortex() -> None:
    fractions = filled(Tissue.WM, 0.7)
    add_spots(np.random.default_rng(0), REGION, fractions)
    assert fractions[Tissue.OEDEMA].max() == 0
