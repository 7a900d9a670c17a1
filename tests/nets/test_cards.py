"""A card is read as it was written, or refused in one line that says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gliomask.errors import ModelError
from gliomask.nets.cards import MAX_CARD_BYTES, ModelCard, read_card, write_card

KEYS: dict[str, Any] = {
    "name": "phantom",
    "network": "u2net-tiny",
    "in_channels": 2,
    "regions": ("whole", "core"),
    "sequences": ("flair", "t1ce"),
    "size": 128,
    "preprocess": {"version": 1, "percentiles": [1, 99]},
    "synthetic": True,
    "trained_on": "the phantom cohort",
    "licence": "Apache-2.0",
}


def card(**changes: Any) -> ModelCard:
    return ModelCard(**KEYS | changes)


def written(folder: Path, **changes: Any) -> Path:
    """A card file as JSON with keys changed; a key set to ``...`` is left out."""
    keys = {"format_version": 1} | KEYS | changes
    path = folder / "card.json"
    path.write_text(json.dumps({k: v for k, v in keys.items() if v is not ...}), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        read_card(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = card(metrics={"dice": {"whole": 0.9}}, notes="größer als nötig", threshold=0.4)
    write_card(tmp_path / "card.json", made)
    assert read_card(tmp_path / "card.json") == made


def test_what_is_not_given_has_honest_defaults() -> None:
    made = card()
    assert (made.threshold, made.temperature, made.input_mode) == (0.5, 1.0, "stacked")
    assert (made.sequence_dropout, made.weights_sha256, made.format_version) == (False, None, 1)
    assert made.created_by.startswith("gliomask ")


def test_a_card_names_patients(tmp_path: Path) -> None:
    """Those from before it did so are read as well."""
    before = read_card(written(tmp_path))
    assert (before.patients, before.validation_patients) == ((), ())
    named = read_card(written(tmp_path, patients=["a", "b"], validation_patients=["c"]))
    assert (named.patients, named.validation_patients) == (("a", "b"), ("c",))


def test_a_card_is_frozen() -> None:
    made, field = card(), "threshold"
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, field, 0.1)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"treshold": 0.4}, "unknown key 'treshold' in the model card; did you mean 'threshold'?"),
        (
            {"network": ..., "netwrok": "u2net-tiny"},
            "unknown key 'netwrok' in the model card; did you mean 'network'?",
        ),
        ({"licence": ...}, "the model card lacks the key 'licence'"),
        ({"synthetic": "yes"}, "synthetic=yes, allowed true or false"),
        ({"size": 8}, "size=8, allowed 16 or more"),
        ({"mirrored": True}, "mirrored, of a model that was trained without flips"),
        ({"threshold": 1.0}, "threshold=1.0, allowed less than 1"),
        ({"temperature": 0}, "temperature=0, allowed more than 0"),
        ({"regions": ["whole", "whole"]}, "allowed names that differ"),
        ({"regions": []}, "regions=[], allowed 1 or more"),
        ({"name": "../../etc"}, "name=../../etc, allowed text like"),
        ({"sequences": ["flair", "<b>"]}, "sequences.1=<b>, allowed text like"),
        ({"weights_sha256": "abc"}, "weights_sha256=abc, allowed text like"),
        ({"in_channels": 3}, "in_channels = 2 for 2 sequences and input_mode 'stacked'"),
        ({"input_mode": "each"}, "in_channels = 1 for 2 sequences and input_mode 'each'"),
        ({"network": "u2netq"}, "did you mean 'u2net'?"),
        (
            {"format_version": 2, "new": 1},
            "a model card of another version (format_version=2, allowed 1); "
            "use the version of gliomask that wrote it, or a newer one",
        ),
    ],
)
def test_a_wrong_value_is_refused(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    assert text in refusal(written(tmp_path, **changes))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "not JSON: "),
        (b"{", "not JSON: "),
        (b"\xff\xfe{}", "not JSON: "),
        (b"[" * 100_000, "not JSON: "),
        (b"[1, 2]", "not a model card: not a mapping"),
        (b" " * (MAX_CARD_BYTES + 1), "larger than the limit for model cards (1048576 bytes)"),
    ],
)
def test_what_is_no_card_is_refused(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)
    assert refusal(path).startswith(text)


def test_a_missing_card_is_said(tmp_path: Path) -> None:
    assert refusal(tmp_path / "card.json").startswith("there is no model card")
    assert refusal(tmp_path).startswith("there is no model card")


def test_a_number_that_json_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="finite numbers"):
        card(metrics={"dice": [0.5, float("nan")]})
    path = written(tmp_path, metrics={"dice": "HERE"})
    path.write_text(path.read_text().replace('"HERE"', "1e999"))
    assert "allowed finite numbers" in refusal(path)
