"""What is measured of a validation case, with an engine that marks what is bright in FLAIR."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from gliomask.core.geometry import to_reading
from gliomask.core.labels import ENHANCING, OEDEMA, LabelArray
from gliomask.core.slices import SliceStack, to_slices
from gliomask.evaluation.measurement import (
    MOST_SLICES,
    RULES,
    MeasuredCase,
    SequenceMeasurement,
    Volumes,
    choose_clean_up,
    measure,
    subsets_of,
)
from gliomask.evaluation.reference_cases import Examination
from gliomask.evaluation.validation_facts import validation_facts
from gliomask.inference.predictor import Predictor
from gliomask.nets.measures import CleanUp, VolumeFit
from gliomask.statistics.logit_counts import LogitCounts, count_probabilities
from tests.fakes import BrightEngine, fake_card, head_labels, head_volume

DROPOUT = fake_card(sequence_dropout=True, size=64)


BOTH, T1, FLAIR = ("t1", "flair"), ("t1",), ("flair",)


def examination(annotated: bool = True) -> Examination:
    known = None if annotated else np.arange(8) > 3
    return of_labels(to_slices(head_volume()), head_labels(), known)


def of_labels(
    stack: SliceStack,
    labels: LabelArray,
    known: npt.NDArray[np.bool_] | None = None,
    regions: tuple[str, ...] = ("whole",),
) -> Examination:
    """An examination with labels (I, J, K)."""
    return Examination(stack, to_reading(labels, stack.record.turn), known, regions)


def measured(case: Examination, engine: BrightEngine | None = None) -> MeasuredCase:
    return measure(Predictor(engine or BrightEngine(), DROPOUT), "p", case)


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
    two = subsets_of(fake_card(sequences=three, in_channels=3, sequence_dropout=True), BOTH)
    assert two == (T1, FLAIR)


def test_volumes_are_those_of_the_prediction_and_the_reference() -> None:
    found = measured(examination())
    plain = Predictor(BrightEngine(), DROPOUT).predict(head_volume())
    whole = found.full.volumes["whole"]
    assert whole.plain == (plain.voxels["whole"],) * len(RULES)  # it is one part
    assert whole.true == 6 * 5 * 3
    assert set(whole.others.tolist()) == {90 - 2}  # counted on the network's grid
    assert list(found.measurements) == [BOTH, T1, FLAIR]
    assert found.skull_stripped is False


def test_dice_of_subsets_by_hand() -> None:
    """The engine looks at FLAIR only: without T1 nothing changes, without FLAIR it is blind."""
    found = measured(examination())
    drawn = head_labels() > 0
    mask = Predictor(BrightEngine(), DROPOUT).predict(head_volume()).mask > 0
    dice = 2 * (mask & drawn).sum() / (mask.sum() + drawn.sum())
    assert found.full.volumes["whole"].dice == pytest.approx([dice] * len(RULES))
    assert found.measurements[FLAIR].volumes["whole"].dice == pytest.approx([dice])
    assert found.measurements[T1].volumes["whole"].dice == (0.0,)


def test_of_many_slices_some_are_tried() -> None:
    volume = head_volume()
    tall = replace(volume, array=np.tile(volume.array, (1, 1, 1, 10)))
    labels = np.tile(head_labels(), (1, 1, 10))
    case = of_labels(to_slices(tall), labels)
    engine = BrightEngine(batch=100)
    measured(case, engine)
    assert [shape[0] for shape in engine.shapes] == [80, MOST_SLICES, MOST_SLICES]


def test_a_sparse_case_has_no_volume() -> None:
    found = measured(examination(annotated=False))
    assert found.full.volumes == {}
    assert found.full.counts["whole"].n_positive == 6 * 5 * 3
    assert list(found.measurements) == [BOTH, T1, FLAIR]


def test_a_case_that_lacks_a_sequence_is_measured_with_what_it_has() -> None:
    case = replace(examination(), stack=to_slices(head_volume().select(FLAIR)))
    found = measured(case)
    assert list(found.measurements) == [FLAIR]
    assert found.full.volumes["whole"].true == 6 * 5 * 3


def test_missing_sequences_can_be_left_out_of_the_measurement() -> None:
    found = measure(Predictor(BrightEngine(), DROPOUT), "p", examination(), missing=False)
    assert list(found.measurements) == [BOTH]
    facts = validation_facts([found], 1.0, None)
    assert [kind.sequences for kind in facts.kinds] == [BOTH]


def test_only_labelled_regions_are_measured() -> None:
    card = fake_card(regions=("whole", "core"), size=64)
    predictor = Predictor(BrightEngine(2.0, regions=2), card)
    labels = np.where(head_labels() > 0, OEDEMA, 0).astype(np.uint8)
    labels[tuple(np.argwhere(labels)[0])] = ENHANCING
    stack = to_slices(head_volume())
    both = measure(predictor, "p", of_labels(stack, labels, regions=("whole", "core")))
    assert set(both.full.volumes) == set(both.full.counts) == {"whole", "core"}
    assert both.full.volumes["core"].true == 1
    one = measure(predictor, "p", of_labels(stack, labels))
    assert set(one.full.volumes) == set(one.full.counts) == {"whole"}
    assert one.full.volumes["whole"].plain == both.full.volumes["whole"].plain
    # How far the maps of the other region differ needs no reference.
    assert both.full.unlabelled == {}
    assert one.full.unlabelled == {"core": both.full.volumes["core"].disagreement}
    facts = validation_facts([one], 1.0, None).kinds[0].regions["core"]
    assert (facts.tumours, facts.dice, facts.volume) == (0, None, None)
    assert facts.disagreement is not None
    assert facts.alarm == one.full.unlabelled["core"]


def counts() -> LogitCounts:
    """One voxel of even chance: a quarter of a voxel in doubt."""
    return count_probabilities(np.full(1, 0.5, np.float32), np.ones(1, bool))


def look(plain: int, true: int, other: int, dice: tuple[float | None, ...]) -> SequenceMeasurement:
    apart = 0.1 if plain else 0.0
    volumes = Volumes((plain,) * len(dice), np.array([other]), true, apart, dice)
    unremoved = (False,) * len(dice)
    return SequenceMeasurement({"whole": counts()}, {"whole": volumes}, removed_much=unremoved)


def fact(
    patient: str, plain: int, true: int, other: int, *dice: float | None, stripped: bool = False
) -> MeasuredCase:
    full = look(plain, true, other, dice or (0.9,) * len(RULES))
    looks = {BOTH: full, FLAIR: look(plain, true, other, (0.7,))}
    return MeasuredCase(patient, stripped, ("side 1",), looks)


def test_facts_by_hand() -> None:
    """Spread 10 + 0.25 each; ten patients, errors of 1 to 10 voxels, and one that was missed."""
    cases = [fact(f"p{k}", 100, 100 + k, 110) for k in range(1, 11)]
    cases = [*cases, fact("p1", 100, 9999, 100), fact("q", 0, 50, 0)]
    cases = [*cases, fact("p1", 100, 101, 110, stripped=True)]
    found = validation_facts(cases, 1.0, None)
    assert found.patients == 11
    kinds = [(kind.skull_stripped, kind.sequences, kind.patients) for kind in found.kinds]
    assert kinds == [(False, BOTH, 11), (False, FLAIR, 11), (True, BOTH, 1), (True, FLAIR, 1)]
    region = found.kinds[0].regions["whole"]
    assert (region.tumours, region.missed, region.dice) == (11, 1, 0.9)
    assert region.disagreement is not None
    assert (region.disagreement.n, region.disagreement.high) == (10, 0.1)
    assert region.alarm == 0.1  # no mask is poor
    assert region.volume is not None
    assert region.volume.stretch == pytest.approx(10 / 10.25, rel=1e-3)
    assert region.volume == VolumeFit(level=0.9, stretch=region.volume.stretch, patients=10)
    alone = found.kinds[1]
    assert (alone.dice, alone.slices_per_case) == ({"whole": 0.7}, MOST_SLICES)
    assert alone.regions["whole"].volume is not None
    assert found.kinds[0].slices_per_case is None
    assert found.kinds[2].regions["whole"].volume is None  # one patient promises nothing


def test_a_speck_apart_is_removed_if_that_helps() -> None:
    volume, labels = head_volume(), head_labels()
    volume.array[1, 5:7, 5:7, 2] += 300  # marked as brightly as the tumour, far from it
    found = measured(of_labels(to_slices(volume), labels))
    whole, *cleaned = found.full.volumes["whole"].plain
    assert min(cleaned) < whole
    chosen = choose_clean_up([found])
    assert chosen is not None
    assert chosen.below_ml == 0.05  # 4 voxels of 3.6 mm³
    assert not any(found.full.removed_much)  # 4 of 94 voxels


def test_a_fragment_of_a_fifth_is_much() -> None:
    volume, labels = head_volume(), head_labels()
    volume.array[1, 4:8, 5:9, 2] += 300  # 16 voxels, 0.06 ml, far from the 90 of the tumour
    found = measured(of_labels(to_slices(volume), labels))
    smaller, larger = (
        RULES.index(CleanUp(below_ml=ml, below_probability=1.0)) for ml in (0.05, 0.2)
    )
    assert [found.full.removed_much[k] for k in (0, smaller, larger)] == [False, False, True]


def rows(better: int, gain: float) -> tuple[float, ...]:
    """The Dice of a case under each rule: 0.5, and more from one rule on."""
    return tuple(0.5 + gain * (k >= better) for k in range(len(RULES)))


def test_the_rule_that_costs_no_kind_of_image_anything_is_chosen() -> None:
    helps, harms = rows(3, 0.2), rows(5, -0.1)
    assert choose_clean_up([fact("a", 9, 9, 9, *helps)]) == RULES[3]  # the first of equals
    both = [fact("a", 9, 9, 9, *helps), fact("b", 9, 9, 9, *harms)]
    assert choose_clean_up(both) == RULES[3]  # the mean of one kind counts
    kinds = [fact("a", 9, 9, 9, *rows(5, 0.2)), fact("b", 9, 9, 9, *harms, stripped=True)]
    assert choose_clean_up(kinds) is None  # whole heads gain what brains lose
    assert choose_clean_up([fact("a", 9, 9, 9, *harms)]) is None
    assert choose_clean_up([fact("a", 0, 0, 0, *[None] * len(RULES))]) is None
    assert choose_clean_up([]) is None


def with_apart(case: MeasuredCase, apart: float) -> MeasuredCase:
    """The case with another disagreement in each of its looks."""
    looks = {
        sequences: replace(
            one, volumes={k: replace(v, disagreement=apart) for k, v in one.volumes.items()}
        )
        for sequences, one in case.measurements.items()
    }
    return replace(case, measurements=looks)


def test_one_limit_of_disagreement_for_both_kinds_of_image() -> None:
    """Eleven whole heads and eight brains: one of 19 good masks lies above the limit."""
    heads = [with_apart(fact(f"h{k}", 100, 100, 100), 0.01 * k) for k in range(1, 12)]
    brains = [
        with_apart(fact(f"s{k}", 100, 100, 100, stripped=True), 0.2 + 0.01 * k) for k in range(8)
    ]
    found = validation_facts([*heads, *brains], 1.0, None)
    limits = [k.regions["whole"].alarm for k in found.kinds]
    assert limits == pytest.approx([0.26] * 4)
    usual = [k.regions["whole"].disagreement for k in found.kinds if k.sequences == BOTH]
    assert [one.high for one in usual if one] == pytest.approx([0.11, 0.27])


def test_masks_that_lose_much_in_the_clean_up_count_as_flagged() -> None:
    """Of 19 good masks one may be flagged; those of which much is removed are among them."""
    cases = [with_apart(fact(f"h{k}", 100, 100, 100), 0.01 * k) for k in range(1, 20)]
    assert alarm_of(cases) == pytest.approx(0.18)
    full = next(iter(cases[0].measurements.values()))
    much = replace(full, removed_much=(True,) * len(RULES))
    looks = {**cases[0].measurements, BOTH: much}
    assert alarm_of([replace(cases[0], measurements=looks), *cases[1:]]) == pytest.approx(0.19)


def alarm_of(cases: list[MeasuredCase]) -> float | None:
    """The limit of all sequences."""
    return validation_facts(cases, 1.0, None).kinds[0].regions["whole"].alarm


@pytest.mark.parametrize(("heads", "kinds"), [(19, {True, False}), (20, {False})])
def test_a_brain_among_twenty_heads_may_be_a_wrongly_detected_one(
    heads: int, kinds: set[bool]
) -> None:
    cases = [fact(f"h{k}", 100, 100, 100) for k in range(heads)]
    measured_kinds = validation_facts([*cases, fact("s", 9, 9, 9, stripped=True)], 1.0, None).kinds
    assert {kind.skull_stripped for kind in measured_kinds} == kinds
    assert {kind.patients for kind in measured_kinds if not kind.skull_stripped} == {heads}


def test_sparse_cases_do_not_count_among_the_measured_ones() -> None:
    sparse = [
        MeasuredCase(f"s{k}", False, ("side 1",), {T1: SequenceMeasurement({}, {})})
        for k in range(5)
    ]
    whole = replace(fact("p", 100, 100, 100), measurements={T1: look(100, 100, 100, (0.9,))})
    (kind,) = validation_facts([*sparse, whole], 1.0, None).kinds
    assert kind.patients == 1
    (only,) = validation_facts(sparse, 1.0, None).kinds
    assert only.patients == 5
