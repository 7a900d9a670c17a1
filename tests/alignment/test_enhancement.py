"""Which of two T1 is after contrast: vessels that brighten count, protocols and fat do not."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from gliomask.alignment.enhancement import CLEAR, Brightening, brightening
from gliomask.core.volume import FloatArray

SHAPE = (60, 72, 48)
MM = (3.0, 3.0, 3.0)


@cache
def t1(seed: int, vessels: float = 0.0, fat: float = 0.0) -> FloatArray:
    """A head of 160 x 195 x 130 mm with smooth tissue, noise, 3 % of vessels and a rim of fat."""
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    radius = np.sqrt(sum((axis / 0.9) ** 2 for axis in axes))
    tissue = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=SHAPE), 2)
    lines = ndimage.gaussian_filter(np.random.default_rng(2).normal(size=SHAPE), 1)
    image = 100 + 300 * tissue + np.random.default_rng(seed).normal(0, 5, SHAPE)
    image += vessels * (lines > np.quantile(lines, 0.97))
    image += fat * (radius > 0.9)
    air = np.random.default_rng(seed).normal(0, 2, SHAPE)
    head: FloatArray = np.where(radius < 1, image, air).astype("f4")
    head.flags.writeable = False  # all tests share it
    return head


def verdict(first: FloatArray, second: FloatArray) -> str:
    found = brightening(first, second, MM)
    assert found is not None
    return found.verdict


def test_the_one_with_bright_vessels_is_after() -> None:
    before, after = t1(3), t1(4, vessels=80)
    assert verdict(before, after) == "after"
    assert verdict(after, before) == "before"
    one, other = brightening(before, after, MM), brightening(after, before, MM)
    assert one is not None
    assert other is not None
    assert one.score == -other.score
    assert one.second == pytest.approx(0.03, abs=0.01)


def test_two_of_a_kind_are_not_told_apart() -> None:
    assert verdict(t1(3), t1(4)) == "unclear"
    assert verdict(t1(3, vessels=80), t1(4, vessels=80)) == "unclear"


def test_scale_offset_and_contrast_of_the_tissue_do_not_count() -> None:
    other = 7 * t1(4) + 30
    assert verdict(t1(3), other) == "unclear"
    assert verdict(t1(3), np.sqrt(np.abs(t1(4, vessels=80)))) == "after"
    assert verdict(t1(3), np.clip(t1(4, vessels=80), 0, 200)) == "after"


def test_fat_beneath_the_scalp_does_not_count() -> None:
    """Without fat suppression before the agent, with it after."""
    assert verdict(t1(3, fat=200), t1(4, vessels=80)) == "after"
    assert verdict(t1(3, fat=200), t1(4)) == "unclear"


def test_too_little_of_a_head_is_not_judged() -> None:
    small = t1(3)[20:32, 20:32, 20:32]
    assert brightening(small, small, MM) is None
    thin = t1(3)[:, :, :2]
    assert brightening(thin, thin, (0.5, 0.5, 6.0)) is None


def test_the_score_by_hand() -> None:
    found = Brightening(second=0.049, first=0.009)
    assert found.score == pytest.approx(math.log(5))
    assert found.verdict == "after"
    assert Brightening(0.009, 0.049).verdict == "before"
    close = math.exp(CLEAR) * 0.01 - 0.001
    assert Brightening(close - 1e-6, 0.009).verdict == "unclear"
    assert Brightening(close + 1e-6, 0.009).verdict == "after"
