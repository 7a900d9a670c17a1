"""The records of a run folder, as a training leaves them and as they may have been damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gliomask.provenance.patients import ModelPatients, training_overlap
from gliomask.provenance.run_record import RunRecord

PROVENANCE = {
    "train_patients": ["a", "b"],
    "validation_patients": ["c"],
    "data": {"fold": 2},
    "start": {"licence": "MIT", "train_patients": ["x"], "validation_patients": ["y"]},
    "teacher": {"train_patients": ["t"]},
    "sessions": [{"outcome": "stopped"}, {"outcome": "done"}],
}


def write(run: Path, **changes: object) -> RunRecord:
    (run / "provenance.json").write_text(json.dumps({**PROVENANCE, **changes}))
    return RunRecord(run)


def test_patients_of_models_that_were_learned_from_count(tmp_path: Path) -> None:
    record = write(tmp_path)
    assert record.patients == ModelPatients(frozenset("abxt"), frozenset("cy"), 2)
    assert record.patients.all == frozenset("abxtcy")
    assert record.other_model("start")["licence"] == "MIT"
    assert [session["outcome"] for session in record.sessions] == ["stopped", "done"]


def test_a_folder_without_records(tmp_path: Path) -> None:
    for record in (RunRecord(tmp_path), RunRecord(tmp_path / "none")):
        assert record.patients is None
        assert (record.provenance, record.card, record.recipe) == ({}, None, {})
        assert (record.history, record.sessions, record.other_model("teacher")) == ((), (), {})


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_damaged_records_are_none(tmp_path: Path, content: bytes) -> None:
    for name in ("provenance.json", "card.json", "config.yaml"):
        (tmp_path / name).write_bytes(content[:1000] if name == "config.yaml" else content)
    record = RunRecord(tmp_path)
    assert record.patients is None
    assert (record.provenance, record.card, record.recipe) == ({}, None, {})


def test_damaged_keys_are_not_known(tmp_path: Path) -> None:
    record = write(tmp_path, sessions="none", data=[], start="a model", teacher=None)
    assert record.patients == ModelPatients(frozenset("ab"), frozenset("c"), None)
    assert (record.sessions, record.other_model("start")) == ((), {})
    assert write(tmp_path, train_patients=3).patients is None


def test_recipe_and_history(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("loss: {dice: 1.0}\n")
    (tmp_path / "history.csv").write_text("epoch,train_loss\n1,0.5\n2,0.25\n")
    record = RunRecord(tmp_path)
    assert record.recipe == {"loss": {"dice": 1.0}}
    assert [row["train_loss"] for row in record.history] == ["0.5", "0.25"]


def test_overlap_with_evaluated_patients() -> None:
    model = ModelPatients(frozenset("ab"), frozenset("c"), None)
    assert training_overlap(model, {"b", "c", "d"}) == (
        ("b",),
        (
            "the model was trained on 1 of the 3 evaluated patients: the results are optimistic",
            "the model was selected on 1 of the 3 evaluated patients: the results are optimistic",
        ),
    )
    assert training_overlap(model, {"d"}) == ((), ())
    trained, (warning,) = training_overlap(None, {"a"})
    assert (trained, "the training patients of the model are unknown" in warning) == ((), True)
