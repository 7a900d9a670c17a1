"""The four rows of the empty-mask policy, for every score that there is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gliomask.metrics.metric import METRICS
from gliomask.metrics.policy import POLICY, Score
from gliomask.metrics.scores import CaseScore, MaskPair, score_case

EMPTY = np.zeros((3, 4, 5), np.uint8)
FULL = EMPTY.copy()
FULL[1, 1:3, 1:4] = 1
SPACING = (5.0, 5.0, 5.0)
VOLUME_ML = 6 * 0.125
DIAGONAL_PX = math.sqrt(9 + 16 + 25)

MM = [name for name in METRICS if not name.endswith("px")]
PX = [name for name in METRICS if not name.endswith(("mm", "ml"))]
SHARES = ("dice", "iou", "sensitivity", "precision", "lesion_dice", "nsd_1", "nsd_2")


def scored(reference: np.ndarray, predicted: np.ndarray, millimetres: bool) -> CaseScore:
    if millimetres:
        pair = MaskPair("c", "p", reference, predicted, None, 0.125, SPACING)
    else:  # voxels stand for mm³, and a lesion of six would be too small to be judged
        drawn, found = np.repeat(reference, 10, axis=0), np.repeat(predicted, 10, axis=0)
        pair = MaskPair("c", "p", drawn, found, None, None, None)
    return score_case(pair, ("whole",))[0]


def expected(name: str, reference: np.ndarray, predicted: np.ndarray, millimetres: bool) -> Score:
    drawn, found = bool(reference.any()), bool(predicted.any())
    if not drawn and not found:
        return None
    if name == "volume_error_ml":
        return VOLUME_ML * (found - drawn)
    if name == "volume_error_percent":
        return 100.0 * (found - drawn) if drawn else None
    if name.startswith(SHARES):
        return 1.0 if drawn and found else 0.0
    if drawn and found:
        return 0.0
    if name.startswith("lesion_hd95"):
        return 374.0
    return 5 * DIAGONAL_PX if millimetres else math.sqrt(30**2 + 16 + 25)


@pytest.mark.parametrize(
    ("reference", "predicted"), [(EMPTY, EMPTY), (EMPTY, FULL), (FULL, EMPTY), (FULL, FULL)]
)
@pytest.mark.parametrize(
    ("metric", "millimetres"), [(name, True) for name in MM] + [(name, False) for name in PX]
)
def test_rows(reference: np.ndarray, predicted: np.ndarray, metric: str, millimetres: bool) -> None:
    score = scored(reference, predicted, millimetres)
    assert METRICS[metric].applies(score)
    value = expected(metric, reference, predicted, millimetres)
    assert METRICS[metric](score) == (value if value is None else pytest.approx(value))


def test_a_missed_tumour_never_helps_a_mean() -> None:
    """The distance of a missed tumour is at least that of any prediction in the volume."""
    corner, opposite = EMPTY.copy(), EMPTY.copy()
    corner[0, 0, 0], opposite[2, 3, 4] = 1, 1
    far, missed = (scored(corner, mask, True).surface for mask in (opposite, EMPTY))
    assert far is not None
    assert missed is not None
    assert far.hd95 is not None
    assert missed.hd95 is not None
    assert far.hd95 == pytest.approx(5 * math.sqrt(4 + 9 + 16))
    assert missed.hd95 > far.hd95


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nothing_infinite_leaves(value: float) -> None:
    with pytest.raises(ArithmeticError):
        POLICY.settle(1, 1, lambda: value)
    with pytest.raises(ArithmeticError):
        POLICY.settle_distance(1, 1, lambda: value, 1.0)
    with pytest.raises(ArithmeticError):
        POLICY.settle_distance(1, 0, lambda: 0.0, value)
    with pytest.raises(ArithmeticError):
        POLICY.settle_difference(0, 1, lambda: value)


def test_policy_says_what_it_does() -> None:
    assert POLICY.both_empty is None
    assert POLICY.one_empty == 0
    for words in ("no score", "n_empty", "diagonal", "374", "Dice 1, HD95 0"):
        assert words in POLICY.text
