"""Reporting checklists: only what the records tell, and blanks for the rest."""

from __future__ import annotations

import copy
from dataclasses import replace
from importlib import metadata, resources
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.errors import InputError
from gliomask.metrics.overlap_counts import Overlap
from gliomask.metrics.scores import CaseScore
from gliomask.metrics.slicewise import SliceScore
from gliomask.report.checklists.checklist import FACTS, ChecklistItem, checklist_markdown, fill
from gliomask.report.checklists.records import Records
from gliomask.report.markdown import one_line
from gliomask.statistics.evaluation_summary import summarise_scores, summary_keys
from tests.report.reading import ALLOWED, page_of

CLAIM = [str(number) for number in range(1, 45)]
# The leaves of TRIPOD+AI's 27 items; those with several parts have letters.
LETTERS = {3: 3, 5: 2, 6: 3, 8: 3, 9: 3, 12: 7, 18: 6, 20: 3, 23: 2, 27: 3}
TRIPOD = [
    f"{number}{letter}"
    for number in range(1, 28)
    for letter in ("abcdefg"[: LETTERS[number]] if number in LETTERS else [""])
]
DIGEST = "ab" * 32
# Only people can answer these: aims, ethics, funding, conflicts, registration, interpretation ...
CLAIM_HUMAN = {*range(2, 7), 8, 11, *range(14, 19), 21, 27, 30, 31, 34, 36, 40, 41, 42, 44}
TRIPOD_HUMAN = {
    *("2", "3a", "3b", "3c", "4", "5b", "6a", "6b", "6c", "8b", "8c", "9c", "12d", "12f", "14"),
    *("17", "18a", "18b", "18c", "18d", "19", "20b", "20c", "23b", "24", "25", "26", "27b", "27c"),
}


def summary() -> dict[str, Any]:
    """As ``evaluate`` writes it: two patients of Dice 0.8 and 0.4."""
    scores = [
        CaseScore("c1", "p1", "whole", Overlap(10, 10, 8), SliceScore(2, 0.8, 4, 1), 1.0),
        CaseScore("c2", "p2", "whole", Overlap(10, 10, 4), SliceScore(2, 0.4, 4, 1), 1.0),
    ]
    return {
        **summary_keys(summarise_scores(scores)),
        "source": "glio (store), test",
        "model": "default-glio",
        "weights_sha256": DIGEST,
        "synthetic_data": False,
        "synthetic_training": False,
        "in_training": [],
        "warnings": [],
        "failed": [{"case": "c3", "reason": "no reference"}],
    }


def card() -> dict[str, Any]:
    return {
        "network": "u2netp",
        "in_channels": 3,
        "regions": ["whole"],
        "sequences": ["t1", "t1ce", "flair"],
        "input_mode": "stacked",
        "sequence_dropout": True,
        "size": 128,
        "threshold": 0.45,
        "temperature": 1.25,
        "preprocess": {"version": 1},
        "synthetic": False,
        "trained_on": "store glio: 3 patients, 70 slices",
        "licence": "CC BY 4.0",
        "weights_sha256": DIGEST,
        "created_by": "gliomask 0.1.0",
        "metrics": {"part": "validation", "patients": 2, "mean_dice": 0.75, "epoch": 2},
    }


def records() -> Records:
    """Everything is known."""
    software = {"gliomask": metadata.version("gliomask"), "torch": "2.10.1"}
    return Records(
        summary=summary(),
        evaluation={"software": software},
        card=card(),
        run={
            "software": {"gliomask": "0.0.9", "torch": "2.9.8"},
            "data": {"name": "glio", "fold": None},
            "train_patients": ["a", "b", "c"],
            "validation_patients": ["d", "e"],
            "sessions": [{"outcome": "done", "machine": {"gpu": None, "processors": 2}}],
        },
        recipe={
            "seed": 7,
            "epochs": 3,
            "batch_size": 8,
            "loss": {"dice": 1.0, "bce": 0.5},
            "optimiser": {"name": "adamw", "lr": 0.001},
            "augment": {"flip_horizontal": 0.5, "noise": 0.0},
            "sampling": {"tumour_share": 0.6},
            "input": {"dropout": 0.15},
        },
        history=[
            {"epoch": "1", "validation_dice": "0.6"},
            {"epoch": "2", "validation_dice": "0.75"},
            {"epoch": "3", "validation_dice": "nan"},
        ],
        parameters=1_131_181,
    )


