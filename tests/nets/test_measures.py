"""Figures of data and validation in a card."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gliomask.nets.cards import read_card, write_card
from gliomask.nets.measures import (
    Range,
    RegionValidation,
    SubsetDice,
    TrainingData,
    ValidationFacts,
    VolumeFit,
    range_of,
)
from tests.fakes import fake_card

FIT = VolumeFit(level=0.9, stretch=2.5, patients=12)


def facts() -> ValidationFacts:
    one = RegionValidation(tumours=12, missed=1, disagreement=range_of([0.1, 0.2]), volume=FIT)
    both = SubsetDice(
        sequences=("t1", "flair"), dice={"whole": 0.8}, patients=12, slices_per_case=32
    )
    alone = both.model_copy(update={"sequences": ("flair",), "dice": {"whole": 0.7}})
    return ValidationFacts(
        patients=12, ways=("side 1",), regions={"whole": one}, subsets=(both, alone)
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


def test_figures_are_looked_up() -> None:
    made = fake_card(validation=facts())
    assert made.volume_fit("whole") == FIT
    assert made.volume_fit("core") is None
    assert fake_card().volume_fit("whole") is None
    found = facts().subset(("flair",))
    assert found is not None
    assert found.dice == {"whole": 0.7}
    assert facts().subset(("flair", "t1")) == facts().subsets[0]
    assert facts().subset(("t1",)) is None


def test_another_threshold_has_other_volumes() -> None:
    made = fake_card(validation=facts())
    assert made.with_threshold(made.threshold).volume_fit("whole") == FIT
    moved = made.with_threshold(0.7)
    assert moved.threshold == 0.7
    assert moved.volume_fit("whole") is None
    assert moved.validation is not None
    assert moved.validation.subsets == facts().subsets


def test_figures_are_strict() -> None:
    with pytest.raises(ValidationError):
        VolumeFit(level=0.9, stretch=float("inf"), patients=12)
    with pytest.raises(ValidationError):
        VolumeFit.model_validate({"level": 0.9, "stretch": 1.0, "patients": 12, "more": 1})
