"""The error of a figure: by hand for blocks, and whether it holds the truth of digitised shapes."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.lesions.diameters import measure_diameters
from gliomask.lesions.error import (
    HALF_VOXEL,
    STATED,
    Measured,
    mask_volume,
    measured_diameters,
    probability_volume,
    stated_volume,
    total,
)
from tests.lesions.shapes import affine, ball, block, ellipse


def test_an_empty_mask_has_no_volume_and_no_error() -> None:
    assert mask_volume(np.zeros((4, 4, 4), bool), np.eye(4)) == Measured(0, 0, 0, HALF_VOXEL)


def test_a_layer_gains_and_loses_half_a_voxel_at_each_face() -> None:
    # Of a block 8 x 8 x 8 in voxels of 6 mm³ the outermost layer, 512 - 216 voxels, loses half.
    found = mask_volume(block((14, 14, 14), (3, 11), (3, 11), (3, 11)), affine(1.0, 2.0, 3.0))
    assert found.value == pytest.approx(512 * 0.006)
    assert found.low == pytest.approx((216 + 296 / 2) * 0.006)
    # Outside: half of 6 faces, and at the edges and corners what a distance of √2 and √3 leaves.
    edge, corner = 1.5 - np.sqrt(2), 0.0
    gained = 6 * 64 / 2 + 12 * 8 * edge + 8 * corner
    assert found.high == pytest.approx((512 + gained) * 0.006)


def test_a_block_at_the_border_gains_beyond_it() -> None:
    inner = mask_volume(block((9, 9, 9), (3, 6), (3, 6), (3, 6)), np.eye(4))
    assert mask_volume(block((9, 9, 9), (0, 3), (6, 9), (0, 3)), np.eye(4)) == inner


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 1.1, 3.0)])
@pytest.mark.parametrize("radius", [6.0, 11.3])
def test_the_error_holds_the_volume_of_a_ball(
    radius: float, spacing: tuple[float, float, float]
) -> None:
    found = mask_volume(ball(radius, spacing), affine(*spacing))
    assert found.low < 4 / 3 * np.pi * radius**3 / 1000 < found.high


def test_a_diameter_is_off_by_a_voxel_in_its_direction() -> None:
    row = measure_diameters(block((9, 5, 3), (1, 8), (2, 3), (1, 2)), affine(2.0, 0.5, 3.0))
    assert row is not None
    found = measured_diameters(row)
    assert (found.long.low, found.long.value, found.long.high) == pytest.approx((12, 14, 16))
    assert (found.short.low, found.short.value, found.short.high) == pytest.approx((0, 0.5, 1.0))
    assert (found.product.low, found.product.high) == pytest.approx((0, 16))
    assert found.product.value == pytest.approx(7)


def test_the_error_holds_the_axes_of_ellipses() -> None:
    """Of 60 ellipses of all directions, at least 95 % of either axis; none is off by much more."""
    rng = np.random.default_rng(5)
    long, short = [], []
    for _ in range(60):
        half, pixel = sorted(rng.uniform(5, 18, 2)), tuple(rng.uniform(0.6, 1.2, 2))
        mask = ellipse((half[1], half[0]), rng.uniform(0, np.pi), (pixel[0], pixel[1]))
        found = measure_diameters(mask, affine(*pixel, 4.0))
        assert found is not None
        errors = measured_diameters(found)
        long.append(errors.long.low <= 2 * half[1] <= errors.long.high)
        short.append(errors.short.low <= 2 * half[0] <= errors.short.high)
    assert np.mean(long) >= 0.95
    assert np.mean(short) >= 0.95


def test_thresholds_around_the_chosen_one() -> None:
    # Odds 1 become 3 and 1/3: thresholds 0.75 and 0.25. Odds 1/4 become 3/4 and 1/12.
    probability = np.array([0.05, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9]).reshape(2, 2, 2)
    found = probability_volume(probability, 0.5, affine(10.0, 10.0, 10.0))
    assert (found.low, found.value, found.high) == pytest.approx((2, 4, 6))
    found = probability_volume(probability, 0.2, affine(10.0, 10.0, 10.0))
    assert (found.low, found.value, found.high) == pytest.approx((4, 6, 7))


def test_a_stated_interval_is_widened_to_hold_the_volume() -> None:
    assert stated_volume(10.0, (8.0, 9.0)) == Measured(10.0, 8.0, 10.0, STATED)
    assert stated_volume(10.0, (8.0, 13.0)) == Measured(10.0, 8.0, 13.0, STATED)


def test_errors_add_up_in_a_sum() -> None:
    parts = [Measured(10, 8, 11, "a"), Measured(5, 4, 7, "b")]
    assert total(parts) == Measured(15, 12, 18, "a, b")
    assert total([]) == Measured(0, 0, 0, HALF_VOXEL)


def test_a_figure_lies_within_its_error() -> None:
    with pytest.raises(ValueError, match="not between"):
        Measured(3.0, 3.5, 4.0, HALF_VOXEL)