def told(fact: str, given: Records) -> str | None:
    return FACTS[fact].read(given)


def answers(given: Records, checklist: str) -> dict[str, ChecklistItem]:
    return {item.number: item for item in fill(given) if item.checklist == checklist}


def test_every_item_is_there_once_and_in_order() -> None:
    items = fill(Records())
    for name, expected in (("CLAIM 2024", CLAIM), ("TRIPOD+AI", TRIPOD)):
        assert [item.number for item in items if item.checklist == name] == expected
    assert len(CLAIM) == 44
    assert len(TRIPOD) == 52
    assert len({item.subject for item in items if item.checklist == "CLAIM 2024"}) == 44
    assert all(item.subject and item.section for item in items)


@pytest.mark.parametrize("name", ["claim", "tripod_ai"])
def test_the_files_are_in_the_package_and_name_their_source(name: str) -> None:
    file = resources.files("gliomask.report") / "checklists" / f"{name}.yaml"
    loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert set(loaded) == {"name", "citation", "doi", "sections"}
    assert loaded["doi"].startswith("10.")
    for section in loaded["sections"]:
        for item in section["items"]:
            assert set(item) <= {"number", "subject", "facts", "hint", "always"}
            assert isinstance(item["number"], str)
            assert item["subject"]
            assert item["hint"]
            assert set(item.get("facts", ())) <= set(FACTS)


def test_every_fact_answers_some_item() -> None:
    asked = {
        fact
        for name in ("claim", "tripod_ai")
        for section in yaml.safe_load(
            (resources.files("gliomask.report") / "checklists" / f"{name}.yaml").read_text("utf-8")
        )["sections"]
        for item in section["items"]
        for fact in item.get("facts", ())
    }
    assert asked == set(FACTS)


def test_without_records_everything_is_blank_and_says_what_to_write() -> None:
    for item in fill(Records()):
        assert (item.answer, item.source, item.state) == (None, None, "blank")
        assert item.needed


def test_what_only_people_know_stays_blank() -> None:
    for name, human in (("CLAIM 2024", set(map(str, CLAIM_HUMAN))), ("TRIPOD+AI", TRIPOD_HUMAN)):
        blank = {item.number for item in answers(records(), name).values() if item.answer is None}
        assert blank == human


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ("partition", "3 patients for training, 2 for validation; hold-out split"),
        ("disjoint", "no patient is both a training and a validation patient"),
        ("first_weights", "drawn from seed 7; the recipe names no earlier weights"),
        ("parameters", "1,131,181 parameters"),
        ("network", "network u2netp, 3 channels in, 1 out"),
        ("sampling", "sampling of slices: tumour_share 0.6"),
        ("augmentation", "augmentation: flip_horizontal 0.5, noise 0"),
        (
            "optimisation",
            "epochs 3, batch_size 8, seed 7; loss: dice 1, bce 0.5; "
            "optimiser: name adamw, lr 0.001",
        ),
        ("sessions", "1 session, the last one: done; on 2 processors"),
        (
            "selection",
            "kept: the network of epoch 2, mean Dice 0.75 over 2 patients of the validation part, "
            "the highest of 2 epochs in the history",
        ),
        (
            "numbers",
            "2 cases of 2 patients evaluated: 2 with a score, 0 without (both masks empty)",
        ),
        ("failed", "1 case could not be evaluated"),
        ("overlap_with_training", "no evaluated patient is a training or validation patient"),
        (
            "metrics",
            "scores: dice, iou, sensitivity, precision, volume_error_ml, volume_error_percent",
        ),
        ("worst", "lowest Dice of a patient: whole 0.4 (10th percentile 0.44)"),
        ("false_positives", "tumour-free slices with false positives: whole 0.25 of 8"),
        ("software_training", "training: gliomask 0.0.9, torch 2.9.8"),
        (
            "uncertainty",
            "95 % intervals: bootstrap percentiles of the mean over patients, 10,000 resamples",
        ),
    ],
)
def test_facts_say_what_the_records_say(fact: str, expected: str) -> None:
    assert told(fact, records()) == expected
    assert told(fact, Records()) is None


