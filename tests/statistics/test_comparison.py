"""Sets of predictions over the same patients."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter

from gliomask.metrics.policy import Score
from gliomask.statistics.comparison import Absent, Comparison, compare
from gliomask.statistics.permutation import holm, sign_flip_test
from gliomask.statistics.summary import bootstrap_ci95

OURS: dict[str, Score] = {"a": 0.9, "b": 0.8, "c": 0.7, "d": None, "e": 0.5, "f": None, "g": 0.3}
PEER: dict[str, Score] = {"a": 0.6, "b": 0.8, "c": 0.6, "d": 0.0, "e": 0.7, "f": None, "h": 1.0}


def test_one_pair_by_hand() -> None:
    found = compare({"ours": {"dice": OURS}, "peer": {"dice": PEER}})
    assert found.sets == ("ours", "peer")
    assert found.absent == (Absent("g", ("peer",)), Absent("h", ("ours",)))
    assert found.n_shared == 6
    (one,) = found.differences
    assert (one.metric, one.first, one.second) == ("dice", "ours", "peer")
    assert (one.n, one.n_one_unscored, one.n_both_unscored) == (4, 1, 1)
    assert one.mean_first == pytest.approx(2.9 / 4)
    assert one.mean_second == pytest.approx(2.7 / 4)
    assert one.difference == pytest.approx(0.05)
    assert (one.wins, one.ties, one.losses) == (2, 1, 1)
    # +-0.3 +-0.1 +-0.2 is at least 0.2 from 0 in 6 of 8 patterns: all but the two that give 0.
    assert (one.p, one.p_holm, one.exact) == (6 / 8, 6 / 8, True)
    assert one.ci95 == pytest.approx(bootstrap_ci95(np.array([0.3, 0.0, 0.1, -0.2])))


def test_of_distances_the_small_one_wins() -> None:
    sets: dict[str, dict[str, dict[str, Score]]] = {
        "near": {"hd95_mm": {"a": 1.0, "b": 2.0}},
        "far": {"hd95_mm": {"a": 3.0, "b": 2.0}},
    }
    (one,) = compare(sets, best={"hd95_mm": "low"}).differences
    assert (one.wins, one.ties, one.losses) == (1, 1, 0)
    assert one.difference == -1.0


def test_of_signed_errors_the_one_near_0_wins() -> None:
    sets: dict[str, dict[str, dict[str, Score]]] = {
        "far": {"volume_error_ml": {"a": 25.0, "b": 3.0, "c": 1.0}},
        "near": {"volume_error_ml": {"a": -0.1, "b": -3.0, "c": -2.0}},
    }
    (one,) = compare(sets, best={"volume_error_ml": "zero"}).differences
    assert (one.wins, one.ties, one.losses) == (1, 1, 1)
    assert one.difference == pytest.approx((25.1 + 6.0 + 3.0) / 3)


def test_all_comparisons_are_corrected_together() -> None:
    rng = np.random.default_rng(0)
    names = [f"p{k}" for k in range(12)]
    sets = {
        name: {
            metric: {p: float(s) for p, s in zip(names, rng.normal(mean, 0.1, 12), strict=True)}
            for metric in ("dice", "iou")
        }
        for name, mean in (("one", 0.8), ("two", 0.7), ("three", 0.75))
    }
    found = compare(sets).differences
    assert [(d.first, d.second, d.metric) for d in found] == [
        ("one", "two", "dice"),
        ("one", "two", "iou"),
        ("one", "three", "dice"),
        ("one", "three", "iou"),
        ("two", "three", "dice"),
        ("two", "three", "iou"),
    ]
    assert tuple(d.p_holm for d in found) == holm([d.p for d in found])
    last = [sets["two"]["iou"][p] - sets["three"]["iou"][p] for p in names]
    assert found[-1].p == pytest.approx(sign_flip_test(last)[0])


def test_rounding_is_no_win() -> None:
    (one,) = compare({"x": {"dice": {"a": 0.1 + 0.2}}, "y": {"dice": {"a": 0.3}}}).differences
    assert (one.ties, one.difference, one.p) == (1, 0.0, 1.0)


def test_no_patient_in_common() -> None:
    found = compare({"x": {"dice": {"a": 0.5}}, "y": {"dice": {"b": 0.5}}})
    (one,) = found.differences
    assert one.n == found.n_shared == 0
    assert {one.mean_first, one.mean_second, one.difference, one.ci95, one.p, one.p_holm} == {None}


def test_one_patient_has_no_interval() -> None:
    (one,) = compare({"x": {"dice": {"a": 0.5}}, "y": {"dice": {"a": 0.4}}}).differences
    assert one.ci95 is None
    assert one.p == 1.0


def test_the_seed_alone_decides() -> None:
    rng = np.random.default_rng(7)
    x, y = ({f"p{k}": float(v) for k, v in enumerate(rng.random(40))} for _ in range(2))
    sets = {"x": {"dice": x}, "y": {"dice": y}}
    assert compare(sets, seed=1) == compare(sets, seed=1)
    assert compare(sets, seed=1) != compare(sets, seed=2)


def test_the_result_is_json_and_back() -> None:
    adapter = TypeAdapter(Comparison)
    found = compare({"ours": {"dice": OURS}, "peer": {"dice": PEER}})
    assert adapter.validate_json(adapter.dump_json(found)) == found


def test_what_can_t_be_compared() -> None:
    with pytest.raises(ValueError, match="fewer than two sets"):
        compare({"ours": {"dice": OURS}})
    with pytest.raises(ValueError, match="only one of the sets 'ours' and 'peer' has 'iou'"):
        compare({"ours": {"dice": OURS}, "peer": {"dice": PEER, "iou": PEER}})
    with pytest.raises(ValueError, match="infinite or not a number"):
        compare({"x": {"dice": {"a": float("nan")}}, "y": {"dice": {"a": 0.4}}})
