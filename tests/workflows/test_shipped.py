"""A model that comes inside the package, through everything that takes a model."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import gliomask
from gliomask.errors import ConfigError, ModelError
from gliomask.formats.nifti import read_nifti_labels
from gliomask.nets.cards import CARD_FILE, read_card
from gliomask.provenance.patients import ModelPatients
from gliomask.provenance.run_record import RunRecord
from gliomask.workflows import doctor as doctors
from gliomask.workflows.bench import BenchOptions
from gliomask.workflows.calibrate import CalibrateOptions
from gliomask.workflows.evaluate import EvaluateOptions
from gliomask.workflows.predict import PredictOptions
from gliomask.workflows.train import TrainOptions, train
from tests.commands import run
from tests.fakes import head_labels, head_volume, write_head
from tests.learning.stores import write_store
from tests.shipping import LICENCE, NAME, home, ship

__all__ = ["home"]
CASE = "BraTS-GLI-00001-000"
ACCURACY = {
    "part": "out of fold",
    "dice": {"n": 87, "mean": 0.853, "ci95": [0.83, 0.87], "min": 0.2},
}
ON_THE_PROCESSOR = ("--device", "cpu", "--engine", "torch")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder of its own, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path / "work"
    torch.set_num_threads(threads)


@pytest.fixture
def folder(home: Path) -> Path:
    return ship(
        home,
        patients=("BraTS-GLI-00001", "someone"),
        metrics={"accuracy": ACCURACY},
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for case in (CASE, "BraTS-GLI-00002-000"):
        write_head(tmp_path / "data", case, head_volume(), head_labels())
    return tmp_path / "data"


def test_options_turn_the_name_into_its_folder(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for options in (
        PredictOptions(out=out),
        PredictOptions(out=out, model=NAME),
        gliomask.ExportOptions(out=out, model=NAME),
    ):
        assert options.model == folder
    assert EvaluateOptions(source=out, out=out, model=NAME).model == (folder,)
    several = EvaluateOptions.model_validate(
        {"source": out, "out": out, "model": (NAME, tmp_path / "run")}
    )
    assert several.model == (folder, tmp_path / "run")
    assert BenchOptions.model_validate({"models": (NAME,)}).models == (folder,)


def test_predict_needs_nothing_but_a_scan(
    folder: Path,
    data: Path,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--write", "nifti", "--limit-memory", "64GB", *ON_THE_PROCESSOR)
    assert run(monkeypatch, "predict", data / CASE, *words) == 0
    assert f"written to {CASE}-masks, " in capsys.readouterr().out
    record = json.loads((here / f"{CASE}-masks" / f"{CASE}.json").read_text())
    assert record["provenance"]["licence"] == LICENCE
    assert record["synthetic_training"] is False
    mask, _ = read_nifti_labels(here / f"{CASE}-masks" / f"{CASE}_mask.nii.gz")
    for named in (None, NAME, folder):
        found = gliomask.predict(data / CASE, named, device="cpu", engine="torch")
        assert np.array_equal(found.mask, mask)


def test_a_package_without_it_says_so(
    home: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "predict", data) == 2
    shown = capsys.readouterr().err
    assert shown == (
        f"error: this installation does not include the model {NAME}; "
        "use a run folder: --model RUN\n"
    )
    with pytest.raises(ModelError, match=f"does not include the model {NAME}"):
        gliomask.predict(data)


def test_evaluate_needs_a_source_only(
    folder: Path,
    data: Path,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of the two patients it was trained on one."""
    words = ("evaluate", data, "--no-report", *ON_THE_PROCESSOR)
    assert run(monkeypatch, *words) == 0
    shown = capsys.readouterr().out
    assert "WARNING: the model was trained on 1 of the 2 evaluated patients" in shown
    out = here / f"data-by-{NAME}"
    assert f"written to {out.name}" in shown
    summary = json.loads((out / "summary.json").read_text())
    assert summary["in_training"] == ["BraTS-GLI-00001"]
    assert summary["model"] == NAME


