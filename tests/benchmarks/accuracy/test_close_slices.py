"""Every n-th slice of a stack, and Dice by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.close_slices import Combination, dice_of, every
from gliomask.core.geometry import to_reading
from gliomask.core.slices import to_slices
from gliomask.inference.predictor import Predictor
from tests.fakes import BrightEngine, fake_card, head_labels, head_volume


def test_every_second_slice_is_twice_as_far() -> None:
    stack = to_slices(head_volume())
    half = every(stack, 2)
    np.testing.assert_array_equal(half.array, stack.array[::2])
    assert half.record.slice_mm == pytest.approx(2 * stack.record.slice_mm)
    assert half.record.pixel_mm == stack.record.pixel_mm
    assert half.record.shape[stack.record.turn.axes[0]] == len(half.array)


def test_a_combination_changes_only_the_combination() -> None:
    predictor = Predictor(BrightEngine(), fake_card(recipe={"augment": {"flip_horizontal": 0.5}}))
    card = Combination(1.5, mirrored=True).of(predictor).card
    assert (card.slice_smoothing_mm, card.mirrored) == (1.5, True)
    assert card.threshold == predictor.card.threshold


def test_dice_of_a_full_and_an_empty_reference() -> None:
    """The engine marks the bright tumour exactly, and nothing of an empty reference."""
    stack = to_slices(head_volume())
    predictor = Predictor(BrightEngine(), fake_card())
    drawn = to_reading(head_labels(), stack.record.turn)
    whole = dice_of(predictor, stack, drawn)["whole"]
    assert whole == pytest.approx(1.0)
    empty = dice_of(predictor, stack, np.zeros_like(drawn))["whole"]
    assert empty == 0.0
