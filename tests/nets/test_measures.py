"""Figures of data and validation in a card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from gliomask.nets.cards import card_text, read_card, write_card
from gliomask.nets.measures import (
    CleanUp,
    KindFacts,
    Range,
    RegionFacts,
    TrainingData,
    ValidationFacts,
    VolumeFit,
    range_of,
)
from tests.fakes import fake_card

FIT = VolumeFit(level=0.9, stretch=2.5, patients=12)


def facts() -> ValidationFacts:
    return ValidationFacts(
        patients=12,
        ways=("side 1",),
        kinds=(
            kind(("t1", "flair"), 0.8, stripped=False),
            kind(("flair",), 0.7, stripped=False),
            kind(("t1", "flair"), 0.9, stripped=True),
        ),
    )


def kind(sequences: tuple[str, ...], dice: float, *, stripped: bool | None) -> KindFacts:
    apart = range_of([0.1, 0.2])
    one = RegionFacts(tumours=12, missed=1, dice=dice, disagreement=apart, volume=FIT)
    return KindFacts(
        skull_stripped=stripped, sequences=sequences, patients=12, regions={"whole": one}
    )


def test_a_range_by_hand() -> None:
    found = range_of([float(k) for k in range(100, -1, -1)])
    assert found == Range(n=101, low=0.0, p5=5.0, median=50.0, p90=90.0, p95=95.0, high=100.0)
    assert range_of([]) is None
    assert range_of([1 / 3]) == Range(
        n=1, low=0.333333, p5=0.333333, median=0.333333, p90=0.333333, p95=0.333333, high=0.333333
    )


def test_a_card_with_figures_is_read_as_it_was_written(tmp_path: Path) -> None:
    data = TrainingData(
        patients=3, slices=range_of([20, 30]), pixel_mm=None, slice_mm=None, intensities={}
    )
    made = fake_card(training_data=data, validation=facts())
    write_card(tmp_path / "card.json", made)
    assert read_card(tmp_path / "card.json") == made


def test_figures_are_looked_up_by_kind_of_image_and_sequences() -> None:
    known = facts()
    found = known.kind(("flair", "t1"), skull_stripped=False)  # in any order
    assert found is known.kinds[0]
    assert found.dice == {"whole": 0.8}
    assert known.kind(("t1", "flair"), skull_stripped=True) is known.kinds[2]
    assert known.kind(("flair",), skull_stripped=True) is None
    assert known.nearest(("flair", "t2"), skull_stripped=False) is known.kinds[1]
    assert known.nearest(("flair",), skull_stripped=True) is known.kinds[2]
    only_heads = ValidationFacts(patients=12, ways=(), kinds=known.kinds[:2])
    assert only_heads.of(skull_stripped=True) == ()
    assert only_heads.nearest(("t1", "flair"), skull_stripped=True) is known.kinds[0]
    assert ValidationFacts(patients=0, ways=(), kinds=()).nearest((), skull_stripped=True) is None


def test_a_kind_that_was_not_told_apart_holds_for_both() -> None:
    known = ValidationFacts(patients=12, ways=(), kinds=(kind(("t1",), 0.8, stripped=None),))
    for stripped in (False, True):
        assert known.kind(("t1",), skull_stripped=stripped) is known.kinds[0]


def test_another_threshold_or_no_clean_up_has_other_volumes() -> None:
    made = fake_card(validation=facts(), clean_up=CleanUp(below_ml=0.5, below_probability=0.9))
    assert made.with_threshold(made.threshold) == made
    assert fake_card(validation=facts()).keeping_all() == fake_card(validation=facts())
    for moved in (made.with_threshold(0.7), made.keeping_all()):
        assert moved.validation is not None
        fits = [one.volume for k in moved.validation.kinds for one in k.regions.values()]
        assert fits == [None] * 3
        assert [k.dice for k in moved.validation.kinds] == [k.dice for k in facts().kinds]
    assert made.with_threshold(0.7).threshold == 0.7
    assert made.keeping_all().clean_up is None


def test_a_card_from_before_kinds_were_told_apart_is_read(tmp_path: Path) -> None:
    keys = json.loads(card_text(fake_card()))
    del keys["clean_up"]
    keys["smallest_part"] = 0.5
    region = {"tumours": 12, "missed": 1, "disagreement": None, "volume": FIT.model_dump()}
    subset = {"patients": 12, "slices_per_case": 32}
    keys["validation"] = {
        "patients": 12,
        "ways": ["side 1"],
        "regions": {"whole": region},
        "subsets": [
            {"sequences": ["t1", "flair"], "dice": {"whole": 0.8}, **subset},
            {"sequences": ["flair"], "dice": {"whole": 0.7}, **subset},
        ],
    }
    path = tmp_path / "card.json"
    path.write_text(json.dumps(keys))
    card = read_card(path)
    assert card.clean_up == CleanUp(below_share=0.5)
    assert card.validation is not None
    both, alone = card.validation.kinds
    assert (both.skull_stripped, both.dice, both.regions["whole"].volume) == (
        None,
        {"whole": 0.8},
        FIT,
    )
    assert (alone.sequences, alone.dice) == (("flair",), {"whole": 0.7})
    assert alone.regions["whole"].volume is None
    keys["smallest_part"] = 0.0
    keys["validation"]["subsets"] = []
    path.write_text(json.dumps(keys))
    card = read_card(path)
    assert card.clean_up is None
    assert card.validation is not None
    assert [one.sequences for one in card.validation.kinds] == [("t1", "flair")]


def test_figures_are_strict() -> None:
    with pytest.raises(ValidationError):
        VolumeFit(level=0.9, stretch=float("inf"), patients=12)
    with pytest.raises(ValidationError):
        VolumeFit.model_validate({"level": 0.9, "stretch": 1.0, "patients": 12, "more": 1})
