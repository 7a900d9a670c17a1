"""The public scores on plain arrays."""

from __future__ import annotations

import doctest
import inspect
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gliomask import metrics

REFERENCE = np.zeros((4, 8, 10), bool)
REFERENCE[1:3, 2:6, 2:6] = True  # 32 voxels
PREDICTED = np.zeros((4, 8, 10), bool)
PREDICTED[1:3, 2:6, 3:8] = True  # 40 voxels, 24 shared
EMPTY = np.zeros((4, 8, 10), bool)
MM = (3.0, 1.0, 0.5)

OVERLAPS = (metrics.dice, metrics.iou, metrics.sensitivity, metrics.precision)
FUNCTIONS = [getattr(metrics, name) for name in metrics.__all__ if name.islower()]
VOLUMES_ONLY = (metrics.lesion_wise, metrics.slice_scores)


def test_overlap_by_hand() -> None:
    values = [score(REFERENCE, PREDICTED) for score in OVERLAPS]
    assert values == pytest.approx([2 * 24 / 72, 24 / 48, 24 / 32, 24 / 40])


def test_volume_error_by_hand() -> None:
    error = metrics.volume_error(REFERENCE, PREDICTED, MM)
    assert error.ml == pytest.approx(8 * 1.5 / 1000)
    assert error.percent == pytest.approx(25)
    assert metrics.volume_error(REFERENCE, PREDICTED).ml is None
    assert metrics.volume_error(REFERENCE[1], PREDICTED[1], MM[1:]).ml is None
    assert metrics.volume_error(EMPTY, EMPTY, MM) == metrics.VolumeError(None, None)
    invented = metrics.volume_error(EMPTY, PREDICTED, MM)
    assert invented.ml == pytest.approx(0.06)
    assert invented.percent is None


def test_distances_by_hand() -> None:
    here, there = np.zeros((1, 20)), np.zeros((1, 20))
    here[0, 2], there[0, 5] = 1, 1
    assert metrics.hd95(here, there) == metrics.assd(here, there) == 3
    assert metrics.hd95(here, there, (7, 0.5)) == metrics.assd(here, there, (7, 0.5)) == 1.5
    assert metrics.surface_dice(here, there, (7, 0.5)) == 1
    assert metrics.surface_dice(here, there, (7, 0.5), tolerance=1.4) == 0
    assert metrics.surface_dice(here, there, tolerance=3) == 1


def test_one_pass_gives_the_same() -> None:
    once = metrics.surface(REFERENCE, PREDICTED, MM)
    assert once.hd95 == metrics.hd95(REFERENCE, PREDICTED, MM)
    assert once.assd == metrics.assd(REFERENCE, PREDICTED, MM)
    assert once.nsd_2 == metrics.surface_dice(REFERENCE, PREDICTED, MM)
    assert once.nsd_1 == metrics.surface_dice(REFERENCE, PREDICTED, MM, tolerance=1)


def test_lesions_and_slices() -> None:
    lesions = metrics.lesion_wise(REFERENCE, PREDICTED, (2.0, 1.0, 1.0))
    assert lesions.dice == pytest.approx(2 / 3)
    assert lesions.found == 1
    assert metrics.lesion_wise(REFERENCE, PREDICTED).dropped == 1  # 32 voxels
    slices = metrics.slice_scores(REFERENCE, np.roll(PREDICTED, 1, axis=0), MM)
    # Tumour in slices 1 and 2, marked in 2 and 3: 20 pixels of 0.5 mm² in one of two free slices.
    assert slices.dice == pytest.approx((0 + 2 / 3) / 2)
    assert (slices.invented_px, slices.invented_mm2) == (20, 10.0)


def test_empty_masks() -> None:
    for score in (*OVERLAPS, metrics.hd95, metrics.assd, metrics.surface_dice):
        assert score(EMPTY, EMPTY) is None
    for score in (*OVERLAPS, metrics.surface_dice):
        assert score(REFERENCE, EMPTY) == score(EMPTY, REFERENCE) == 0
    for score in (metrics.hd95, metrics.assd):
        assert score(EMPTY, REFERENCE, MM) == pytest.approx(math.sqrt(12**2 + 8**2 + 5**2))
        assert score(EMPTY[0], REFERENCE[1], MM[1:]) == pytest.approx(math.hypot(8, 5))


@pytest.mark.parametrize("score", FUNCTIONS)
def test_any_numbers_of_0_and_1_are_a_mask(score: Callable[..., Any]) -> None:
    expected = score(REFERENCE, PREDICTED)
    assert score(REFERENCE.astype(np.float32), PREDICTED.astype(np.uint8)) == expected
    assert score(REFERENCE.tolist(), PREDICTED) == expected


@pytest.mark.parametrize("score", FUNCTIONS)
def test_bad_masks(score: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="shapes"):
        score(REFERENCE, PREDICTED[1:])
    with pytest.raises(ValueError, match="the prediction is not a mask"):
        score(REFERENCE, 2 * PREDICTED.astype(int))
    with pytest.raises(ValueError, match="the reference is not a mask"):
        score(np.where(REFERENCE, np.nan, 0), PREDICTED)
    with pytest.raises(ValueError, match="1 dimensions"):
        score(REFERENCE[0, 0], PREDICTED[0, 0])


@pytest.mark.parametrize("score", VOLUMES_ONLY)
def test_volumes_only(score: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="2 dimensions, allowed 3"):
        score(REFERENCE[0], PREDICTED[0])


@pytest.mark.parametrize(
    "score", [f for f in FUNCTIONS if "spacing" in inspect.signature(f).parameters]
)
@pytest.mark.parametrize(
    "spacing", [(1, 1), (1, 1, 0), (1, 1, -1), (1, 1, math.nan), (1, 1, math.inf)]
)
def test_bad_spacing(score: Callable[..., Any], spacing: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="allowed 3 positive lengths"):
        score(REFERENCE, PREDICTED, spacing)


@pytest.mark.parametrize("tolerance", [-1, math.nan])
def test_bad_tolerance(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance"):
        metrics.surface_dice(REFERENCE, PREDICTED, tolerance=tolerance)


@pytest.mark.parametrize("name", metrics.__all__)
def test_every_name_is_there(name: str) -> None:
    assert hasattr(metrics, name)
    if name.islower():
        assert inspect.getdoc(getattr(metrics, name))


def test_the_example_is_true() -> None:
    assert doctest.testmod(metrics).failed == 0


def test_importing_loads_numpy_only() -> None:
    code = (
        "import sys, numpy as np\nfrom gliomask import metrics\n"
        "a = np.ones((2, 3, 4), bool)\n"
        "metrics.dice(a, a), metrics.hd95(a, ~a), metrics.volume_error(a, a, (1, 1, 1))\n"
        "print(*sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(shown.stdout.split())
    assert "gliomask.metrics" in loaded
    assert not {"torch", "monai", "scipy", "nibabel", "pydantic", "matplotlib"} & loaded
