"""A model in words: known failures come first, and nothing that is not known is made up."""

from __future__ import annotations

from gliomask.nets.known_models import card_of
from gliomask.nets.model_summary import SummarySection, summary
from tests.fakes import fake_card


def test_the_shipped_model_begins_with_its_failures() -> None:
    first, second, *others = summary(card_of("u2netp-lgg"))
    assert first.title == "known failures"
    assert len(first.lines) == 6
    assert first.lines[-1] == "with FLAIR as the only sequence the Dice is lower"
    assert second.title == "purpose"
    assert second.lines[0].startswith("For research use only. Segments the FLAIR abnormality")
    assert "Known failures" not in second.lines[0]
    (good,) = [one.lines for one in others if one.title == "accuracy"]
    assert good[0] == "Dice of the whole tumour 0.85 (0.82 to 0.87, 87 patients), out of fold"
    assert good[1].startswith("by tumour size: 1870 to 10369 px: 0.81 (0.76 to 0.85, 29 patients)")
    assert "t1 + t1ce + flair 0.85" in good[-1]


def test_a_card_that_says_little() -> None:
    found = summary(fake_card(licence="", trained_on="nothing"))
    assert found[:2] == (
        SummarySection("input", ("t1, flair; all needed",)),
        SummarySection("patients", ("nothing",)),
    )
    assert [one.title for one in found] == ["input", "patients", "network"]


def test_figures_of_another_form_are_left_out() -> None:
    metrics = {"accuracy": {"dice": {"mean": "high"}, "dice_by": {"site": {"A": 3}, "odd": 4}}}
    assert "accuracy" not in [one.title for one in summary(fake_card(metrics=metrics))]
