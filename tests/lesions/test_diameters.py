"""Diameters against figures worked by hand, known ellipses, and a slow search of another make."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from gliomask.lesions.diameters import Diameters, measure_diameters
from tests.lesions.shapes import Mask, affine, block, ellipse, oblique

Pair = tuple[float, float]


def measured(mask: Mask, matrix: npt.NDArray[np.float64] | None = None) -> Diameters:
    found = measure_diameters(mask, np.eye(4) if matrix is None else matrix)
    assert found is not None
    return found


def lengths(found: Diameters) -> Pair:
    return found.long.length_mm, found.short.length_mm


def test_an_empty_mask_has_no_diameters() -> None:
    assert measure_diameters(np.zeros((5, 5, 5), bool), np.eye(4)) is None


def test_a_voxel_is_one_pixel_wide() -> None:
    found = measured(block((5, 6, 7), (2, 3), (3, 4), (4, 5)))
    assert lengths(found) == pytest.approx((1, 1))
    assert (found.axis, found.slice_index, found.slices) == (2, 4, 1)


def test_an_anisotropic_voxel_is_as_long_as_its_longer_side() -> None:
    found = measured(block((5, 5, 5), (2, 3), (2, 3), (2, 3)), affine(0.5, 2.0, 4.0))
    assert lengths(found) == pytest.approx((2.0, 0.5))
    assert found.product_mm2 == pytest.approx(1.0)
    assert found.slice_mm == pytest.approx(4.0)


def test_a_row_of_pixels() -> None:
    found = measured(block((9, 5, 3), (1, 8), (2, 3), (1, 2)))
    assert lengths(found) == pytest.approx((7, 1))
    assert sorted(found.long.voxels) == [(0.5, 2, 1), (7.5, 2, 1)]


@pytest.mark.parametrize(("width", "height"), [(10, 4), (6, 6), (12, 3)])
def test_a_rectangle(width: int, height: int) -> None:
    # From the middle of the short side's end pixel to that of the opposite one: the outermost
    # points (w/2, h/2 - 1/2) and (-w/2, -h/2 + 1/2) about the centre.
    mask = block((20, 20, 4), (3, 3 + width), (4, 4 + height), (1, 3))
    long, short = lengths(measured(mask))
    assert long == pytest.approx(np.hypot(width, height - 1))
    if height < width - 2:
        # The perpendicular runs from side to side: its slope makes it longer than the height.
        assert short == pytest.approx(height * long / width)


def test_an_l_is_not_measured_across_its_notch() -> None:
    # Two arms of 10 x 2 pixels from the corner pixel (0, 0). The tips are 10.6 apart, but outside.
    mask = block((14, 14, 1), (0, 10), (0, 2), (0, 1)) | block((14, 14, 1), (0, 2), (0, 10), (0, 1))
    found = measured(mask)
    # From (9.5, 0) on the end of one arm to (-0.5, 2) on its outer side: 10 by 2. It touches the
    # outline in the notch at (2, 1.5), so none ends further on.
    assert lengths(found)[0] == pytest.approx(np.hypot(10, 2))
    # At a right angle, in the other arm: row = column / 5 - 0.3 touches the outline at (1.5, 9) and
    # leaves it through the corner cut off between (-0.5, 0) and (0, -0.5), at column -1/6.
    assert lengths(found)[1] == pytest.approx((9 + 1 / 6) * np.hypot(1, 1 / 5))


def test_a_ring_is_not_measured_across_its_hole() -> None:
    mask = block((30, 30, 1), (5, 25), (5, 25), (0, 1))
    whole = lengths(measured(mask))
    mask[8:22, 8:22] = False
    long, short = lengths(measured(mask))
    # Along one side: from (-0.5, 0) to (19.5, 3), which passes the hole's corner pixel at (16.5, 3)
    # through column 2.55, where the outline of the hole is cut off; (19.5, 4) can't be seen.
    assert long == pytest.approx(np.hypot(20, 3))
    assert whole == pytest.approx((np.hypot(20, 19),) * 2, abs=0.5)
    assert short < long


def test_pixels_that_touch_by_a_corner_hang_together() -> None:
    mask = np.zeros((5, 5, 1), bool)
    mask[1, 1] = mask[2, 2] = True
    # From (0.5, 1) to (2.5, 2) and the like; the neck at (1.5, 1.5) is 0.7 wide.
    assert lengths(measured(mask))[0] == pytest.approx(np.hypot(2, 1))


def test_the_slice_with_the_longest_diameter_is_taken() -> None:
    mask = block((30, 30, 9), (5, 15), (5, 15), (0, 6))  # the larger area
    mask[2:27, 9:10, 7] = True
    mask[9, 9, 6] = True
    found = measured(mask)
    assert found.slice_index == 7
    assert lengths(found)[0] == pytest.approx(25)
    assert found.slices == 8


def test_of_equal_slices_the_first_from_the_feet() -> None:
    mask = block((12, 12, 9), (2, 9), (2, 5), (2, 7))
    assert measured(mask).slice_index == 2
    head_first = np.diag([1.0, 1.0, -1.0, 1.0])
    assert measured(mask, head_first).slice_index == 6


@pytest.mark.parametrize("degrees", [0, 17, 45, 74, 90, 133])
@pytest.mark.parametrize("pixel", [(1.0, 1.0), (0.5, 0.9), (1.5, 0.7)])
def test_turned_ellipses(degrees: float, pixel: Pair) -> None:
    mask = ellipse((14.0, 8.0), np.radians(degrees), pixel)
    long, short = lengths(measured(mask, affine(*pixel, 5.0)))
    assert long == pytest.approx(28.0, abs=max(pixel))
    assert short == pytest.approx(16.0, abs=2 * max(pixel))


def test_the_ends_are_where_a_viewer_draws_them() -> None:
    matrix = oblique((0.8, 1.1, 3.0), 20)
    found = measured(np.tile(ellipse((12.0, 7.0), 0.6, (0.8, 1.1)), (1, 1, 3)), matrix)
    for line in (found.long, found.short):
        world = [matrix[:3, :3] @ end + matrix[:3, 3] for end in line.voxels]
        np.testing.assert_allclose(world, line.mm, atol=1e-9)
        assert np.linalg.norm(world[1] - world[0]) == pytest.approx(line.length_mm)
        assert {end[found.axis] for end in line.voxels} == {found.slice_index}
    steps = [np.subtract(*line.mm) for line in (found.long, found.short)]
    assert abs(steps[0] @ steps[1]) < 1e-6 * found.product_mm2


def test_lying_otherwise_changes_nothing() -> None:
    """The same head, its file stored along other axes, oblique and not."""
    mask = np.zeros((30, 26, 7), bool)
    mask[:, :, 2:5] = np.random.default_rng(3).random((30, 26, 3)) < 0.75
    mask[0, 0, 0] = True
    for matrix in (affine(0.9, 1.2, 4.0), oblique((0.9, 1.2, 4.0), 25)):
        expected = measured(mask, matrix)
        turn = np.zeros((4, 4))
        turn[[0, 1, 2, 3], [1, 2, 0, 3]] = 1.0  # (i, j, k) is found at (k, i, j)
        turn[0, 1], turn[0, 3] = -1.0, mask.shape[0] - 1.0  # and i reversed
        stored = mask[::-1].transpose(2, 0, 1)
        found = measured(stored, matrix @ turn)
        assert lengths(found) == pytest.approx(lengths(expected))
        assert found.axis == 0
        np.testing.assert_allclose(sorted(found.long.mm), sorted(expected.long.mm), atol=1e-9)


def test_cut_out_of_a_volume() -> None:
    mask = block((20, 20, 9), (4, 15), (6, 11), (2, 7))
    matrix = oblique((1.0, 1.0, 2.0), 10)
    assert measure_diameters(mask[3:18, 5:14, 1:8], matrix, (3, 5, 1)) == measured(mask, matrix)


@pytest.mark.slow
def test_noise_takes_bounded_work() -> None:
    """A slice of noise has tens of thousands of points on its outline; its diameters stay lines
    within it."""
    noise = np.random.default_rng(0).random((200, 200, 1)) < 0.7
    noise[100, :, 0] = True
    long, short = lengths(measured(noise))
    assert 100 < long <= np.hypot(200, 2)
    assert 0 < short <= long


class SlowSearch:
    """The same definition, searched by walking in small steps: every cell between four centres is
    a convex polygon of its inner corners and the middles of the sides that the outline crosses."""

    def __init__(self, mask: npt.NDArray[np.bool_], pixel: Pair) -> None:
        self.padded = np.pad(mask, 2)
        self.pixel = np.array(pixel)
        self.ends = [
            (a + np.array(b)) / 2
            for a in np.argwhere(self.padded)
            for b in (a + np.array(step) for step in ((0, 1), (1, 0), (0, -1), (-1, 0)))
            if not self.padded[tuple(b)]
        ]

    def holds(self, y: float, x: float) -> bool:
        r, c = int(np.floor(y)), int(np.floor(x))
        corners = [(0, 0), (0, 1), (1, 1), (1, 0)]
        polygon = []
        for n, corner in enumerate(corners):
            after = corners[(n + 1) % 4]
            here, there = (bool(self.padded[r + a, c + b]) for a, b in (corner, after))
            if here:
                polygon.append(np.array(corner, float))
            if here != there:
                polygon.append((np.array(corner) + np.array(after)) / 2)
        point = np.array([y - r, x - c])
        sides = []
        for n, one in enumerate(polygon):
            other = polygon[(n + 1) % len(polygon)]
            edge, to = other - one, point - one
            sides.append(edge[0] * to[1] - edge[1] * to[0])
        return bool(sides) and (min(sides) >= -1e-7 or max(sides) <= 1e-7)

    def sees(self, one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> bool:
        steps = max(2, int(40 * np.linalg.norm(other - one)))
        return all(self.holds(*(one + t * (other - one))) for t in np.linspace(0.001, 0.999, steps))

    def longest(self) -> Pair:
        pairs = sorted(
            ((self.mm(b - a), a, b) for n, a in enumerate(self.ends) for b in self.ends[:n]),
            key=lambda pair: -pair[0],
        )
        ties: list[tuple[float, npt.NDArray[np.float64]]] = []
        for length, a, b in pairs:
            if ties and length < ties[0][0] - 1e-9:
                break
            if self.sees(a, b):
                ties.append((length, b - a))
        return ties[0][0], max(self.across(step) for _, step in ties)

    def across(self, step: npt.NDArray[np.float64]) -> float:
        along = step * self.pixel
        way = np.array([-along[1], along[0]]) / self.pixel
        way *= 0.02 / self.mm(way)
        return max(self.walk(end, way) + self.walk(end, -way) for end in self.ends)

    def walk(self, start: npt.NDArray[np.float64], way: npt.NDArray[np.float64]) -> float:
        steps = 0
        while self.holds(*(start + (steps + 0.5) * way)):
            steps += 1
        return steps * 0.02

    def mm(self, step: npt.NDArray[np.float64]) -> float:
        return float(np.linalg.norm(step * self.pixel))


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))]
)
def test_the_same_as_a_slow_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixel = (1.0, 1.0) if seed % 3 else (0.7, 1.3)
    mask = rng.random((7, 7)) < (0.55 if seed % 2 else 0.8)
    expected = sorted(SlowSearch(mask, pixel).longest())
    found = sorted(lengths(measured(mask[:, :, None], affine(*pixel, 3.0))))
    assert found == pytest.approx(expected, abs=0.05)
