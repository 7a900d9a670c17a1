"""Mirrored and turned predictions are told, honest ones are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.core.labels import LabelArray
from gliomask.metrics.mismatch import Turned, find_turn
from tests.metrics.tumours import SHAPE, Ball, judged

TUMOUR = Ball((8, 12, 11), (5, 7, 6)).labels()
NEARLY = Ball((9, 13, 11), (5, 7, 6)).labels()


def turn(
    reference: LabelArray, predicted: LabelArray, annotated: np.ndarray | None = None
) -> Turned | None:
    return find_turn(*judged(reference, predicted, annotated=annotated))


@pytest.mark.parametrize(
    ("axes", "how"),
    [
        ((2,), "mirrored left-right"),
        ((1,), "mirrored front-back"),
        ((0,), "mirrored head-foot"),
        ((1, 2), "mirrored front-back and left-right"),
        ((0, 1, 2), "mirrored head-foot and front-back and left-right"),
    ],
)
def test_mirrored(axes: tuple[int, ...], how: str) -> None:
    found = turn(TUMOUR, np.flip(NEARLY, axes))
    assert found is not None
    assert found.how == how
    honest = judged(TUMOUR, NEARLY)[1].overlap.dice
    assert found.dice == honest
    assert found.dice > 0.7


def test_transposed_and_turned_by_a_quarter() -> None:
    tumour = Ball((8, 8, 17), (5, 4, 9)).labels()
    swapped = turn(tumour, tumour.transpose(0, 2, 1))
    assert swapped is not None
    assert (swapped.how, swapped.dice) == ("with rows and columns exchanged", 1.0)
    for quarters in (1, 3):
        turned = turn(tumour, np.rot90(tumour, quarters, axes=(1, 2)))
        assert turned is not None
        assert turned.how.startswith("with rows and columns exchanged and mirrored")
        assert turned.dice == 1.0


def test_slices_that_are_not_square_cannot_be_transposed() -> None:
    tumour = np.zeros((4, 10, 6), np.uint8)
    tumour[1:3, 1:4, 1:3] = 1
    found = turn(tumour, tumour[:, ::-1])
    assert found is not None
    assert found.how == "mirrored front-back"


def test_the_sentence() -> None:
    assert Turned("mirrored left-right", 0.02, 0.869).text == (
        "would have Dice 0.87 mirrored left-right (0.02 as it is): check its orientation"
    )


def test_annotated_slices_alone_count_but_all_is_turned() -> None:
    """Upside down the tumour comes from slices that nobody annotated."""
    known = np.zeros(SHAPE[0], bool)
    known[[6, 8, 9]] = True
    found = turn(TUMOUR * known[:, None, None].astype(np.uint8), TUMOUR[::-1].copy(), known)
    assert found is not None
    assert (found.how, found.dice) == ("mirrored head-foot", 1.0)


def test_empty_masks_are_no_misfit() -> None:
    nothing = np.zeros_like(TUMOUR)
    assert turn(nothing, nothing) is None
    assert turn(TUMOUR, nothing) is None
    assert turn(nothing, TUMOUR) is None


def test_a_symmetric_tumour_is_left_in_peace() -> None:
    middle = Ball((11.5, 19.5, 19.5), (6, 8, 8)).labels()
    assert turn(middle, middle) is None
    assert turn(middle, Ball((11.5, 19.5, 30), (6, 8, 5)).labels()) is None


def test_a_prediction_that_is_merely_poor_is_left_in_peace() -> None:
    assert turn(TUMOUR, Ball((8, 12, 11), (2, 3, 3)).labels()) is None


coordinates = st.tuples(*(st.floats(0.25 * n, 0.75 * n) for n in SHAPE))
radii = st.tuples(*(st.floats(3, 0.2 * n) for n in SHAPE))


@settings(deadline=None, max_examples=60)
@given(coordinates, radii, st.tuples(*[st.floats(-0.35, 0.35)] * 3), st.floats(0.75, 1.3))
def test_an_honest_prediction_is_never_told(
    centre: tuple[float, ...], size: tuple[float, ...], off: tuple[float, ...], scale: float
) -> None:
    """Off by up to a third of each radius and a quarter of the size, wherever the tumour lies."""
    s, h, w = centre
    a, b, c = size
    tumour = Ball((s, h, w), (a, b, c))
    moved = Ball(
        (s + off[0] * a, h + off[1] * b, w + off[2] * c), (scale * a, scale * b, scale * c)
    )
    assert turn(tumour.labels(), moved.labels()) is None
