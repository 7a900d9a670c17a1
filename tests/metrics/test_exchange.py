"""Predictions of other cases are found; poor ones are not taken for them."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
from pydantic import TypeAdapter

from gliomask.metrics import exchange
from gliomask.metrics.exchange import Fit, exchange_fit, find_exchanges, fingerprint
from tests.metrics.tumours import SHAPE, Ball, judged

PLACES = {
    "a": Ball((8, 12, 11), (5, 7, 6)),
    "b": Ball((14, 28, 12), (5, 6, 6)),
    "c": Ball((12, 14, 29), (6, 5, 7)),
    "d": Ball((16, 27, 28), (4, 7, 5)),
}
NEARLY = {
    name: Ball((ball.centre[0] + 1, ball.centre[1] - 1, ball.centre[2]), ball.radii)
    for name, ball in PLACES.items()
}


def fits(predictions: dict[str, str]) -> list[Fit]:
    """Each case with the prediction that was made for another one."""
    made = [
        exchange_fit(*judged(PLACES[case].labels(), NEARLY[of].labels(), case))
        for case, of in predictions.items()
    ]
    return [one for one in made if one is not None]


def anywhere(rng: np.random.Generator) -> Ball:
    s, h, w = (rng.uniform(0.3, 0.7, 3) * SHAPE).tolist()
    a, b, c = rng.uniform(3, 7, 3).tolist()
    return Ball((s, h, w), (a, b, c))


def test_two_exchanged_cases_are_told_once() -> None:
    (found,) = find_exchanges(fits({"a": "b", "b": "a", "c": "c", "d": "d"}))
    assert (found.case, found.other, found.mutual) == ("a", "b", True)
    honest = judged(PLACES["b"].labels(), NEARLY["b"].labels())[1].overlap.dice
    assert honest is not None
    assert abs(found.dice - honest) < 0.1
    assert found.own < 0.1
    assert found.text.startswith("the predictions of a and b appear exchanged (Dice about 0.")


def test_files_shifted_by_one() -> None:
    found = find_exchanges(fits({"a": "b", "b": "c", "c": "d", "d": "a"}))
    assert [(one.case, one.other, one.mutual) for one in found] == [
        ("a", "b", False),
        ("b", "c", False),
        ("c", "d", False),
        ("d", "a", False),
    ]
    assert "the prediction of a fits the reference of b" in found[0].text


def test_right_ones_are_not_told() -> None:
    assert find_exchanges(fits({name: name for name in PLACES})) == []
    assert find_exchanges([]) == []


def test_one_prediction_for_all_is_no_exchange() -> None:
    """A network that always marks the same place fits the one case that has its tumour there."""
    assert find_exchanges(fits(dict.fromkeys(PLACES, "a"))) == []


def test_other_shapes_are_never_compared() -> None:
    one, other = fits({"a": "b", "b": "a"})
    larger = fingerprint(np.ones((24, 40, 41), bool))
    assert find_exchanges([one, Fit("b", 0.0, larger, larger)]) == []
    assert find_exchanges([one, other]) != []


def test_empty_masks_are_no_exchange() -> None:
    nothing = np.zeros(SHAPE, np.uint8)
    pairs = [
        judged(nothing, nothing, "x"),
        judged(PLACES["a"].labels(), nothing, "y"),
        judged(nothing, PLACES["a"].labels(), "z"),
    ]
    kept = [one for one in (exchange_fit(*pair) for pair in pairs) if one is not None]
    # The prediction of z fits y, but that of y fits nobody: no exchange.
    assert len(kept) == 3
    assert find_exchanges(kept) == []


def test_cases_with_unknown_slices_are_left_out() -> None:
    known = np.ones(SHAPE[0], bool)
    labels = PLACES["a"].labels()
    assert exchange_fit(*judged(labels, labels, annotated=known)) is not None
    known[3] = False
    assert exchange_fit(*judged(labels, labels, annotated=known)) is None


def test_a_fingerprint_is_small_and_comes_back_from_json() -> None:
    (one,) = fits({"a": "a"})
    assert len(one.reference.cells) < 1000
    adapter = TypeAdapter(Fit)
    assert adapter.validate_json(adapter.dump_json(one), strict=True) == one


def test_a_single_voxel_has_a_fingerprint() -> None:
    mask = np.zeros((155, 240, 240), bool)
    mask[100, 7, 230] = True
    moved = np.roll(mask, 60, axis=1)
    assert fingerprint(mask) != fingerprint(moved)
    assert fingerprint(mask) != fingerprint(np.zeros_like(mask))


def test_poor_predictions_of_many_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 in a head so small that many fit by chance: few reports, each mask unpacked once."""
    rng = np.random.default_rng(7)
    kept = []
    for number in range(300):
        drawn, found = (fingerprint(anywhere(rng).labels() > 0) for _ in range(2))
        kept.append(Fit(str(number), 0.1, drawn, found))
    unpacked = Mock(wraps=exchange._cells)
    monkeypatch.setattr(exchange, "_cells", unpacked)
    assert len(find_exchanges(kept)) <= 6
    assert unpacked.call_count == 600  # not 300 x 300
