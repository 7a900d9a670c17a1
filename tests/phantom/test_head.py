from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.volume import FloatArray
from gliomask.phantom.anatomy import Template
from gliomask.phantom.fields import PhantomGrid, VoxelRegion
from gliomask.phantom.head import add_head, head_mask
from gliomask.phantom.tissues import Tissue

GRID = PhantomGrid((110, 120, 6), (2.0, 2.0, 16.0), (0.0, -14.0, 0.0), parts=1)


@pytest.fixture(scope="module")
def fractions(template: Template) -> FloatArray:
    """(T, I, J, K) of a head in the template's own space; slices at z = -40, -24 ... 40."""
    points = GRID.points()
    vault = template.vault_mm(points)
    flat = points.reshape(3, -1, 1)
    region = VoxelRegion(GRID, head_mask(flat, vault.reshape(-1, 1)).reshape(GRID.shape))
    head = np.zeros((len(Tissue), int(region.mask.sum()), 1), np.float32)
    head[:3] = template.tissues(region.take(points))
    add_head(np.random.default_rng(0), region, region.take(points), region.take(vault), head)
    return region.put(head[..., 0])


def voxel(x: float, y: float, z: float) -> tuple[int, int, int]:
    i, j, k, _ = np.rint(np.linalg.solve(GRID.affine, [x, y, z, 1])).astype(int).tolist()
    return i, j, k


def test_fractions_are_shares(fractions: FloatArray) -> None:
    assert fractions.min() >= -1e-6
    assert fractions.sum(axis=0).max() <= 1 + 1e-5


def test_the_brain_is_left_as_it_is(fractions: FloatArray, template: Template) -> None:
    prior = template.tissues(GRID.points())[..., 0]
    certain = prior.sum(axis=0) > 0.999
    np.testing.assert_allclose(fractions[:3, certain], prior[:, certain], atol=1e-5)


def test_layers_from_the_brain_outwards(fractions: FloatArray) -> None:
    ray = fractions[:, voxel(0, 0, 24)[0] :, voxel(0, -20, 24)[1], voxel(0, 0, 24)[2]]
    brain = np.flatnonzero(ray[[Tissue.GM, Tissue.WM]].sum(axis=0) > 0.5).max()
    scalp = np.flatnonzero(ray[Tissue.FAT] > 0.3)
    bone = np.flatnonzero(ray.sum(axis=0) - ray[Tissue.MARROW] < 0.3)
    assert scalp.min() > brain + 1
    assert ((bone > brain) & (bone < scalp.min())).any()  # dark bone beneath bright fat
    assert ray[:, -1].sum() == 0  # air


def test_eyes_hold_fluid_and_sinuses_air(fractions: FloatArray) -> None:
    for x in (32, -32):
        assert fractions[(Tissue.CSF, *voxel(x, 58, -40))] > 0.9
    assert fractions[(slice(None), *voxel(0, 20, -40))].sum() < 0.1


def test_the_mask_covers_the_head(template: Template) -> None:
    places = np.array([(0, 0, 0), (0, -115, 0), (0, 85, -60), (0, 120, 40)], np.float32)
    points = places.T.reshape(3, -1, 1)
    assert head_mask(points, template.vault_mm(points))[:, 0].tolist() == [True] * 3 + [False]
