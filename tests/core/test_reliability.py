"""A flag is as bad as the worst of its reasons."""

from __future__ import annotations

import json
from dataclasses import asdict

from gliomask.core.reliability import Reason, reliability


def test_the_worst_reason_decides_and_comes_first() -> None:
    reasons = [Reason("green", "a", "A."), Reason("red", "b", "B."), Reason("amber", "c", "C.")]
    found = reliability(reasons)
    assert found.level == "red"
    assert [reason.code for reason in found.reasons] == ["b", "c", "a"]
    assert reliability(reasons[::2]).level == "amber"


def test_without_reasons_it_is_green() -> None:
    assert reliability([]).level == "green"
    assert reliability([Reason("green", "a", "A.")]).level == "green"


def test_it_is_json() -> None:
    plain = json.loads(json.dumps(asdict(reliability([Reason("amber", "c", "C.")]))))
    assert plain == {
        "level": "amber",
        "reasons": [{"level": "amber", "code": "c", "text": "C."}],
    }
