"""Onto the network's grid and back, with hand-computed weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.core.resample import fit, fit_labels, unfit


def test_same_size_changes_nothing() -> None:
    image = np.random.default_rng(0).normal(size=(3, 2, 16, 16)).astype(np.float16)
    image = image.astype(np.float32)
    np.testing.assert_array_equal(fit(image, (1, 1), 16), image)
    np.testing.assert_array_equal(unfit(image, (1, 1), (16, 16)), image)


def test_halving_averages_with_a_triangle() -> None:
    row = np.array([0, 0, 8, 0, 0, 0, 0, 0], np.float32)
    image = np.tile(row, (8, 1))[None]
    halved = fit(image, (1, 1), 4)[0]
    # centres at 0.5, 2.5, 4.5 ...; a triangle of reach 2 gives the pixel at 2 the weights
    # 0.25 of 0.5's (sum of 1.75, 1.25, 0.75, 0.25 clipped at the edge) and 0.75/2 of 2.5's
    assert halved[2, 1] == pytest.approx(8 * 0.75 / 2)
    assert halved[2, 3] == 0


def test_doubling_is_linear_interpolation() -> None:
    image = np.array([[[0.0, 4.0], [0.0, 4.0]]], np.float32)
    assert fit(image, (1, 1), 4)[0, 0].tolist() == [0.0, 1.0, 3.0, 4.0]


def test_a_narrow_slice_is_centred_and_goes_on_at_its_edge() -> None:
    image = np.ones((1, 8, 4), np.float32) * np.array([1, 2, 3, 4], np.float32)
    grid = fit(image, (1, 1), 8)[0]
    assert grid[4].tolist() == [1, 1, 1, 2, 3, 4, 4, 4]


def test_long_pixels_keep_their_proportions() -> None:
    tall = np.ones((1, 4, 8), np.uint8)  # 4 rows of 2 mm, 8 columns of 1 mm: a square
    assert fit_labels(tall, (2, 1), 8).sum() == 64


def test_labels_have_background_beyond_the_edge() -> None:
    labels = np.full((1, 8, 4), 3, np.uint8)
    assert fit_labels(labels, (1, 1), 8)[0, 0].tolist() == [0, 0, 3, 3, 3, 3, 0, 0]


@settings(deadline=None, max_examples=40)
@given(st.integers(5, 60), st.integers(5, 60), st.sampled_from([16, 33, 64]), st.floats(0.5, 2.0))
def test_a_constant_stays_and_the_size_returns(h: int, w: int, size: int, ratio: float) -> None:
    image = np.full((1, h, w), 2.5, np.float32)
    grid = fit(image, (ratio, 1.0), size)
    assert grid.shape == (1, size, size)
    back = unfit(grid, (ratio, 1.0), (h, w))
    assert back.shape == (1, h, w)
    np.testing.assert_allclose(back, 2.5, rtol=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.integers(20, 80), st.integers(20, 80))
def test_a_disc_returns_to_its_place(h: int, w: int) -> None:
    rows, columns = np.mgrid[:h, :w]
    disc = (rows - h * 0.4) ** 2 + (columns - w * 0.6) ** 2 < (min(h, w) * 0.3) ** 2
    back = unfit(fit(disc[None].astype(np.float32), (1, 1), 96), (1, 1), (h, w))[0] > 0.5
    assert 2 * (back & disc).sum() / (back.sum() + disc.sum()) > 0.97


def test_labels_are_only_ever_those_that_were_there() -> None:
    labels = np.random.default_rng(1).choice([0, 2, 5], (4, 37, 53)).astype(np.uint8)
    assert set(np.unique(fit_labels(labels, (1, 1), 64))) <= {0, 2, 5}


def test_empty_stack_stays_empty() -> None:
    assert fit(np.zeros((0, 3, 9, 9), np.float32), (1, 1), 16).shape == (0, 3, 16, 16)
