"""Surface distances against MONAI, SimpleITK, brute force and numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import numpy as np
import numpy.typing as npt
import pytest

from gliomask.metrics.surface_distances import SurfaceScore, score_surface

Mask = npt.NDArray[np.bool_]
Lengths = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pair:
    reference: Mask
    predicted: Mask
    spacing: tuple[float, ...]


def random_mask(rng: np.random.Generator, shape: tuple[int, ...]) -> Mask:
    """Noise, a box that may touch the border, or a single voxel; never empty."""
    kind, mask = rng.integers(3), np.zeros(shape, bool)
    if kind == 0:
        mask |= rng.random(shape) < rng.uniform(0.02, 0.7)
    elif kind == 1:
        starts = [int(rng.integers(0, n)) for n in shape]
        mask[tuple(slice(s, int(rng.integers(s + 1, n + 1))) for s, n in zip(starts, shape))] = True  # noqa: B905
    mask[tuple(int(rng.integers(n)) for n in shape)] = True
    return mask


@cache
def pairs() -> tuple[Pair, ...]:
    rng, made = np.random.default_rng(11), []
    for number in range(200):
        dimensions = 2 if number % 5 == 0 else 3
        shape = tuple(int(n) for n in rng.integers(1, 11, dimensions))
        spacing = tuple(float(rng.choice([0.5, 1.0, 2.0, 3.3, 6.0])) for _ in shape)
        made.append(Pair(random_mask(rng, shape), random_mask(rng, shape), spacing))
    return tuple(made)


def figures(way_there: Lengths, way_back: Lengths) -> tuple[float, ...]:
    both = np.concatenate((way_there, way_back))
    hd95 = max(np.percentile(way, 95) for way in (way_there, way_back))
    return float(hd95), float(both.mean()), float((both <= 1).mean()), float((both <= 2).mean())


def own(score: SurfaceScore) -> tuple[float | None, ...]:
    return score.hd95, score.assd, score.nsd_1, score.nsd_2


def edge_points(mask: Mask, spacing: tuple[float, ...]) -> Lengths:
    """Centres of voxels with a face neighbour outside, by looking at each neighbour."""
    padded = np.pad(mask, 1)
    inner = np.ones_like(padded)
    for axis in range(mask.ndim):
        for step in (-1, 1):
            inner &= np.roll(padded, step, axis)
    points: Lengths = (np.argwhere(padded & ~inner) - 1) * np.array(spacing)
    return points


def by_brute_force(pair: Pair) -> tuple[float, ...]:
    drawn, found = (edge_points(m, pair.spacing) for m in (pair.reference, pair.predicted))
    apart = np.sqrt(((drawn[:, None] - found[None]) ** 2).sum(axis=2))
    return figures(apart.min(axis=1), apart.min(axis=0))


def by_simpleitk(pair: Pair) -> tuple[float, ...]:
    sitk = import_module("SimpleITK")
    contours = []
    for mask in (pair.reference, pair.predicted):
        image = sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8))
        image.SetSpacing(pair.spacing[::-1])
        contours.append(sitk.LabelContour(image, fullyConnected=False))
    maps = [
        np.abs(
            sitk.GetArrayFromImage(
                sitk.SignedMaurerDistanceMap(
                    contour, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
                )
            )
        )
        for contour in contours
    ]
    drawn, found = (sitk.GetArrayFromImage(contour) > 0 for contour in contours)
    return figures(maps[1][drawn], maps[0][found])


def by_monai(pair: Pair) -> tuple[float, ...]:
    torch, monai = import_module("torch"), import_module("monai.metrics")
    masks = {
        "y_pred": torch.from_numpy(pair.predicted[None, None]),
        "y": torch.from_numpy(pair.reference[None, None]),
        "include_background": True,
        "spacing": pair.spacing,
    }
    return (
        float(monai.compute_hausdorff_distance(**masks, percentile=95)),
        float(monai.compute_average_surface_distance(**masks, symmetric=True)),
        float(monai.compute_surface_dice(**masks, class_thresholds=[1.0])),
        float(monai.compute_surface_dice(**masks, class_thresholds=[2.0])),
    )


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")  # MONAI's own call
@pytest.mark.parametrize(
    "oracle",
    [by_brute_force, by_simpleitk, pytest.param(by_monai, marks=pytest.mark.slow)],
)
def test_against_others(oracle: Callable[[Pair], tuple[float, ...]]) -> None:
    for pair in pairs():
        score = score_surface(pair.reference, pair.predicted, pair.spacing)
        assert own(score) == pytest.approx(oracle(pair), abs=1e-5)


def line(*places: int, length: int = 12) -> Mask:
    mask = np.zeros((1, 1, length), bool)
    mask[0, 0, list(places)] = True
    return mask


def test_by_hand() -> None:
    # From 0 to 2 and 5: 2; from 2: 2, from 5: 5. Steps of 0.5 mm halve them.
    score = score_surface(line(0), line(2, 5), (9.0, 9.0, 0.5))
    assert score.hd95 == pytest.approx((2 + 0.95 * 3) / 2)  # of 2 and 5, 95 % of the way
    assert score.assd == pytest.approx(9 / 3 / 2)
    assert score.nsd_1 == pytest.approx(2 / 3)
    assert score.nsd_2 == pytest.approx(2 / 3)
    assert (score.unit, score.in_plane) == ("mm", False)


def test_without_millimetres_a_slice_is_a_step() -> None:
    here, above = np.zeros((3, 4, 4), bool), np.zeros((3, 4, 4), bool)
    here[0, 1, 1], above[2, 1, 1] = True, True
    score = score_surface(here, above)
    assert (score.hd95, score.unit) == (2.0, "px")
    assert (score.nsd_1, score.nsd_2) == (0.0, 1.0)


def test_lone_slices_are_measured_on_their_own() -> None:
    """In 3-D the prediction of the next slice would be near; here it is far away."""
    reference = np.concatenate((line(0), line(), line(4)))
    predicted = np.concatenate((line(3), line(0), line(4)))
    score = score_surface(reference, predicted, (1.0, 1.0, 2.0), in_plane=True)
    # Slice 1: 6 mm both ways. Slice 2: no reference, so the diagonal of 1 x 24 mm. Slice 3: 0.
    diagonal = math.hypot(1, 24)
    assert score.assd == pytest.approx((6 + 0 + 6 + diagonal + 0) / 5)
    # Of 0, 6 and the diagonal, nine tenths of the way between the last two.
    assert score.hd95 == pytest.approx(6 + 0.9 * (diagonal - 6))
    assert score.nsd_2 == pytest.approx(2 / 5)
    assert score.in_plane


def test_a_slice_of_its_own_is_a_picture() -> None:
    rng = np.random.default_rng(2)
    reference, predicted = (random_mask(rng, (9, 8)) for _ in range(2))
    flat = score_surface(reference, predicted, (0.7, 1.3))
    stacked = score_surface(reference[None], predicted[None], (5.0, 0.7, 1.3), in_plane=True)
    assert own(stacked) == own(flat)


def test_a_missed_slice_costs_its_diagonal_even_if_that_is_short() -> None:
    tiny, nothing = np.ones((2, 1, 1), bool), np.array([True, False]).reshape(2, 1, 1)
    score = score_surface(tiny, nothing, in_plane=True)
    assert score.nsd_2 == pytest.approx(2 / 3)
    assert score.assd == pytest.approx(math.sqrt(2) / 3)


def empties() -> Iterator[tuple[Mask, Mask]]:
    some, none = line(3), line()
    yield from ((none, none), (some, none), (none, some))
    yield np.zeros((0, 3, 3), bool), np.zeros((0, 3, 3), bool)


def test_empty_masks() -> None:
    for reference, predicted in empties():
        for in_plane in (False, True):
            score = score_surface(reference, predicted, in_plane=in_plane)
            if reference.any() or predicted.any():
                assert score.hd95 == score.assd == pytest.approx(math.sqrt(145 + (not in_plane)))
                assert score.nsd_1 == score.nsd_2 == 0
            else:
                assert own(score) == (None, None, None, None)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shapes"):
        score_surface(line(), line()[:, :, :3])
