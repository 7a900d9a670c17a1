"""Patients are dealt out, each to one part, sites and sizes evenly."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.core.split import Parts, Patient, Split, TooFewSitesError, make_split


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
    with pytest.raises(ValueError, match="shares"):
        make_split(cohort(5), shares=(float("nan"), 0.5, 0.5))


def at_sites(**counts: int) -> list[Patient]:
    return [
        Patient(f"{site}-{k:02}", site, float((k * 37) % 101))
        for site, n in counts.items()
        for k in range(n)
    ]


def test_folds_by_site_test_on_a_site_each() -> None:
    split = make_split(at_sites(ge=20, cs=30, du=40), fold_by="site")
    assert (split.fold_by, split.fold_names) == ("site", ("cs", "du", "ge"))
    assert [len(fold.test) for fold in split.folds] == [30, 40, 20]
    for name, fold in zip(split.fold_names, split.folds, strict=True):
        assert all(one.startswith(f"{name}-") for one in fold.test)
        assert not any(one.startswith(f"{name}-") for one in (*fold.train, *fold.validation))
    # An eighth of the other 60 chooses: 7 or 8 of them, from both sites.
    assert len(split.folds[0].validation) == round(60 / 8)
    assert {one[:2] for one in split.folds[0].validation} == {"du", "ge"}


def test_small_sites_are_one_fold_together() -> None:
    split = make_split(at_sites(b=4, a=5, z=1, c=9), fold_by="site")
    assert split.fold_names == ("a", "c", "b + z")
    assert split.folds[2].test == ("b-00", "b-01", "b-02", "b-03", "z-00")


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=6).filter(lambda n: max(n) >= 5),
    st.integers(0, 5),
)
def test_folds_by_site_test_everyone_once(counts: list[int], seed: int) -> None:
    patients = at_sites(**{f"s{k}": n for k, n in enumerate(counts)})
    everyone = sorted(p.id for p in patients)
    split = make_split(patients, seed=seed, fold_by="site")
    assert sorted(one for fold in split.folds for one in fold.test) == everyone
    for fold in split.folds:
        assert sorted(one for _, ids in fold.named() for one in ids) == everyone
        assert fold.train


def test_folds_by_site_leave_the_hold_out_alone_and_depend_on_the_seed() -> None:
    patients = at_sites(a=20, b=20, c=20)
    split = make_split(patients, seed=3, fold_by="site")
    assert split.holdout == make_split(patients, seed=3).holdout
    assert split == make_split(patients[::-1], seed=3, fold_by="site")
    assert split.folds != make_split(patients, seed=4, fold_by="site").folds


@pytest.mark.parametrize("counts", [{"a": 30}, {"a": 4, "b": 4, "c": 4}])
def test_one_fold_by_site_is_refused(counts: dict[str, int]) -> None:
    with pytest.raises(TooFewSitesError, match=r"two sites.*there is a \("):
        make_split(at_sites(**counts), fold_by="site")


def test_without_folds_the_sites_do_not_matter() -> None:
    split = make_split(at_sites(a=9), folds=0, fold_by="site")
    assert (split.folds, split.fold_by, split.fold_names) == ((), "size", ())


def test_folds_by_size_are_what_they_were() -> None:
    split = make_split(cohort(20))
    assert (split.fold_by, split.fold_names) == ("size", ())
    assert split.folds[0].test == ("p000", "p008", "p011", "p018")


def test_a_name_for_each_fold() -> None:
    parts = Parts(("a",), ("b",), ())
    with pytest.raises(ValueError, match="2 names for 1 folds"):
        Split(parts, (parts,), 0, "site", ("x", "y"))


@pytest.mark.parametrize("seed", range(20))
def test_every_part_holds_tumour_where_half_the_patients_are_healthy(seed: int) -> None:
    patients = [Patient(f"p{n}", "site", float(n % 2)) for n in range(8)]
    sick = {"p1", "p3", "p5", "p7"}
    split = make_split(patients, seed=seed, folds=4)
    for name, ids in split.holdout.named():
        assert sick.intersection(ids), name
    for fold in split.folds:
        assert sick.intersection(fold.train)
        assert sick.intersection(fold.validation)
    assert sorted(one for fold in split.folds for one in fold.test) == sorted(
        p.id for p in patients
    )


def test_a_single_tumour_stays_where_it_was_drawn() -> None:
    patients = [Patient(f"p{n}", "site", float(n == 3)) for n in range(6)]
    split = make_split(patients, seed=0, folds=0)
    assert sum("p3" in ids for _, ids in split.holdout.named()) == 1
    assert sorted(one for _, ids in split.holdout.named() for one in ids) == [
        f"p{n}" for n in range(6)
    ]


def test_patients_of_training_only_are_never_judged() -> None:
    """And the others are dealt out as if these were not there."""
    others = cohort(20)
    more = [Patient(f"x{n}", "site0", 5.0, training_only=True) for n in range(7)]
    names = {one.id for one in more}
    with_them, without = make_split([*others, *more]), make_split(others)
    for parts, before in zip(
        (with_them.holdout, *with_them.folds), (without.holdout, *without.folds), strict=True
    ):
        assert names < set(parts.train)
        assert (parts.validation, parts.test) == (before.validation, before.test)
        assert set(parts.train) - names == set(before.train)
    alone = make_split(more)
    assert (set(alone.holdout.train), alone.folds) == (names, ())
