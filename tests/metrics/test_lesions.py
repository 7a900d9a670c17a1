"""Lesion-wise scores on masks whose result can be worked out by hand; voxels of 1 mm³."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from gliomask.metrics.lesions import LesionScore, count_lesions, score_lesions

Mask = npt.NDArray[np.bool_]
SHAPE = (12, 20, 40)
MM = (1.0, 1.0, 1.0)

Block = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
LEFT: Block = ((2, 6), (4, 8), (2, 6))  # 64 voxels
RIGHT: Block = ((2, 6), (4, 8), (30, 34))  # 64 voxels, far from LEFT
SMALL: Block = ((2, 7), (4, 9), (15, 17))  # 50 voxels: not larger than 50 mm³
EDGE: Block = ((2, 5), (4, 5), (15, 32))  # 51 voxels


def blocks(*places: Block) -> Mask:
    mask = np.zeros(SHAPE, bool)
    for (s0, s1), (h0, h1), (w0, w1) in places:
        mask[s0:s1, h0:h1, w0:w1] = True
    return mask


def counts(score: LesionScore) -> tuple[int, int, int, int]:
    return score.found, score.missed, score.invented, score.dropped


def test_two_lesions() -> None:
    """One exact; of the other the lower half is found: Dice 2·32/(32+64), two slices short."""
    half: Block = ((2, 4), (4, 8), (30, 34))
    score = score_lesions(blocks(LEFT, RIGHT), blocks(LEFT, half), MM)
    assert score.dice == pytest.approx((1 + 2 / 3) / 2)
    assert score.hd95 == pytest.approx((0 + 2) / 2)
    assert counts(score) == (2, 0, 0, 0)


def test_a_missed_lesion() -> None:
    score = score_lesions(blocks(LEFT, RIGHT), blocks(LEFT), MM)
    assert score.dice == pytest.approx(1 / 2)
    assert score.hd95 == pytest.approx(374 / 2)
    assert counts(score) == (1, 1, 0, 0)


def test_an_invented_lesion_counts_whatever_its_size() -> None:
    speck: Block = ((10, 11), (18, 19), (39, 40))
    score = score_lesions(blocks(LEFT), blocks(LEFT, RIGHT, speck), MM)
    assert score.dice == pytest.approx(1 / 3)
    assert score.hd95 == pytest.approx(2 * 374 / 3)
    assert counts(score) == (1, 0, 2, 0)


def test_dilations_that_touch_are_one_lesion() -> None:
    """Six voxels apart, both dilated by three; seven apart they are two."""
    for gap, lesions in ((6, 1), (7, 2)):
        second: Block = ((2, 6), (4, 8), (6 + gap, 10 + gap))
        score = score_lesions(blocks(LEFT, second), blocks(LEFT), MM)
        assert score.found + score.missed == lesions
        # As one lesion half of it is found (Dice 2·64/(128+64)); as two, one of them.
        assert score.dice == pytest.approx(2 / 3 if lesions == 1 else 1 / 2)


def test_dilation_spares_the_corners() -> None:
    """The 18-neighbourhood: along a space diagonal three steps reach two voxels, not three."""
    for reach, touches in ((2, True), (3, False)):
        corner: Block = ((5 + reach, 6 + reach), (7 + reach, 8 + reach), (5 + reach, 6 + reach))
        score = score_lesions(blocks(LEFT), blocks(corner), MM)
        assert counts(score) == ((1, 0, 0, 0) if touches else (0, 1, 1, 0))


def test_a_neighbour_without_overlap_is_found_with_dice_0() -> None:
    beside: Block = ((2, 6), (4, 8), (8, 12))  # two voxels off
    score = score_lesions(blocks(LEFT), blocks(beside), MM)
    assert score.dice == 0
    # Columns 2 to 5 to columns 8 to 11: 3 to 6 voxels. Of 56 surface voxels 16 are 6 away.
    assert score.hd95 == pytest.approx(6)
    assert counts(score) == (1, 0, 0, 0)


def test_components_touch_by_their_corners() -> None:
    mask = blocks(((2, 6), (4, 8), (2, 6)), ((6, 9), (8, 11), (6, 9)))
    assert counts(score_lesions(blocks(), mask, MM)) == (0, 0, 1, 0)


def test_a_prediction_that_joins_two_lesions_counts_in_full_for_both() -> None:
    joining: Block = ((2, 6), (4, 8), (2, 34))  # 512 voxels, both lesions in it
    score = score_lesions(blocks(LEFT, RIGHT), blocks(joining), MM)
    assert score.dice == pytest.approx(2 * 64 / (64 + 512))
    # A way of 28 columns back to each lesion; the far end is more than 5 % of the surface.
    assert score.hd95 is not None
    assert 25 < score.hd95 <= 28
    assert counts(score) == (2, 0, 0, 0)


def test_a_small_lesion_is_dropped_found_or_not() -> None:
    for found in (blocks(LEFT), blocks(LEFT, SMALL)):
        score = score_lesions(blocks(LEFT, SMALL), found, MM)
        assert (score.dice, score.hd95) == (1.0, 0.0)
        assert counts(score) == (1, 0, 0, 1)
    assert counts(score_lesions(blocks(EDGE), blocks(EDGE), MM)) == (1, 0, 0, 0)


def test_the_limit_is_in_cubic_millimetres() -> None:
    larger = score_lesions(blocks(SMALL), blocks(SMALL), (1.1, 1.0, 1.0))
    assert counts(larger) == (1, 0, 0, 0)
    smaller = score_lesions(blocks(LEFT), blocks(LEFT), (0.7, 1.0, 1.0))
    assert counts(smaller) == (0, 0, 0, 1)
    rounded = score_lesions(blocks(SMALL), blocks(SMALL), (float(np.float32(1 + 1e-7)), 1.0, 1.0))
    assert counts(rounded) == (0, 0, 0, 1)


def test_hd95_is_in_millimetres() -> None:
    half: Block = ((2, 4), (4, 8), (2, 6))
    score = score_lesions(blocks(LEFT), blocks(half), (2.5, 1.0, 1.0))
    assert score.hd95 == pytest.approx(5.0)
    assert score.unit == "mm"
    pixels = score_lesions(blocks(LEFT), blocks(half))
    assert pixels.hd95 == pytest.approx(2.0)
    assert pixels.unit == "px"


def test_nothing_to_judge_is_no_score() -> None:
    for reference, predicted, dropped in (
        (blocks(), blocks(), 0),
        (blocks(SMALL), blocks(), 1),
        (blocks(SMALL), blocks(SMALL), 1),
    ):
        score = score_lesions(reference, predicted, MM)
        assert score.dice is None
        assert score.hd95 is None
        assert counts(score) == (0, 0, 0, dropped)


def test_one_empty() -> None:
    missed = score_lesions(blocks(LEFT, RIGHT), blocks(), MM)
    assert (missed.dice, missed.hd95) == (0.0, 374.0)
    assert counts(missed) == (0, 2, 0, 0)
    invented = score_lesions(blocks(), blocks(LEFT, RIGHT), MM)
    assert (invented.dice, invented.hd95) == (0.0, 374.0)
    assert counts(invented) == (0, 0, 2, 0)


def test_the_border_of_the_volume_is_no_obstacle() -> None:
    corner = np.zeros(SHAPE, bool)
    corner[:4, :4, :4] = True
    score = score_lesions(corner, corner, MM)
    assert (score.dice, score.hd95) == (1.0, 0.0)


def test_shape_must_be_a_volume() -> None:
    with pytest.raises(ValueError, match="shapes"):
        score_lesions(blocks(), blocks()[1:], MM)
    with pytest.raises(ValueError, match="shapes"):
        score_lesions(blocks()[0], blocks()[0], MM)


def test_counts_of_many() -> None:
    many = [LesionScore(None, None, 1, 2, 3, 4, "mm"), LesionScore(1.0, 0.0, 5, 0, 1, 0, "mm")]
    assert count_lesions(many) == {"found": 6, "missed": 2, "invented": 4, "dropped": 4}


def test_no_figure_is_infinite() -> None:
    rng, finite = np.random.default_rng(5), 0
    for _ in range(20):
        drawn, found = (rng.random(SHAPE) < rng.choice([0, 0.001, 0.02, 0.4]) for _ in range(2))
        score = score_lesions(drawn, found, (3.0, 1.0, 0.5))
        for value in (score.dice, score.hd95):
            assert value is None or math.isfinite(value)
            finite += value is not None
    assert finite > 20
