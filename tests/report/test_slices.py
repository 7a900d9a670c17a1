"""How slices are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.report import colours, slices, style


def test_window_by_hand() -> None:
    low, high = slices.window(np.arange(1001.0))
    assert (low, high) == (10.0, 995.0)


def test_window_of_a_constant_image() -> None:
    assert slices.window(np.full((3, 3), 7.0)) == (7.0, 8.0)


def test_proportion() -> None:
    assert slices.proportion(np.zeros((5, 20, 10)), (1.0, 0.5)) == 4.0


def test_bounds() -> None:
    mask = np.zeros((30, 40), bool)
    mask[10:12, 2:5] = True
    assert slices.bounds(mask, margin=3) == (slice(7, 15), slice(0, 8))
    assert slices.bounds(np.zeros((3, 3), bool)) == (slice(None), slice(None))


def test_right_is_on_the_left_and_front_above() -> None:
    axes = style.new_figure(2, 2).add_subplot()
    slices.show(axes, np.zeros((4, 4)), (0, 1), (1, 1))
    slices.letters(axes)
    at = {text.get_text(): text.get_position() for text in axes.texts}
    assert at["R"][0] < 0.5 < at["L"][0]
    assert at["P"][1] < 0.5 < at["A"][1]
    # The first row of the array is above, the first column on the left.
    assert axes.yaxis_inverted()
    assert not axes.xaxis_inverted()


@pytest.mark.parametrize("fill", [True, False])
def test_outline_of_a_uniform_mask_draws_nothing(fill: bool) -> None:
    axes = style.new_figure(2, 2).add_subplot()
    slices.outline(axes, np.full((4, 4), fill), colours.RED)
    assert not axes.collections


def test_tint_covers_the_mask_only() -> None:
    axes = style.new_figure(2, 2).add_subplot()
    slices.tint(axes, np.eye(3, dtype=bool), colours.RED, (1, 1), alpha=0.5)
    (layer,) = axes.images
    drawn = np.asarray(layer.get_array())
    np.testing.assert_allclose(drawn[..., 3], 0.5 * np.eye(3))
