"""What the numbers in masks mean: the order of trust, and when the user is asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gliomask.core.label_scheme import BINARY, LabelScheme
from gliomask.core.labels import CAVITY, ENHANCING, NECROSIS, OEDEMA, TUMOUR
from gliomask.datasets.mask_labels.numbers import SCHEMES, challenge_in
from gliomask.datasets.mask_labels.option import scheme_of_option
from gliomask.datasets.mask_labels.resolve import (
    NumberedMask,
    Reading,
    Side,
    resolve,
    resolve_both,
)
from gliomask.errors import ConfigError, QuestionError

MSD, B2021, B2023, B2024 = (SCHEMES[k] for k in ("msd", "brats2021", "brats2023", "brats2024"))
PED = SCHEMES["brats-ped2024"]
STATED = LabelScheme("dataset.json", MSD.values)
GLI, PEDS, Y2021 = "BraTS-GLI-00001-000.nii.gz", "BraTS-PED-00001-000.nii", "BraTS2021_00001"


def side(*sets: set[int], name: str = "a.nii", stated: LabelScheme | None = None) -> Side:
    masks = tuple(NumberedMask((name,), frozenset(numbers)) for numbers in sets)
    return Side("masks", "labels", masks, stated)


def meaning(reading: Reading) -> dict[int, int]:
    return dict(reading.scheme.values)


def asked(masks: Side, other: LabelScheme | None = None) -> list[str]:
    with pytest.raises(QuestionError) as question:
        resolve(masks, other)
    return [answer for answer, _ in question.value.answers]


def test_an_answer_comes_first() -> None:
    (reading,) = resolve(side({1, 2, 3}, name=GLI, stated=MSD), B2021)
    assert reading == (MSD, "as stated")


def test_then_what_is_stated() -> None:
    stated = NumberedMask((GLI,), frozenset({1, 2, 3}), STATED, "by dataset.json")
    (reading,) = resolve(Side("masks", "labels", (stated,)), B2021)
    assert reading == (STATED, "by dataset.json")


@pytest.mark.parametrize(
    ("name", "numbers", "values"),
    [
        (GLI, {1, 2, 3}, B2024.values),
        (GLI, {1, 2, 4}, B2024.values),
        ("BraTS-MET-00012-000", {3, 4}, B2024.values),
        ("BraTS-SSA-00012-000", {2, 3}, B2023.values),
        ("BraTS-MEN-00012-000", {1, 2, 3}, B2023.values),
        ("BraTS-GoAT-00012", {1, 2, 3}, B2023.values),
        (PEDS, {1, 2, 3, 4}, PED.values),
        (PEDS, {4}, PED.values),
        (Y2021, {1, 2}, B2021.values),
        ("Brats18_CBICA_AAB_1_seg", {1, 2, 4}, B2021.values),
        ("BraTS20_Training_355", {2, 4}, B2021.values),
        ("brats_tcia_pat153_0181", {1, 2, 3, 4}, SCHEMES["brats2013"].values),
        ("BRATS_001.nii.gz", {1, 2, 3}, MSD.values),
        ("UCSF-PDGM-0004_tumor_segmentation", {1, 2, 4}, B2021.values),
        ("UPENN-GBM-00055_11_automated_approx_segm", {1, 2, 4}, B2021.values),
        ("TCGA-CS-4942_1997.02.22_GlistrBoost", {1, 2, 4}, B2021.values),
    ],
)
def test_then_the_challenge_in_the_name(
    name: str, numbers: set[int], values: tuple[tuple[int, int], ...]
) -> None:
    (reading,) = resolve(side(numbers, name=name))
    assert reading.scheme.values == values
    assert "from the challenge in their names" in reading.reason


def test_names_that_are_no_challenge() -> None:
    names = ("TCGA_CS_4941_19960909_1_mask.tif", "sub-01_dseg.nii", "brats_1.nii", "mybrats-gli-1")
    assert challenge_in(names) is None
    assert challenge_in(("seg.nii.gz", "case", "BraTS-PED-00001-000")) is not None


def test_each_challenge_is_read_by_its_own_numbers() -> None:
    masks = (
        NumberedMask((GLI,), frozenset({1, 2, 4})),
        NumberedMask((PEDS,), frozenset({1, 2, 4})),
        NumberedMask((Y2021,), frozenset({1, 2, 4})),
    )
    found = resolve(Side("masks", "labels", masks))
    assert [meaning(one)[4] for one in found] == [CAVITY, OEDEMA, ENHANCING]


def test_children_of_two_years_are_asked_about_unless_the_other_side_settles_it() -> None:
    assert asked(side({1, 2, 3}, name=PEDS)) == ["brats2023", "brats-ped2024"]
    (reading,) = resolve(side({1, 2, 3}, name=PEDS), PED)
    assert reading.scheme == PED


def test_a_challenge_of_two_years_by_one_name() -> None:
    assert asked(side({1, 2}, name="BRATS_HG0001")) == ["brats2012", "brats2013"]
    (reading,) = resolve(side({1, 2, 3, 4}, name="BRATS_HG0001"))
    assert reading.scheme == SCHEMES["brats2013"]


def test_numbers_that_are_not_those_of_the_challenge_are_asked_about() -> None:
    assert asked(side({1, 2, 3}, name=Y2021)) == ["brats2023", "msd"]
    assert asked(side({1, 2, 3, 4}, name="BraTS-SSA-00001-000"))[:1] == ["brats2013"]
    assert asked(side({1, 2, 7}, name=GLI)) == ["1=NAME,2=NAME,7=NAME", "binary"]


def test_a_mask_that_does_not_fit_its_challenge_does_not_stop_the_others() -> None:
    odd, good = resolve(side({1, 2, 3}, {1, 2, 4}, name=Y2021))
    assert odd.scheme == good.scheme == B2021


def test_then_the_scheme_of_the_other_side() -> None:
    (reading,) = resolve(side({1, 2, 3}), STATED)
    assert reading == (STATED, "same as the masks they are compared with")
    (reading,) = resolve(side({1, 2}), B2021)
    assert reading.scheme == B2021


def test_a_name_and_the_other_side_that_disagree_are_asked_about() -> None:
    """A conversion by nnU-Net (1 oedema) against masks that are called BraTS-GLI."""
    assert asked(side({1, 2, 3}, name=GLI), STATED) == ["brats2024", "msd"]
    (reading,) = resolve(side({3}, name=GLI), STATED)  # enhancing in both
    assert meaning(reading)[3] == ENHANCING


def test_predictions_named_like_the_cases_are_asked_about_if_their_numbers_are_another_s() -> None:
    """References of BraTS 2024, and a model that numbers as in 2021: 4 is a cavity there."""
    predicted = replace(side({1, 2, 4}, name=GLI), option="prediction_labels")
    assert asked(predicted, B2024) == ["brats2024", "brats2021"]
    (reading,) = resolve(replace(predicted, masks=side({1, 2, 3, 4}, name=GLI).masks), B2024)
    assert reading.scheme == B2024
    (reading,) = resolve(replace(predicted, masks=side({1, 2, 3}, name=GLI).masks), B2023)
    assert meaning(reading)[3] == ENHANCING


def test_4_as_cavity_and_as_enhancing_tumour_is_asked_about() -> None:
    assert asked(side({1, 2, 4}), B2024) == ["brats2024", "brats2021"]
    assert asked(side({4}), B2024)[0] == "brats2024"
    (reading,) = resolve(side({4}), B2021)
    assert meaning(reading)[4] == ENHANCING


def test_then_the_numbers_if_they_are_those_of_one_scheme() -> None:
    reading, same = resolve(side({1, 2}, {4}))
    assert reading == same
    assert reading.scheme == B2021
    assert reading.reason == "from the numbers in the masks (1, 2, 4)"


@pytest.mark.parametrize(
    ("numbers", "answers"),
    [
        ({1, 2, 3}, ["brats2023", "msd"]),
        ({1, 2, 3, 4}, ["brats2013", "brats2024", "brats-ped2024"]),
        ({1, 2}, ["brats2013", "brats-ped2024", "msd", "hd-glio"]),
        ({2, 4}, ["brats2013", "brats2024", "brats-ped2024"]),
        ({1, 2, 7}, ["1=NAME,2=NAME,7=NAME", "binary"]),
        (set(range(1, 256)), ["threshold=128", "binary"]),
        ({-1, 1}, ["-1=background,1=NAME"]),
        ({-1}, ["-1=background"]),
        ({-2, -1, 1, 2}, ["-2=background,-1=background,1=NAME,2=NAME"]),
        (set(range(-3, 200)) - {0}, ["threshold=100"]),
    ],
)
def test_other_numbers_are_asked_about(numbers: set[int], answers: list[str]) -> None:
    assert asked(side(numbers)) == answers


def test_one_number_is_a_tumour_whose_parts_are_not_known() -> None:
    for number in (1, 255, 7):
        reading, _ = resolve(side({number}, set()))
        assert meaning(reading) == {number: TUMOUR}
    for name in (GLI, Y2021, PEDS):
        (reading,) = resolve(side({1}, name=name), B2021)
        assert reading.scheme.regions == ("whole",)
    first, second = resolve(side({1}, {255}))
    assert meaning(first) == meaning(second) == {1: TUMOUR, 255: TUMOUR}


def test_readings_need_to_agree_only_on_what_is_compared() -> None:
    """The other side tells the whole tumour only: 1, 2 and 3 are all part of it, a 4 is not."""
    for other in (BINARY, LabelScheme("tumour or not", ((1, TUMOUR),))):
        (reading,) = resolve(side({1, 2, 3}), other)
        assert meaning(reading) == {1: TUMOUR, 2: TUMOUR, 3: TUMOUR}
        assert asked(side({1, 2, 3, 4}), other) == ["brats2013", "brats2024", "brats-ped2024"]


def test_empty_masks() -> None:
    for other in (None, B2021):
        (reading,) = resolve(side(set()), other)
        assert reading.scheme.values == (B2021.values if other else ((1, TUMOUR),))
    (reading,) = resolve(side(set(), name=GLI))
    assert reading.scheme == B2024


def test_each_side_may_explain_the_other() -> None:
    named, unnamed = side({1, 2, 3}, name="BRATS_001"), side({1, 2, 3})
    for first, second in ((named, unnamed), (unnamed, named)):
        one, other = resolve_both(first, second)
        assert one[0].scheme == other[0].scheme == MSD


def test_one_answer_does_for_both_sides_where_both_are_in_doubt() -> None:
    """1 is necrosis, oedema or enhancing tumour, 4 enhancing, cavity or oedema: nothing is sure."""
    masks = side({1, 2, 3, 4}).masks
    first = Side("references", "reference_labels", masks)
    second = Side("predictions", "prediction_labels", masks)
    with pytest.raises(
        QuestionError, match=r"the references contain .* `... labels=brats2013`"
    ) as one:
        resolve_both(first, second)
    assert one.value.option == "labels"
    with pytest.raises(QuestionError, match=r"`\.\.\. prediction_labels=brats2013`"):
        resolve_both(Side("references", "reference_labels", side({1, 2, 4}).masks), second)


def test_what_all_readings_of_both_sides_give_alike_is_sure() -> None:
    """Of 1 and 2 one is necrosis, the other oedema: which is open, and so is the core only."""
    first = Side("references", "reference_labels", side({1, 2, 3}, {1}).masks)
    second = Side("predictions", "prediction_labels", side({1, 2, 3}).masks)
    readings, other = resolve_both(first, second)
    assert {*readings, *other} == {readings[0]}
    assert len(readings) == 2
    assert readings[0].scheme.regions == ("whole", "enhancing")
    assert readings[0].scheme.name == "BraTS 2023 or Medical Segmentation Decathlon"
    assert readings[0].reason == (
        "the same for whole and enhancing; core is omitted; `labels` states its meaning: "
        "brats2023 or msd"
    )


def test_a_negative_number_is_not_taken_for_tumour_by_its_name() -> None:
    assert asked(side({-1}, name="P1_ET.nii.gz")) == ["-1=background"]


def test_the_other_side_may_state_a_negative_number() -> None:
    scheme = scheme_of_option("-1=background,1=tumour")
    for numbers in ({-1, 1}, {-1}):
        (reading,) = resolve(side(numbers), scheme)
        assert reading.scheme == scheme


def test_a_mask_with_a_negative_number_does_not_stop_the_others_of_its_challenge() -> None:
    readings = resolve(side({1, 2, 4}, {-1, 1, 2, 4}, name=Y2021))
    assert {reading.scheme for reading in readings} == {B2021}


def test_a_negative_number_can_be_stated_as_background() -> None:
    scheme = scheme_of_option("-1=background,1=tumour")
    assert scheme is not None
    assert scheme.regions == ("whole",)
    assert scheme.translate(np.array([-1, 0, 1], np.int16)).tolist() == [0, 0, TUMOUR]


def test_a_question_lists_its_answers() -> None:
    with pytest.raises(QuestionError) as asked_for:
        resolve(side({1, 2, 3}))
    assert str(asked_for.value) == (
        "the masks contain the numbers 1, 2, 3, which are ambiguous; use "
        "`... labels=brats2023` (BraTS 2023: 1 necrosis, 2 oedema, 3 enhancing) or "
        "`... labels=msd` (Medical Segmentation Decathlon: 1 oedema, 2 necrosis, 3 enhancing)"
    )


def test_answers() -> None:
    assert scheme_of_option("auto") is None
    assert scheme_of_option(" BraTS2021 ") == B2021
    threshold = scheme_of_option("threshold=128")
    assert threshold is not None
    assert (threshold.binary, threshold.least) == (True, 128)
    pairs = scheme_of_option(
        "1=oedema, 2=Necrosis,3:enhancing tumour,4=cavity,5=brain,0=background"
    )
    assert pairs is not None
    assert dict(pairs.values) == {1: OEDEMA, 2: NECROSIS, 3: ENHANCING, 4: CAVITY, 5: 0}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("brats21", "unknown labels (`prediction_labels`=brats21, allowed auto, binary, brats2012"),
        ("", "unknown labels"),
        ("1=oedema,2", "unknown label (`prediction_labels`=2, allowed NUMBER=NAME"),
        ("1=something", "unknown label (`prediction_labels`=1=something"),
        ("-1=tumour", "unknown label"),
        ("-1=tumour", "a negative NUMBER is background"),
        ("-1=background", "no number is tumour"),
        ("1=tumour,1=oedema", "given twice"),
        ("0=tumour", "0 is background"),
        ("1=cavity", "no number is tumour"),
    ],
)
def test_answers_that_mean_nothing(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        scheme_of_option(text, "prediction_labels")
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("P1_necrosis.nii.gz", ["1=necrosis", "binary"]),
        ("P1_ET.nii.gz", ["1=enhancing", "binary"]),
        ("tumour_core.nii.gz", ["1=core", "binary"]),
        ("P1_brain_mask.nii.gz", ["binary"]),
        ("brain.nii.gz", ["binary"]),
    ],
)
def test_a_name_that_states_a_part_is_no_whole_tumour(name: str, answers: list[str]) -> None:
    assert asked(side({1}, name=name)) == answers
    of_challenge = NumberedMask((name, "BraTS2021_00001"), frozenset({1}))
    assert asked(Side("masks", "labels", (of_challenge,))) == answers
    with pytest.raises(QuestionError):
        resolve_both(side({1}, name=name), side({1}, name=name))
    for answer in answers:
        (reading,) = resolve(side({1}, name=name, stated=scheme_of_option(answer)))
        assert reading.reason == "as stated"
