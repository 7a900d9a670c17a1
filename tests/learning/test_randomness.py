"""A stream depends on its seed, purpose and place, and on nothing else."""

from __future__ import annotations

import numpy as np

from gliomask.learning.randomness import Purpose, stream


def numbers(*where: int, seed: int = 7, purpose: Purpose = Purpose.SAMPLE) -> list[int]:
    return list(stream(seed, purpose, *where).integers(0, 2**60, 4))


def test_the_same_place_gives_the_same_numbers() -> None:
    first = numbers(3, 5)
    np.random.default_rng(0).random()  # whatever else is drawn
    assert numbers(3, 5) == first


def test_every_difference_gives_other_numbers() -> None:
    others = [
        numbers(3),
        numbers(3, 0),
        numbers(5, 3),
        numbers(3, 5, seed=8),
        numbers(3, 5, purpose=Purpose.PLAN),
    ]
    assert len({tuple(found) for found in [*others, numbers(3, 5)]}) == 6


def test_a_seed_may_be_larger_than_a_machine_word() -> None:
    assert numbers(1, seed=2**70) != numbers(1, seed=2**70 + 1)
