"""Look-ups in records that may hold anything."""

from __future__ import annotations

from gliomask.report.checklists.records import count_at, number_at, texts_at


def test_lookups_take_only_what_they_say() -> None:
    assert number_at({"a": True}, "a") is None
    assert number_at({"a": float("nan")}, "a") is None
    assert number_at({"a": 10**400}, "a") is None
    assert number_at({"a": {"b": 2}}, "a", "b") == 2.0
    assert count_at({"a": -1}, "a") is None
    assert count_at({"a": 2.0}, "a") is None
    assert texts_at({"a": ["x", 1]}, "a") is None
    assert texts_at([], "a") is None