def test_results_are_the_means_with_their_intervals() -> None:
    # Both patients drawn twice have probability 1/4 each, so the 95 % interval is the whole range.
    assert (told("results", records()) or "").startswith(
        "dice of whole 0.6 (95 % interval 0.4 to 0.8) over 2 patients, iou of whole "
    )


def test_an_answer_is_of_the_records_and_goes_with_them() -> None:
    """Each value that is changed changes the answer; each that is removed takes it away."""
    changes: tuple[tuple[dict[str, object], str, str], ...] = (
        ({"threshold": 0.3}, "output", "cut at 0.3"),
        ({"size": 64}, "inputs", "64 x 64"),
        ({"trained_on": "elsewhere"}, "data_trained", "trained on elsewhere"),
        ({"synthetic": True}, "synthetic_training", "training data are synthetic"),
        ({"preprocess": {"version": 9}}, "preprocessing", "preprocessing version 9 of gliomask"),
    )
    for changed, fact, expected in changes:
        assert expected in (told(fact, replace(records(), card={**card(), **changed})) or "")
        without = {key: value for key, value in card().items() if key not in changed}
        assert told(fact, replace(records(), card=without)) is None


def test_an_unknown_preprocessing_is_named_but_not_described() -> None:
    assert "z-scored" in (told("preprocessing", records()) or "")
    other = replace(records(), card={**card(), "preprocess": {"version": 9}})
    assert "z-scored" not in (told("preprocessing", other) or "")


def test_resamples_of_another_version_are_not_claimed() -> None:
    other = replace(records(), evaluation={"software": {"gliomask": "0.0.1"}})
    assert "resamples" not in (told("uncertainty", other) or "resamples")


def test_shared_patients_and_warnings_are_said() -> None:
    run = {"train_patients": ["a", "b"], "validation_patients": ["b"]}
    assert told("disjoint", Records(run=run)) == "1 patient is in both training and validation"
    seen = {**summary(), "in_training": ["p1"], "warnings": ["flattered"]}
    assert (
        told("overlap_with_training", Records(summary=seen))
        == "1 evaluated patient was trained on; flattered"
    )


def test_an_epoch_that_the_history_knows_better_is_not_called_the_highest() -> None:
    better = [*records().history, {"epoch": "4", "validation_dice": "0.9"}]  # type: ignore[misc]
    assert "highest" not in (told("selection", replace(records(), history=better)) or "highest")


def test_a_recipe_that_names_earlier_weights_is_not_from_scratch() -> None:
    found = told("first_weights", Records(recipe={"seed": 1, "first_weights": "other"}))
    assert found == "drawn from seed 1; recipe options first_weights"


def test_the_recipe_in_the_card_does_where_the_file_is_not_given() -> None:
    inside = Records(card={**card(), "recipe": {"seed": 3}})
    assert told("first_weights", inside) == "drawn from seed 3; the recipe names no earlier weights"


def test_states_and_wording_of_full_and_partial_answers() -> None:
    claim = answers(records(), "CLAIM 2024")
    full, part = claim["24"], claim["13"]
    assert full.state == "answered"
    assert full.answer == "drawn from seed 7; the recipe names no earlier weights"
    assert (full.source, full.needed) == ("the run's recipe", None)
    assert part.state == "in part"
    assert part.answer == f"in part: MRI sequences: t1, t1ce, flair; still needed: {part.needed}"
    # The versions of the evaluation are missing: what was full is now a part.
    less = answers(replace(records(), evaluation=None), "CLAIM 2024")["23"]
    assert (claim["23"].state, less.state) == ("answered", "in part")


