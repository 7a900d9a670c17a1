from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gliomask.core.volume import FloatArray
from gliomask.phantom.anatomy import Template
from gliomask.phantom.fields import PhantomGrid, VoxelRegion
from gliomask.phantom.tumour import Tumour, draw_tumour, push_aside

BALL = Tumour(
    centre=np.zeros(3, np.float32),
    side=1.0,
    volume_ml=33.51,  # a ball of radius 20 mm
    core=0.125,  # and one of radius 10 mm in it
    fluid=0.0,
    enhancing=0.0,
    shape=np.eye(3, dtype=np.float32),
    push=0.488,  # 1 - 0.8 cubed
    density=0.9,
    edge_mm=1.0,
)


def draws(template: Template, share: float, count: int, slices: int = 14) -> list[Tumour]:
    grid = PhantomGrid((40, 48, slices), (5.0, 5.0, 9.0), (0.0, -16.0, 8.0), parts=1)
    world = grid.points()
    region = VoxelRegion(grid, template.depth_mm(world)[..., 0] > 0)
    inside = region.take(world)
    rngs = (np.random.default_rng(seed) for seed in range(count))
    return [draw_tumour(rng, template, inside, inside, share) for rng in rngs]


def test_radii_of_balls() -> None:
    assert BALL.radius_mm == pytest.approx(20, abs=0.01)
    assert BALL.core_radius_mm == pytest.approx(10, abs=0.01)


def test_sizes_spread_as_in_lower_grade_gliomas(template: Template) -> None:
    volumes = np.array([tumour.volume_ml for tumour in draws(template, 0.4, 120)])
    assert 5 <= volumes.min() < 14
    assert 120 < volumes.max() <= 200
    assert np.median(volumes) == pytest.approx(60, rel=0.25)


def test_a_tumour_leaves_slices_free(template: Template) -> None:
    # Seven slices reach over 63 mm, 54 mm between the outermost: at most 0.28 of it for a radius.
    largest = max(tumour.radius_mm for tumour in draws(template, 0.4, 60, slices=7))
    assert largest == pytest.approx(0.28 * 54)


def test_sites_are_in_white_matter_of_their_side(template: Template) -> None:
    tumours = draws(template, 0.4, 60)
    centres = np.stack([tumour.centre for tumour in tumours], axis=1)
    assert template.tissues(centres)[2].mean() > 0.7
    assert [t.side for t in tumours] == np.sign(centres[0]).tolist()
    assert {-1.0, 1.0} == {t.side for t in tumours}


@pytest.mark.parametrize(("share", "enhances"), [(0.0, False), (1.0, True)])
def test_the_share_that_enhances(template: Template, share: float, enhances: bool) -> None:
    assert {t.enhancing > 0 for t in draws(template, share, 12)} == {enhances}


def test_shapes_keep_the_volume(template: Template) -> None:
    for tumour in draws(template, 0.4, 10):
        assert abs(np.linalg.det(tumour.shape)) == pytest.approx(1, abs=1e-4)


def pushed(tumour: Tumour, place: tuple[float, float, float], vault: float) -> FloatArray:
    world = np.array(place, np.float32).reshape(3, 1, 1)
    points = world.copy()
    push_aside(tumour, world, points, np.full((1, 1), vault, np.float32))
    return points[:, 0, 0]


def test_what_lies_around_the_core_came_from_within() -> None:
    # At twice the radius: 20^3 - 0.488 * 10^3 = 7512, whose cube root is 19.58.
    assert pushed(BALL, (20, 0, 0), 50) == pytest.approx([19.585, 0, 0], abs=0.01)
    # At the core's border 1000 - 488 = 512, whose cube root is 8.
    assert pushed(BALL, (0, 10, 0), 50) == pytest.approx([0, 8, 0], abs=0.01)
    assert pushed(BALL, (0, 0, -5), 50) == pytest.approx([0, 0, -4], abs=0.01)


def test_the_skull_holds() -> None:
    assert pushed(BALL, (0, 10, 0), 0).tolist() == [0, 10, 0]
    assert pushed(BALL, (0, 10, 0), 7) == pytest.approx([0, 9, 0], abs=0.01)  # half way


def test_no_push_moves_nothing() -> None:
    still = dataclasses.replace(BALL, push=0.0)
    assert pushed(still, (3, 4, 5), 50) == pytest.approx([3, 4, 5], abs=1e-5)