def test_a_model_that_was_passed_on_tells_its_patients(home: Path) -> None:
    folder = ship(home, patients=("a", "b"), validation_patients=("c",))
    seen = RunRecord(folder).patients
    assert seen == ModelPatients(frozenset({"a", "b"}), frozenset({"c"}), None)
    assert RunRecord(ship(home, "silent")).patients is None
    (folder / "provenance.json").write_text(
        json.dumps({"train_patients": ["x"], "validation_patients": []})
    )
    seen = RunRecord(folder).patients
    assert seen is not None
    assert seen.all == {"x"}


def test_export_by_name(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "export", NAME, "--out", tmp_path / "bundle") == 0
    made = (tmp_path / "bundle" / CARD_FILE).read_bytes()
    assert made == (folder / CARD_FILE).read_bytes()


def test_models_shows_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "models") == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if NAME in line]
    for told in (
        "u2net-tiny",
        "64",
        "t1, flair",
        "whole 0.85 (0.83 to 0.87), 87 patients out of fold",
        LICENCE,
    ):
        assert told in row
    assert run(monkeypatch, "models", NAME) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100
    lines = [line.split() for line in shown.splitlines()]
    assert "2 training patients" in shown
    assert ["licence", *LICENCE.split()] in lines
    assert "0.85 (0.83 to 0.87, 87 patients), out of fold" in " ".join(shown.split())
    assert not {"{", "}", "accuracy.dice"} & set(shown.split())
    assert run(monkeypatch, "models", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)["models"]
    assert (one["name"], one["licence"]) == (NAME, LICENCE)
    assert (one["dice"]["mean"], one["dice"]["ci95"]) == (0.853, [0.83, 0.87])
    assert run(monkeypatch, "models", NAME.replace("u2netp", "u2net")) == 2
    assert f"did you mean '{NAME}'?" in capsys.readouterr().err


def test_it_is_not_calibrated(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = (folder / CARD_FILE).read_bytes()
    for named in (NAME, folder):
        assert run(monkeypatch, "calibrate", named, tmp_path / "store") == 2
        assert "an included model can't be changed" in capsys.readouterr().err
        with pytest.raises(ModelError, match="copy its folder"):
            CalibrateOptions(model=named, store=tmp_path)
    assert (folder / CARD_FILE).read_bytes() == before


def test_a_training_that_begins_with_it_is_bound_by_its_licence(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)
    monkeypatch.setattr("gliomask.workflows.train.draw_curves", lambda run, note: [])
    store = write_store(tmp_path / "store")
    ship(home, patients=("someone",))
    changes = ("network=u2net-tiny", "input.size=32", "input.dropout=0", "epochs=1", "batch_size=4")
    keys = {"store": store.path, "changes": changes, "device": "cpu", "calibration": False}
    keys |= {"start": NAME}
    result = train(TrainOptions.model_validate({**keys, "out": tmp_path / "run"}))
    card, due = read_card(result.run / CARD_FILE), store.split.holdout
    assert card.licence == f"CC0-1.0 (of the data); earlier model: {LICENCE}"
    assert set(card.patients) == {"someone", *due.train}
    assert card.validation_patients == due.validation
    ship(home, patients=(card.validation_patients[0],))
    with pytest.raises(ConfigError, match="training patients of the model"):
        train(TrainOptions.model_validate({**keys, "out": tmp_path / "next"}))


def test_the_licence_is_said_on_stderr_once(
    folder: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as without pytest
    words = ("predict", data / CASE, "--write", "nifti", "--json", *ON_THE_PROCESSOR)
    errors = []
    for number in range(2):
        assert run(monkeypatch, *words, "--out", tmp_path / f"out{number}") == 0
        shown = capsys.readouterr()
        json.loads(shown.out)  # nothing but the result
        errors.append([line for line in shown.err.splitlines() if "licence" in line])
    assert len(list(tmp_path.glob("out*/*_mask.nii.gz"))) == 2
    assert errors == [
        [
            f"the model {NAME} is included in gliomask; licence: {LICENCE}; "
            "not for commercial use; for research use only"
        ],
        [],
    ]


def test_doctor_looks_at_it(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = [one for one in doctors._files() if one.name == f"model {NAME}"]
    assert (found.level, found.found) == ("ok", "u2net-tiny")
    (folder / CARD_FILE).unlink()
    (found,) = [one for one in doctors._files() if one.name == f"model {NAME}"]
    assert (found.level, found.found) == ("breaks", "damaged")