def test_refuses_an_evaluation_of_other_weights() -> None:
    other = {**summary(), "weights_sha256": "cd" * 32}
    with pytest.raises(InputError, match="other weights"):
        fill(replace(records(), summary=other))


KEYS = sorted(
    {"fold", "software", "gliomask", "machine", "gpu", "ci95", "mean", "n", "min", "p10", "dice"}
    | {"metrics", "epoch", "mean_dice", "patients", "recipe", "seed", "outcome", "validation_dice"}
    | {"train_patients", "validation_patients", "sessions", "data", "loss", "optimiser", "augment"}
    | {"sampling", "input", "dropout", "processors"}
    | set(summary())
    | set(card())
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=20,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(JSON, min_size=7, max_size=7))
def test_odd_records_never_break_it(odd: list[Any]) -> None:
    items = fill(Records(*odd))
    assert len(items) == 96
    assert_tables_hold(items)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(card())), JSON)
def test_one_odd_value_among_good_ones_does_not_break_it(key: str, odd: object) -> None:
    assert len(fill(replace(records(), card={**card(), key: odd}))) == 96


def assert_tables_hold(items: tuple[ChecklistItem, ...]) -> list[list[str]]:
    page = page_of(checklist_markdown(items))
    assert page.tags <= ALLOWED
    rows = [row for row in page.rows if row[0] != "Item"]
    assert [row[0] for row in rows] == [item.number for item in items]
    assert all(len(row) == 5 for row in page.rows)
    return rows


EVIL = (
    "x | y |\n| 99 | forged | <script>alert(1)</script> | [a](javascript:b) ![i](http://e/x.png) "
    "`c` \\| **b** ~~s~~ &lt; <!-- \u202e www.e.org $m$"
)


def test_names_from_outside_forge_nothing() -> None:
    evil = copy.deepcopy(records())
    evil = replace(
        evil,
        card={**card(), "trained_on": EVIL, "regions": [EVIL], "licence": EVIL, "network": EVIL},
        summary={**summary(), "source": EVIL, "dice": {EVIL: summary()["dice"]["whole"]}},
        recipe={"seed": 1, "loss": {EVIL: EVIL}},
        run={"software": {EVIL: EVIL}, "sessions": [{"outcome": EVIL}]},
    )
    rows = assert_tables_hold(fill(evil))
    shown = " ".join(cell for row in rows for cell in row)
    assert one_line(EVIL) in shown  # as it was, and only as text
    assert "\u202e" not in shown


def test_markdown_counts_cites_and_says_what_it_is_for() -> None:
    items = fill(records())
    text = checklist_markdown(items)
    claim = [item.state for item in items if item.checklist == "CLAIM 2024"]
    counts = ", ".join(f"{claim.count(s)} {s}" for s in ("answered", "in part", "blank"))
    assert f"44 items: {counts}." in text
    assert "52 items: " in text
    assert "For research use only." in text
    assert "doi:10.1148/ryai.240300" in text
    assert "doi:10.1136/bmj-2023-078378" in text
    assert checklist_markdown(()).startswith("# Reporting checklists")


def test_every_item_says_the_same_of_earlier_weights() -> None:
    words = "initial weights from a-model (sha256 0123456789ab)"
    whole = records()
    assert isinstance(whole.run, dict)
    assert isinstance(whole.card, dict)
    run = {**whole.run, "start": {"description": words}}
    shipped = {**whole.card, "trained_on": f"store glio: 3 patients; {words}"}
    for one in (replace(whole, run=run), replace(whole, run=None, card=shipped)):
        assert told("first_weights", one) == words
        assert not [
            item.number for item in fill(one) if "no earlier weights" in (item.answer or "")
        ]
