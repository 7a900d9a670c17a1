"""What is drawn for a sample is its own, within the ranges, and nothing that was not asked for."""

from __future__ import annotations

import numpy as np

from gliomask.config import AugmentOptions
from gliomask.learning.augment import Augmentation, draw_change

BOTH = np.array([True, True])
ALL = AugmentOptions(
    flip_horizontal=1,
    flip_vertical=1,
    affine=1,
    elastic=1,
    gamma=1,
    brightness=1,
    bias_field=1,
    noise=1,
    blur=1,
    thick=1,
)


def draw(
    index: int, options: AugmentOptions = ALL, dropout: float = 0.0, epoch: int = 0
) -> Augmentation:
    return draw_change(options, dropout, BOTH, (5, epoch, index))


def test_a_sample_gets_the_same_every_time_and_another_one_something_else() -> None:
    first, again, other, later = draw(0), draw(0), draw(1), draw(0, epoch=1)
    assert first.affine is not None
    assert again.affine is not None
    np.testing.assert_array_equal(first.affine, again.affine)
    assert first.noise_seed == again.noise_seed
    assert len({first.noise_seed, other.noise_seed, later.noise_seed}) == 3


def test_nothing_happens_at_a_chance_of_nothing() -> None:
    change = draw(0, AugmentOptions())
    assert not change.flip_horizontal
    assert not change.flip_vertical
    unset = (change.affine, change.warp, change.gamma, change.gain, change.bias)
    assert all(value is None for value in (*unset, change.shift, change.noise, change.blur))
    assert change.thick is None
    assert change.kept.tolist() == [True, True]


def test_chances_are_met() -> None:
    options = AugmentOptions(flip_horizontal=0.25)
    share = np.mean([draw(index, options).flip_horizontal for index in range(2000)])
    assert abs(share - 0.25) < 0.03


def test_an_affine_change_stays_in_its_ranges() -> None:
    options = AugmentOptions(affine=1, rotate_deg=10, scale=0.1, shear=0, shift=0.05)
    for index in range(50):
        matrix = draw(index, options).affine
        assert matrix is not None
        size = 1 / np.sqrt(np.linalg.det(matrix[:, :2]))
        assert 1 / 1.1 - 1e-5 <= size <= 1.1 + 1e-5
        angle = np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0]))
        assert abs(angle) <= 10.001
        assert np.abs(matrix[:, 2]).max() <= 0.1  # a side is 2


def test_a_thicker_slice_is_half_itself_and_changes_nothing_else() -> None:
    thin = ALL.model_copy(update={"thick": 0.0})
    for index in range(50):
        change, before = draw(index), draw(index, thin)
        assert change.thick is not None
        assert 0.1 <= change.thick <= 0.25
        assert change.noise_seed == before.noise_seed
        assert change.blur == before.blur


def test_dropout_leaves_one_sequence_at_least() -> None:
    kept = np.array([draw(index, AugmentOptions(), dropout=0.9).kept for index in range(300)])
    assert kept.sum(axis=1).min() == 1
    assert 0.4 < kept[:, 0].mean() < 0.65  # no favourite
    share = np.mean([draw(i, AugmentOptions(), dropout=0.3).kept for i in range(2000)])
    assert abs(share - (0.7 + 0.09 / 2)) < 0.03


def test_a_sequence_that_is_absent_stays_absent() -> None:
    present = np.array([False, True, False])
    for index in range(30):
        change = draw_change(AugmentOptions(), 0.8, present, (0, 0, index))
        assert change.kept.tolist() == [False, True, False]
