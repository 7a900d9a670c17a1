"""What is measured of a validation case, with an engine that marks what is bright in FLAIR."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gliomask.core.slices import to_slices
from gliomask.evaluation.logit_counts import LogitCounts, count_probabilities
from gliomask.inference.predictor import Predictor
from gliomask.nets.measures import VolumeFit
from gliomask.workflows.measuring import (
    MOST_SLICES,
    SHARES,
    MeasuredCase,
    Volumes,
    choose_smallest_part,
    measure,
    subsets_of,
)
from gliomask.workflows.subjects import Examination
from gliomask.workflows.validation_facts import validation_facts
from tests.fakes import BrightEngine, fake_card, head_labels, head_volume

DROPOUT = fake_card(sequence_dropout=True, size=64)


def examination(annotated: bool = True) -> Examination:
    known = None if annotated else np.arange(8) > 3
    return Examination(to_slices(head_volume()), head_labels(), known)


def measured(case: Examination, engine: BrightEngine | None = None) -> tuple[MeasuredCase, int]:
    looks: list[None] = []
    predictor = Predictor(engine or BrightEngine(), DROPOUT)
    return measure(predictor, "p", case, lambda: looks.append(None)), len(looks)


def test_subsets_of_models_that_know_dropout() -> None:
    three = ("t1", "t1ce", "flair")
    card = fake_card(sequences=three, in_channels=3, sequence_dropout=True)
    assert subsets_of(card) == (
        ("t1", "t1ce"),
        ("t1", "flair"),
        ("t1ce", "flair"),
        ("t1",),
        ("t1ce",),
        ("flair",),
    )
    assert subsets_of(fake_card()) == ()
    assert subsets_of(fake_card(input_mode="each", in_channels=1)) == ()
    five = (*three, "t2", "dwi")
    many = subsets_of(fake_card(sequences=five, in_channels=5, sequence_dropout=True))
    assert sorted(map(len, many)) == [1] * 5 + [4] * 5


def test_volumes_are_those_of_the_prediction_and_the_reference() -> None:
    found, looks = measured(examination())
    plain = Predictor(BrightEngine(), DROPOUT).segment(head_volume())
    assert found.volumes["whole"].plain == (plain.voxels["whole"],) * len(SHARES)  # it is one part
    assert found.volumes["whole"].true == 6 * 5 * 3
    assert found.volumes["whole"].others.tolist() == [plain.voxels["whole"]] * 6
    assert looks == 3  # in full, with T1 alone, with FLAIR alone


def test_dice_of_subsets_by_hand() -> None:
    """The engine looks at FLAIR only: without T1 nothing changes, without FLAIR it is blind."""
    found, _ = measured(examination())
    drawn = head_labels() > 0
    mask = Predictor(BrightEngine(), DROPOUT).segment(head_volume()).mask > 0
    dice = 2 * (mask & drawn).sum() / (mask.sum() + drawn.sum())
    assert found.subsets[("t1", "flair")]["whole"] == pytest.approx(dice)
    assert found.subsets[("flair",)]["whole"] == pytest.approx(dice)
    assert found.subsets[("t1",)]["whole"] == 0.0


def test_of_many_slices_some_are_tried() -> None:
    volume = head_volume()
    tall = replace(volume, array=np.tile(volume.array, (1, 1, 1, 10)))
    case = Examination(to_slices(tall), np.tile(head_labels(), (1, 1, 10)), None)
    engine = BrightEngine(batch=100)
    measured(case, engine)
    assert [shape[0] for shape in engine.shapes] == [80, MOST_SLICES, MOST_SLICES]


def test_a_sparse_case_tells_no_volume() -> None:
    found, _ = measured(examination(annotated=False))
    assert found.volumes == {}
    assert found.counts["whole"].n_positive == 6 * 5 * 3
    assert set(found.subsets) == {("t1", "flair"), ("t1",), ("flair",)}


def test_a_case_that_lacks_a_sequence_tells_no_subset_and_no_volume() -> None:
    case = replace(examination(), stack=to_slices(head_volume().select(("flair",))))
    found, looks = measured(case)
    assert (found.volumes, found.subsets, looks) == ({}, {}, 3)


def counts() -> LogitCounts:
    """One voxel of even chance: a quarter of a voxel in doubt."""
    return count_probabilities(np.full(1, 0.5, np.float32), np.ones(1, bool))


def fact(patient: str, plain: int, true: int, other: int) -> MeasuredCase:
    volumes = Volumes((plain,) * len(SHARES), np.array([other]), true, 0.1 if plain else 0.0)
    subsets = {("t1", "flair"): {"whole": 0.9}, ("t1",): {}, ("flair",): {"whole": 0.7}}
    dice = (0.5,) * len(SHARES)
    return MeasuredCase(
        patient, {"whole": counts()}, {"whole": volumes}, dice, ("side 1",), subsets
    )


def test_facts_by_hand() -> None:
    """Spread 10 + 0.25 each; ten patients, errors of 1 to 10 voxels, and one that was missed."""
    cases = [fact(f"p{k}", 100, 100 + k, 110) for k in range(1, 11)]
    cases = [*cases, fact("p1", 100, 9999, 100), fact("q", 0, 50, 0)]
    found = validation_facts(cases, DROPOUT, 1.0, 0.0)
    region = found.regions["whole"]
    assert (found.patients, region.tumours, region.missed) == (11, 11, 1)
    assert region.disagreement is not None
    assert (region.disagreement.n, region.disagreement.high) == (10, 0.1)
    assert region.volume is not None
    assert region.volume.stretch == pytest.approx(10 / 10.25, rel=1e-3)
    assert region.volume == VolumeFit(level=0.9, stretch=region.volume.stretch, patients=10)
    with_all, t1, flair = found.subsets
    assert (with_all.dice, with_all.patients) == ({"whole": 0.9}, 11)
    assert (t1.dice, flair.dice) == ({}, {"whole": 0.7})


def test_a_speck_apart_is_dropped_if_that_helps() -> None:
    volume, labels = head_volume(), head_labels()
    volume.array[1, 5:7, 5:7, 2] += 300  # marked as brightly as the tumour, far from it
    case = Examination(to_slices(volume), labels, None)
    found, _ = measured(case)
    whole, *dropped = found.volumes["whole"].plain
    assert dropped[-1] < whole
    assert choose_smallest_part([found]) == 0.05  # 4 voxels of 90


def test_the_share_with_the_best_dice_is_chosen_and_the_smallest_of_equals() -> None:
    def case(patient: str, *dice: float | None) -> MeasuredCase:
        return replace(fact(patient, 100, 100, 100), dice=dice)

    better, worse = (0.5, 0.5, 0.7, 0.7, 0.7, 0.8), (0.5, 0.5, 0.5, 0.4, 0.3, 0.3)
    assert choose_smallest_part([case("a", *better)]) == 0.5
    assert choose_smallest_part([case("a", *better), case("b", *worse)]) == 0.05
    assert choose_smallest_part([case("b", *worse)]) == 0.0
    assert choose_smallest_part([case("b", *worse), case("b", *better)]) == 0.0  # the first case
    assert choose_smallest_part([case("a", *[None] * 6), replace(fact("c", 0, 0, 0), dice=())]) == 0
