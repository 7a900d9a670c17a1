from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from gliomask.core.labels import ENHANCING, NECROSIS, OEDEMA
from gliomask.core.volume import FloatArray
from gliomask.phantom.fields import PhantomGrid, VoxelRegion
from gliomask.phantom.growth import Compartments, grow, tissues_of
from gliomask.phantom.tissues import Tissue
from gliomask.phantom.tumour import Tumour

GRID = PhantomGrid((40, 40, 20), (2.5, 2.5, 5.0), (30.0, 0.0, 0.0), parts=2)
REGION = VoxelRegion(GRID, np.ones(GRID.shape, bool))
WORLD = REGION.take(GRID.points())
RING = Tumour(
    centre=np.array([30, 0, 0], np.float32),
    side=1.0,
    volume_ml=40.0,
    core=0.5,
    fluid=0.4,
    enhancing=0.8,
    shape=np.eye(3, dtype=np.float32),
    push=0.0,
    density=0.8,
    edge_mm=1.0,
)


def all_white() -> FloatArray:
    brain = np.zeros((3, *WORLD.shape[1:]), np.float32)
    brain[Tissue.WM] = 1
    return brain


def grown(tumour: Tumour, brain: FloatArray, seed: int = 0) -> Compartments:
    return grow(np.random.default_rng(seed), REGION, tumour, WORLD, WORLD, brain)


def volume_ml(share: FloatArray) -> float:
    return float(share.sum()) * GRID.part_ml


def test_volumes_come_out_as_drawn() -> None:
    parts = grown(RING, all_white())
    assert volume_ml(parts.whole) == pytest.approx(40, rel=0.05)
    assert volume_ml(parts.core) == pytest.approx(20, rel=0.07)
    assert volume_ml(parts.fluid) == pytest.approx(8, rel=0.1)
    assert volume_ml(parts.rim) == pytest.approx(0.8 * 12, rel=0.2)


def test_compartments_are_nested() -> None:
    parts = grown(RING, all_white())
    assert (parts.core <= parts.whole).all()
    assert (parts.fluid + parts.rim <= parts.core + 1e-6).all()
    assert parts.rim.min() == parts.whole.min() == 0


def test_a_tumour_is_one_piece() -> None:
    for seed in range(4):
        _, pieces = ndimage.label(grown(RING, all_white(), seed).labels(REGION) > 0)
        assert pieces <= 2  # drawing may cut off a thin bridge


def test_shapes_differ() -> None:
    one, other = (grown(RING, all_white(), seed).labels(REGION) > 0 for seed in (1, 2))
    assert 2 * (one & other).sum() / (one.sum() + other.sum()) < 0.93


def test_it_spreads_in_white_matter_rather_than_in_cortex() -> None:
    brain = all_white()
    front = WORLD[1] > 0
    brain[Tissue.GM, front], brain[Tissue.WM, front] = 1, 0
    whole = grown(RING, brain).whole
    assert whole[~front].sum() > 1.5 * whole[front].sum()


def test_fluid_is_not_infiltrated() -> None:
    brain = all_white()
    lake = np.linalg.norm(WORLD - np.reshape([30, 12, 0], (3, 1, 1)), axis=0) < 6
    brain[Tissue.CSF, lake], brain[Tissue.WM, lake] = 1, 0
    assert grown(RING, brain).whole[lake].max() == 0


def test_the_falx_stops_it() -> None:
    near = dataclasses.replace(RING, centre=np.array([12, 0, 0], np.float32))
    labels = grown(near, all_white()).labels(REGION)
    x = GRID.points()[0, :, 0, 0, 0]
    assert labels[x < -7].sum() == 0
    assert labels[x > 0].sum() > 0


def test_no_fluid_and_no_enhancement_where_none_is_drawn() -> None:
    plain = dataclasses.replace(RING, fluid=0.0, enhancing=0.0)
    parts = grown(plain, all_white())
    assert parts.fluid.max() == parts.rim.max() == 0
    assert ENHANCING not in parts.labels(REGION)


def test_a_tumour_without_fluid_enhances_from_its_centre() -> None:
    parts = grown(dataclasses.replace(RING, fluid=0.0, enhancing=0.3), all_white())
    assert volume_ml(parts.rim) == pytest.approx(0.3 * 20, rel=0.2)
    distance = np.linalg.norm(WORLD - np.reshape([30, 0, 0], (3, 1, 1)), axis=0)
    assert distance[parts.rim > 0.5].mean() < distance[parts.core - parts.rim > 0.5].mean()


def test_labels_by_hand() -> None:
    grid = PhantomGrid(
        (5, 1, 1), (50.0, 50.0, 50.0), (0, 0, 0), parts=2
    )  # too coarse for the hand's blur
    region = VoxelRegion(grid, np.ones(grid.shape, bool))
    whole = np.array([[0.2, 0.2], [0.9, 0.4], [1, 1], [1, 1], [1, 1]], np.float32)
    core = np.array([[0, 0], [0.3, 0.3], [0.8, 0.4], [1, 1], [0.9, 0.9]], np.float32)
    rim = np.array([[0, 0], [0, 0], [0.1, 0.1], [0.8, 0.6], [0.4, 0.4]], np.float32)
    labels = Compartments(whole, core, np.zeros_like(core), rim).labels(region)
    assert labels.dtype == np.uint8
    assert labels.ravel().tolist() == [0, OEDEMA, NECROSIS, ENHANCING, NECROSIS]


def test_the_tissues_fill_the_compartments() -> None:
    parts = grown(RING, all_white())
    tissue = tissues_of(np.random.default_rng(0), REGION, parts, RING.density)
    assert tissue[[Tissue.CSF, Tissue.GM, Tissue.WM]].max() == 0
    np.testing.assert_allclose(tissue[Tissue.RIM], parts.rim)
    solid = tissue[[Tissue.TUMOUR, Tissue.FLUID, Tissue.RIM]].sum(axis=0)
    np.testing.assert_allclose(solid, parts.core, atol=1e-5)
    infiltrated = parts.whole - parts.core
    assert (tissue[Tissue.OEDEMA] <= infiltrated + 1e-6).all()
    assert tissue[Tissue.OEDEMA].sum() == pytest.approx(0.8 * infiltrated.sum(), rel=0.1)
