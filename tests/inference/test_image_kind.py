"""Whole heads and brains without skull, by drawn heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gliomask.core.slices import SliceStack, to_slices
from gliomask.core.volume import FloatArray, Volume
from gliomask.inference.image_kind import is_skull_stripped

SIDE, SLICES = 64, 12


def drawn(layers: tuple[tuple[float, float], ...], background: FloatArray) -> FloatArray:
    """(I, J, K): discs within each other, (radius, intensity) from the outside in."""
    places = np.arange(SIDE) - (SIDE - 1) / 2
    radius = np.hypot(*np.meshgrid(places, places))
    image = background.copy()
    rng = np.random.default_rng(1)
    for limit, value in layers:
        inside = radius < limit
        image[inside] = value + rng.normal(0, 25, (int(inside.sum()), SLICES))
    return image


NOISE = np.abs(np.random.default_rng(0).normal(0, 15, (SIDE, SIDE, SLICES))).astype(np.float32)
AIR = np.zeros((SIDE, SIDE, SLICES), np.float32)
HEAD = ((30, 200.0), (28, 20.0), (24, 60.0), (23, 110.0))  # scalp, skull, gaps, brain
BRAIN = ((26, 60.0), (24, 110.0))


def stack(image: FloatArray, *names: str) -> SliceStack:
    array = np.stack([image] * len(names))
    return to_slices(Volume(array, np.diag([1.0, 1.0, 5.0, 1.0]), names))


@pytest.mark.parametrize(
    ("layers", "background", "stripped"),
    [(HEAD, NOISE, False), (HEAD, AIR, False), (BRAIN, AIR, True), (BRAIN, NOISE, False)],
)
def test_a_brain_has_one_value_around_it_and_a_dark_rim(
    layers: tuple[tuple[float, float], ...], background: FloatArray, stripped: bool
) -> None:
    image = drawn(layers, background)
    assert is_skull_stripped(stack(image, "t1", "flair")) is stripped


def test_most_sequences_decide() -> None:
    both = np.stack([drawn(BRAIN, AIR), drawn(HEAD, AIR)])
    names = ("t1", "flair")
    tie = to_slices(Volume(both, np.eye(4), names))
    assert is_skull_stripped(tie) is False
    three = Volume(np.concatenate([both, both[:1]]), np.eye(4), (*names, "t1ce"))
    assert is_skull_stripped(to_slices(three)) is True


def test_of_t2_alone_the_background_decides() -> None:
    """Around the brain lies bright fluid, so its rim says nothing."""
    bright = ((26, 200.0), (24, 110.0))
    assert is_skull_stripped(stack(drawn(bright, AIR), "t2")) is True
    assert is_skull_stripped(stack(drawn(bright, NOISE), "t2")) is False


def test_an_empty_stack_counts_as_a_whole_head() -> None:
    full = stack(drawn(BRAIN, AIR), "t1")
    assert is_skull_stripped(replace(full, array=full.array[:0])) is False
