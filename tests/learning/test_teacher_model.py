"""Trainings that a model teaches which has learned already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from gliomask.errors import ConfigError, ModelError
from gliomask.nets.cards import read_card
from gliomask.nets.weights import load_model
from gliomask.provenance.run_record import RunRecord
from gliomask.store.store import Store
from tests.training import copy_that_knows, one_thread, quick, run, run_and_stop, store

__all__ = ["one_thread", "quick", "store"]
TAUGHT = "loss.teacher=0.5"


@pytest.fixture(scope="module")
def teacher(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of another seed than its pupils, and its records name someone whom they never met."""
    found = run(store, tmp_path_factory.mktemp("runs") / "teacher", "seed=4").run
    keys = json.loads((found / "provenance.json").read_text())
    keys["train_patients"] = [*keys["train_patients"], "someone else"]
    (found / "provenance.json").write_text(json.dumps(keys))
    return found


def test_the_pupil_becomes_another_and_says_who_taught_it(
    store: Store, teacher: Path, tmp_path: Path
) -> None:
    taught = run(store, tmp_path / "taught", TAUGHT, teacher=teacher).run
    alone = run(store, tmp_path / "alone").run
    one, other = (load_model(folder)[0].state_dict() for folder in (taught, alone))
    assert any(not torch.equal(value, other[name]) for name, value in one.items())
    sha = read_card(teacher / "card.json").weights_sha256
    card = read_card(taught / "card.json")
    assert sha is not None
    assert f"distilled from default-tiny (u2net-tiny, sha256 {sha[:12]})" in card.trained_on
    assert "someone else" in card.patients
    seen = RunRecord(taught).patients
    assert seen is not None
    assert "someone else" in seen.training


def test_a_share_and_a_teacher_go_together(store: Store, teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"loss\.teacher=0 with a teacher"):
        run(store, tmp_path / "next", teacher=teacher)
    with pytest.raises(ConfigError, match=r"loss\.teacher=0\.5 without a teacher"):
        run(store, tmp_path / "next", TAUGHT)
    assert not (tmp_path / "next").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("input.size=64", "input.size=32, allowed 64"),
        ("input.mode=each", "input.mode=stacked, allowed each"),
        ("input.sequences=[flair, t1]", "input.sequences=t1, flair, allowed flair, t1"),
    ],
)
def test_a_teacher_of_another_task_is_refused(
    store: Store, teacher: Path, tmp_path: Path, change: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        run(store, tmp_path / "next", TAUGHT, change, teacher=teacher)
    with pytest.raises(ModelError, match="the model folder does not exist"):
        run(store, tmp_path / "next", TAUGHT, teacher=tmp_path / "nobody")


def test_a_teacher_may_not_know_whom_the_pupil_is_judged_on(
    store: Store, teacher: Path, tmp_path: Path
) -> None:
    judged = json.loads((teacher / "provenance.json").read_text())["validation_patients"][0]
    knows = copy_that_knows(teacher, tmp_path / "knows", judged)
    with pytest.raises(ConfigError, match=f"of this training: 1, first {judged}.*`teacher`"):
        run(store, tmp_path / "next", TAUGHT, teacher=knows)


@pytest.mark.slow
def test_a_run_that_goes_on_keeps_its_teacher(store: Store, teacher: Path, tmp_path: Path) -> None:
    out = tmp_path / "next"
    run_and_stop(store, out, TAUGHT, teacher=teacher)
    other = run(store, tmp_path / "other", "seed=9").run
    with pytest.raises(ConfigError, match="made with another teacher"):
        run(store, out, TAUGHT, resume=True, teacher=other)
    done = run(store, out, TAUGHT, resume=True).run
    assert "distilled from" in read_card(done / "card.json").trained_on
