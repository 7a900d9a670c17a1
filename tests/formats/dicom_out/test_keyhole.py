"""Curves of a mask hold exactly its pixels, whichever rule a reader fills them by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from matplotlib.path import Path as MatplotlibPath

from gliomask.formats.dicom_out.keyhole import Curve, curves_of_mask, mask_of_curves

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=11), elements=st.booleans())


def by_matplotlib(curves: list[Curve], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    rows, columns = np.indices(shape)
    centres = np.stack([columns.ravel(), rows.ravel()], axis=1)
    inside = np.zeros(len(centres), np.bool_)
    for curve in curves:
        inside ^= MatplotlibPath(np.vstack([curve, curve[:1]]), closed=True).contains_points(
            centres
        )
    return inside.reshape(shape)


def by_winding(curves: list[Curve], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Pixels that the curves run around: how often, by the crossings of a line to the right."""
    rows, columns = np.indices(shape)
    around = np.zeros(shape, np.int64)
    for curve in curves:
        for (x0, y0), (x1, y1) in zip(curve, np.roll(curve, -1, axis=0), strict=True):
            side = (x1 - x0) * (rows - y0) - (columns - x0) * (y1 - y0)
            around += (y0 <= rows) & (rows < y1) & (side > 0)
            around -= (y1 <= rows) & (rows < y0) & (side < 0)
    inside: npt.NDArray[np.bool_] = around != 0
    return inside


def area(curve: Curve) -> float:
    x, y = curve.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_a_lone_pixel_is_a_diamond() -> None:
    mask = np.zeros((3, 4), np.bool_)
    mask[1, 2] = True
    (curve,) = curves_of_mask(mask)
    assert sorted(curve.tolist()) == [[1.5, 1], [2, 0.5], [2, 1.5], [2.5, 1]]
    assert area(curve) == 0.5


def test_a_ring_is_one_curve_of_the_ring_s_area() -> None:
    """A square of 3 x 3 has its four corners cut by 1/8 each; the hole is a diamond of 1/2."""
    mask = np.ones((3, 3), np.bool_)
    mask[1, 1] = False
    (curve,) = curves_of_mask(mask)
    assert area(curve) == 9 - 4 / 8 - 1 / 2


def test_straight_sides_have_no_points_between_corners() -> None:
    (curve,) = curves_of_mask(np.ones((5, 7), np.bool_))
    assert len(curve) == 8


def test_an_island_in_a_hole_is_a_curve_of_its_own() -> None:
    mask = np.ones((7, 7), np.bool_)
    mask[1:6, 1:6] = False
    mask[3, 3] = True
    curves = curves_of_mask(mask)
    assert len(curves) == 2
    assert np.array_equal(mask_of_curves(curves, mask.shape), mask)


def test_no_mask_no_curve() -> None:
    assert curves_of_mask(np.zeros((4, 5), np.bool_)) == []
    assert not mask_of_curves([], (4, 5)).any()


def test_many_holes_beside_and_above_each_other() -> None:
    mask = np.ones((9, 21), np.bool_)
    mask[1:-1:2, 1:-1:2] = False
    mask[3, 3:9] = False
    (curve,) = curves_of_mask(mask)
    for fill in (mask_of_curves, by_matplotlib, by_winding):
        assert np.array_equal(fill([curve], (9, 21)), mask)


@given(MASKS)
def test_filling_gives_the_mask_back(mask: npt.NDArray[np.bool_]) -> None:
    curves, shape = curves_of_mask(mask), (mask.shape[0], mask.shape[1])
    for fill in (mask_of_curves, by_matplotlib, by_winding):
        assert np.array_equal(fill(curves, shape), mask)


@given(MASKS, st.integers(0, 2**32 - 1))
def test_rounding_of_points_changes_nothing(mask: npt.NDArray[np.bool_], seed: int) -> None:
    rng, shape = np.random.default_rng(seed), (mask.shape[0], mask.shape[1])
    curves = [c + rng.uniform(-1e-3, 1e-3, c.shape) for c in curves_of_mask(mask)]
    assert np.array_equal(mask_of_curves(curves, shape), mask)
    assert np.array_equal(by_matplotlib(curves, shape), mask)
