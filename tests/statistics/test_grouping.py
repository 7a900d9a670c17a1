"""Every patient is in one group, and its label says which."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.statistics.grouping import Group, Grouping, Groups, Value, group_patients


def group(values: dict[str, Value], grouping: Grouping | None = None) -> Groups:
    return group_patients(values, values, grouping)


def members(found: Groups) -> dict[str, str]:
    return {one.label: "".join(one.patients) for one in found.groups}


def test_numbers_in_tertiles() -> None:
    volumes = dict(zip("abcdefghi", [14.2, 2.13, 90, 5, 31, 60.4, 300.6, 15.5, 2.5], strict=True))
    found = group(dict(volumes), Grouping(unit="ml"))
    assert members(found) == {"2.1 to 5 ml": "bdi", "14 to 31 ml": "aeh", "60 to 301 ml": "cfg"}
    assert found.note == "tertiles of the patients with a known value"


def test_a_number_at_an_edge_belongs_above_it() -> None:
    volumes: dict[str, Value] = {"a": 4.9, "b": 5, "c": 19.9, "d": 20, "e": 1000}
    found = group(volumes, Grouping((5, 20), "ml"))
    assert members(found) == {"under 5 ml": "a", "5 to under 20 ml": "bc", "20 ml and more": "de"}


def test_given_groups_are_shown_even_if_empty() -> None:
    found = group({"a": 1}, Grouping((5.5,)))
    assert members(found) == {"under 5.5": "a", "5.5 and more": ""}


def test_a_grade_is_taken_number_by_number() -> None:
    assert members(group({"a": 4, "b": 2, "c": 3, "d": 2})) == {"2": "bd", "3": "c", "4": "a"}


def test_a_group_of_one_number_is_rounded_in_its_label() -> None:
    volumes: dict[str, Value] = {"a": 32.12799999999999, "b": 2.25, "c": 12345.67}
    assert list(members(group(volumes, Grouping(unit="ml")))) == ["2.25 ml", "32.13 ml", "12346 ml"]
    assert list(members(group({"a": 32.1281, "b": 32.1282}))) == ["32.1281", "32.1282"]


def test_equal_numbers_stay_together() -> None:
    values: dict[str, Value] = dict(zip("abcdefgh", [1, 1, 1, 1, 1, 1, 2, 3], strict=True))
    assert members(group({**values, "i": 4})) == {"1": "abcdef", "2 to 4": "ghi"}


def test_more_digits_where_two_labels_would_be_the_same() -> None:
    values = dict(zip("abcdef", [10.11, 10.12, 10.21, 10.22, 10.31, 10.32], strict=True))
    assert list(members(group(dict(values)))) == ["10.1", "10.2", "10.3"]


def test_text_and_numbers_together_are_categories() -> None:
    assert members(group({"a": "high", "b": 2, "c": " high", "d": True, "e": "high"})) == {
        "high": "ace",
        "other": "bd",
    }


def test_rare_categories_are_pooled_and_named() -> None:
    makers: dict[str, Value] = dict(zip("abcdefg", ["GE", "GE", "S", "P", "GE", "P", "X"]))  # noqa: B905
    found = group(makers)
    assert found.groups == (
        Group("GE", ("a", "b", "e")),
        Group("other", tuple("cdfg"), tuple("PSX")),
    )
    assert found.note == "other: categories of fewer than 3 patients, P (2), S (1), X (1)"


def test_one_rare_category_keeps_its_name() -> None:
    assert members(group({"a": "x", "b": "x", "c": "x", "d": "y"})) == {"x": "abc", "y": "d"}


def test_a_category_called_other_is_not_mixed_with_the_pooled() -> None:
    values: dict[str, Value] = {"a": "other", "b": "other", "c": "other", "d": "x", "e": "y"}
    assert members(group(values)) == {"other": "abc", "other, pooled": "de"}


def test_who_is_not_known_has_a_group() -> None:
    values: dict[str, Value] = {"a": None, "b": " ", "c": float("nan"), "d": float("inf"), "e": 5}
    found = group_patients([*values, "f"], values)
    assert members(found) == {"5": "e", "not known": "abcdf"}


def test_nobody_and_nothing_known() -> None:
    assert group({}).groups == ()
    assert group({"a": None}) == Groups((Group("not known", ("a",)),), "no patient has a value")


@pytest.mark.parametrize("edges", [(), (2.0, 1.0), (1.0, 1.0), (float("nan"),), (1, float("inf"))])
def test_edges_must_rise(edges: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="not increasing finite numbers"):
        Grouping(edges)


def test_edges_for_text_are_refused() -> None:
    with pytest.raises(ValueError, match="edges are given for text values"):
        group({"a": "x"}, Grouping((1.0,)))


VALUES = st.none() | st.text(max_size=3) | st.floats() | st.integers() | st.booleans()


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=30))
def test_each_patient_is_in_one_group(values: dict[str, Value]) -> None:
    found = group(values)
    assert sorted(p for one in found.groups for p in one.patients) == sorted(values)
    assert len({one.label for one in found.groups}) == len(found.groups)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=4, max_size=40))
def test_tertiles_are_in_order(numbers: list[float]) -> None:
    values: dict[str, Value] = {f"p{k}": number for k, number in enumerate(numbers)}
    ranges = [
        [number for name, number in zip(values, numbers, strict=True) if name in one.patients]
        for one in group(values).groups
    ]
    assert all(max(low) < min(high) for low, high in pairwise(ranges))
