from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.volume import FloatArray
from gliomask.phantom.anatomy import Template, bend, brain, crumple, load_template
from gliomask.phantom.fields import PhantomGrid, VoxelRegion
from gliomask.phantom.tissues import Tissue

GRID = PhantomGrid((40, 48, 8), (5.0, 5.0, 12.0), (0.0, -16.0, 8.0), parts=1)


def at(*places: tuple[float, float, float]) -> FloatArray:
    return np.array(places, np.float32).T


def test_the_template_is_loaded_once() -> None:
    assert load_template() is load_template()


def test_tissues_at_known_places(template: Template) -> None:
    csf, gm, wm = template.tissues(at((-25, -15, 30), (12, 12, 8), (-6, -2, 20), (0, 0, 90)))
    assert wm[0] > 0.9  # centrum semiovale
    assert gm[1] > 0.6  # caudate nucleus
    assert csf[2] > 0.5  # lateral ventricle
    assert csf[3] == gm[3] == wm[3] == 0  # above the head


def test_distances_grow_inwards(template: Template) -> None:
    places = at((0, -18, 8), (60, -18, 8), (110, -18, 8))
    depth, vault = template.depth_mm(places), template.vault_mm(places)
    assert depth[0] > depth[1] > 0 > depth[2]
    assert vault[2] == pytest.approx(-40, abs=8)  # the temporal bone is about 70 mm out


def test_the_vault_bridges_clefts(template: Template) -> None:
    places = at((0, -90, -8), (0, 70, 0))  # fissures behind and in front
    depth, vault = template.depth_mm(places), template.vault_mm(places)
    assert (vault >= depth - 1).all()


def test_the_template_is_symmetric_and_a_patient_is_not(template: Template) -> None:
    plain = template.tissues(GRID.points())
    np.testing.assert_allclose(plain, plain[:, ::-1], atol=1e-5)
    bent = template.tissues(bend(np.random.default_rng(0), GRID))
    assert np.abs(bent - bent[:, ::-1]).mean() > 0.02


def test_patients_are_bent_differently(template: Template) -> None:
    one, other = (bend(np.random.default_rng(seed), GRID) for seed in (1, 2))
    moved = np.linalg.norm(one - GRID.points(), axis=0)
    assert 1 < moved.mean() < 15
    assert np.linalg.norm(one - other, axis=0).mean() > 2


def brain_region(template: Template) -> tuple[VoxelRegion, FloatArray]:
    points = GRID.points()
    region = VoxelRegion(GRID, template.depth_mm(points)[..., 0] > -3)
    return region, region.take(points)


def test_crumpling_leaves_the_surface(template: Template) -> None:
    region, points = brain_region(template)
    vault = template.vault_mm(points)
    moved = np.linalg.norm(
        crumple(np.random.default_rng(0), region, points, vault) - points, axis=0
    )
    assert moved[vault <= 0].max() == 0
    assert moved[vault > 20].mean() > 1


def test_a_brain_is_crisper_than_the_average(template: Template) -> None:
    region, points = brain_region(template)
    prior = template.tissues(points)
    sharp = brain(np.random.default_rng(0), region, prior)
    np.testing.assert_allclose(sharp.sum(axis=0), prior.sum(axis=0), atol=1e-5)
    assert (sharp >= 0).all()
    assert sharp.max(axis=0).mean() > prior.max(axis=0).mean() + 0.03


def test_a_brain_has_each_tissue(template: Template) -> None:
    region, points = brain_region(template)
    total = brain(np.random.default_rng(1), region, template.tissues(points)).sum(axis=(1, 2))
    share = total / total.sum()
    assert 0.05 < share[Tissue.CSF] < 0.3
    assert 0.35 < share[Tissue.GM] < 0.65
    assert 0.2 < share[Tissue.WM] < 0.5
