from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.phantom.fields import PhantomGrid, VoxelRegion

GRID = PhantomGrid((10, 12, 4), (3.0, 2.0, 6.0), (1.0, -5.0, 8.0), parts=3)


def test_points_are_where_the_affine_says() -> None:
    points = GRID.points()
    assert points.shape == (3, 10, 12, 4, 3)
    for index in ((0, 0, 0), (9, 11, 3), (4, 2, 1)):
        assert points[:, *index, 1] == pytest.approx((GRID.affine @ [*index, 1])[:3])


def test_layers_of_a_slice_lie_within_it() -> None:
    z = GRID.points()[2, 0, 0]
    assert z[0].tolist() == pytest.approx([-3, -1, 1])  # 8 mm is the middle of 24 mm
    assert np.diff(z.ravel()) == pytest.approx(2.0)


def test_the_volume_of_a_layer() -> None:
    assert GRID.part_ml == pytest.approx(3 * 2 * 6 / 3 / 1000)


def test_a_field_is_about_standard_normal() -> None:
    field = PhantomGrid((60, 60, 20), (4.0, 4.0, 4.0), (0, 0, 0)).smooth(
        np.random.default_rng(0), 8.0
    )
    assert field.shape == (60, 60, 20, 3)
    assert field.dtype == np.float32
    assert field.mean() == pytest.approx(0, abs=0.05)
    assert field.std() == pytest.approx(1, abs=0.05)


def test_a_field_is_smooth_over_its_scale() -> None:
    field = PhantomGrid((200, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0)).smooth(
        np.random.default_rng(0), 40.0
    )
    assert np.abs(np.diff(field, axis=0)).max() < 0.15


def test_the_same_draw_is_the_same_field_at_any_resolution() -> None:
    coarse = dataclasses.replace(GRID, parts=1).smooth(np.random.default_rng(3), 7.0)
    fine = GRID.smooth(np.random.default_rng(3), 7.0)
    np.testing.assert_allclose(fine[..., 1], coarse[..., 0], atol=1e-5)


def test_a_region_takes_and_puts_back() -> None:
    mask = np.zeros(GRID.shape, bool)
    mask[2, 3, 1] = mask[5, 6, 2] = True
    region = VoxelRegion(GRID, mask)
    taken = region.take(GRID.points())
    assert taken.shape == (3, 2, 3)
    assert taken[:, 0, 1] == pytest.approx((GRID.affine @ [2, 3, 1, 1])[:3])
    back = region.put(np.array([[7, 8]], np.uint8))
    assert back.shape == (1, *GRID.shape)
    assert back.dtype == np.uint8
    assert (back[0, 2, 3, 1], back[0, 5, 6, 2], back.sum()) == (7, 8, 15)


@settings(deadline=None, max_examples=20)
@given(scale=st.floats(2, 90), shape=st.tuples(*[st.integers(1, 12)] * 3), parts=st.integers(1, 4))
def test_rough_fields_have_the_region_s_shape_and_are_finite(
    scale: float, shape: tuple[int, int, int], parts: int
) -> None:
    grid = PhantomGrid(shape, (2.0, 3.0, 5.0), (0.0, 0.0, 0.0), parts)
    field = VoxelRegion(grid, np.ones(shape, bool)).rough(
        np.random.default_rng(0), (scale, scale / 2)
    )
    assert field.shape == (int(np.prod(shape)), parts)
    assert np.isfinite(field).all()
