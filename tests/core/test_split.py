"""Patients are dealt out, each to one part, sites and sizes evenly."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.core.split import Parts, Patient, make_split


def cohort(n: int, sites: int = 3) -> list[Patient]:
    return [Patient(f"p{i:03}", f"site{i % sites}", float((i * 37) % 101)) for i in range(n)]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 120), st.integers(0, 5), st.integers(0, 7))
def test_every_patient_is_in_exactly_one_part(n: int, seed: int, folds: int) -> None:
    split = make_split(cohort(n), seed=seed, folds=folds)
    everyone = {p.id for p in cohort(n)}
    for parts in (split.holdout, *split.folds):
        ids = [one for _, group in parts.named() for one in group]
        assert sorted(ids) == sorted(everyone)


@settings(deadline=None, max_examples=30)
@given(st.integers(4, 120), st.integers(2, 6))
def test_folds_test_everyone_once(n: int, folds: int) -> None:
    split = make_split(cohort(n), folds=folds)
    tested = [one for fold in split.folds for one in fold.test]
    assert sorted(tested) == [p.id for p in cohort(n)]


def test_shares_are_kept() -> None:
    parts = make_split(cohort(100)).holdout
    assert [len(ids) for _, ids in parts.named()] == [70, 15, 15]


def test_three_patients_fill_three_parts() -> None:
    assert [len(ids) for _, ids in make_split(cohort(3)).holdout.named()] == [1, 1, 1]


def test_a_share_of_zero_stays_empty() -> None:
    parts = make_split(cohort(10), shares=(0.8, 0.2, 0.0)).holdout
    assert [len(ids) for _, ids in parts.named()] == [8, 2, 0]


def test_sites_and_sizes_are_spread_over_the_parts() -> None:
    patients = cohort(120, sites=4)
    for fold in make_split(patients, folds=5).folds:
        tested = [p for p in patients if p.id in fold.test]
        for site in {p.site for p in patients}:
            assert 4 <= sum(p.site == site for p in tested) <= 8  # 6 would be even
        assert 35 < sum(p.size for p in tested) / len(tested) < 65  # 50 would be even


def test_the_order_of_patients_does_not_matter_but_the_seed_does() -> None:
    forward, backward = make_split(cohort(40)), make_split(cohort(40)[::-1])
    assert forward == backward
    assert forward != make_split(cohort(40), seed=1)


def test_a_patient_in_two_parts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'b' is in train and in test"):
        Parts(("a", "b"), ("c",), ("b",))


def test_twice_the_same_patient_is_refused() -> None:
    with pytest.raises(ValueError, match="share an id"):
        make_split([*cohort(3), Patient("p001", "x", 0)])


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        make_split(cohort(5), shares=(0.5, 0.2, 0.2))
