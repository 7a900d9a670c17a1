"""Models of a cross-validation, judged together on the patients that each never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gliomask.errors import ConfigError
from gliomask.store.store import open_store
from gliomask.workflows.evaluate import EvaluateOptions, EvaluateResult, evaluate
from gliomask.workflows.prepare import PrepareOptions, prepare
from tests.fakes import FakeModel, head_labels, head_volume, write_head

PATIENTS = 6


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.evaluation.assignment.load_predictor", FakeModel(size=64))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("folds")
    for number in range(PATIENTS):
        write_head(root / "data", f"BraTS-GLI-0000{number}-000", head_volume(), head_labels())
    options = PrepareOptions(sources=(root / "data",), out=root / "store", workers=1, folds=3)
    prepare(options)
    return root / "store"


@pytest.fixture
def runs(store: Path, tmp_path: Path) -> list[str]:
    """A run folder for each fold, as ``train --fold`` leaves it, as far as its records go."""
    return [record(store, tmp_path / f"run{fold}", fold, fold) for fold in range(3)]


def record(store: Path, run: Path, fold: int | None, trained_as: int | None) -> str:
    parts = open_store(store).split.parts(trained_as)
    keys = {
        "train_patients": parts.train,
        "validation_patients": parts.validation,
        "data": {"fold": fold},
    }
    run.mkdir()
    (run / "provenance.json").write_text(json.dumps(keys))
    return str(run)


def run(source: Path, out: Path, **changes: Any) -> EvaluateResult:
    return evaluate(EvaluateOptions(source=source, out=out, report=False, **changes))


def test_every_patient_is_judged_once(store: Path, runs: list[str], tmp_path: Path) -> None:
    result = run(store, tmp_path / "out", model=tuple(runs))
    assert result.summary.n == PATIENTS
    assert result.what == "store (store), out of fold, folds 0, 1, 2 of 3"
    assert result.warnings == result.in_training == ()
    keys = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert keys["model"] == ["fake", "fake", "fake"]


def test_a_missing_fold_is_said(store: Path, runs: list[str], tmp_path: Path) -> None:
    result = run(store, tmp_path / "out", model=tuple(runs[:2]))
    assert result.summary.n == 4
    assert result.warnings == ("no model of fold 2: its patients are not evaluated",)


def test_one_model_of_a_fold_is_judged_on_it(store: Path, runs: list[str], tmp_path: Path) -> None:
    result = run(store, tmp_path / "out", model=runs[1])
    assert result.what.endswith("test of fold 1")
    assert result.warnings == ()
    named = run(store, tmp_path / "all", model=runs[1], part="all")
    assert named.what.endswith("all")
    assert "trained on" in named.warnings[0]


def test_a_model_of_another_split_is_refused(store: Path, runs: list[str], tmp_path: Path) -> None:
    odd = record(store, tmp_path / "odd", 2, 0)  # says fold 2, has seen fold 2's patients
    with pytest.raises(ConfigError, match="was trained on patients of its own fold"):
        run(store, tmp_path / "out", model=(runs[0], odd))
    assert not (tmp_path / "out").exists()


def test_what_can_not_be_pooled(store: Path, runs: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="two models of fold 0"):
        run(store, out, model=(runs[0], runs[0]))
    with pytest.raises(ConfigError, match="leave out `part` and `fold`"):
        run(store, out, model=(runs[0], runs[1]), fold=1)
    holdout = record(store, tmp_path / "holdout", None, None)
    with pytest.raises(ConfigError, match="fold of this one is unknown"):
        run(store, out, model=(runs[0], holdout))
    with pytest.raises(ConfigError, match="only a store has folds"):
        run(store.parent / "data", out, model=(runs[0], runs[1]))


def test_an_evaluation_goes_on(store: Path, runs: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gliomask.jobs.journal.Journal.discard", lambda _: None)
        first = run(store, out, model=tuple(runs))
    again = run(store, out, model=tuple(runs))
    assert (first.resumed, again.resumed) == (0, PATIENTS)
    assert again.summary == first.summary
    assert not list(tmp_path.glob(".out*"))
