"""Summaries of groups."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from gliomask.statistics.grouping import Grouping, Value
from gliomask.statistics.strata import Strata, stratify
from gliomask.statistics.summary import summarise

SCORES = {"a": 0.5, "b": 0.7, "c": None, "d": 0.9, "e": 0.2}
VOLUMES: dict[str, Value] = {"a": 1, "b": 3, "c": 4, "d": 50, "unjudged": 6}


def test_by_hand() -> None:
    small, large, unknown = stratify(SCORES, VOLUMES, Grouping((10,), "ml")).strata
    assert [s.label for s in (small, large, unknown)] == [
        "under 10 ml",
        "10 ml and more",
        "not known",
    ]
    assert (small.summary.n, small.summary.n_empty) == (2, 1)
    assert small.summary.mean == pytest.approx(0.6)
    assert small.summary == summarise([0.5, 0.7, None])
    assert (large.summary.n, large.summary.mean, large.summary.ci95) == (1, 0.9, None)
    assert unknown.summary == summarise([0.2])


def test_no_patients() -> None:
    assert stratify({}, VOLUMES).strata == ()


def test_the_result_is_json_and_back() -> None:
    adapter = TypeAdapter(Strata)
    found = stratify(SCORES, {"a": "x", "b": "y", "c": "x"})
    assert adapter.validate_json(adapter.dump_json(found)) == found
    assert found.strata[0].pooled == ("x", "y")
