"""Training on all patients, and its calibration with the models of the folds."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from gliomask.errors import ConfigError, ModelError
from gliomask.nets.cards import SLICE_SMOOTHING_MM, read_card
from gliomask.store.store import Store
from gliomask.workflows.calibrate import CalibrateOptions, calibrate
from gliomask.workflows.train import TrainOptions, train
from tests.learning.stores import write_store

TINY = ("network=u2net-tiny", "input.size=32", "batch_size=4", "epochs=2", "ema=0.9")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return write_store(tmp_path_factory.mktemp("data") / "store")


def run(store: Store, out: Path, *changes: str, **more: object) -> Path:
    """A training without figures, which take most of the time of so small a one."""
    keys = {"store": store.path, "out": out, "changes": (*TINY, *changes), "device": "cpu"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gliomask.workflows.train.draw_curves", lambda run, note: [])
        train(TrainOptions.model_validate({**keys, **more}))
    return out


@pytest.fixture(scope="module")
def all_patients(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With its figures."""
    out = tmp_path_factory.mktemp("runs") / "all"
    keys = {"store": store.path, "out": out, "changes": TINY, "device": "cpu", "all_patients": True}
    train(TrainOptions.model_validate(keys))
    return out


def test_everyone_is_learned_from_and_the_last_epoch_kept(store: Store, all_patients: Path) -> None:
    provenance = json.loads((all_patients / "provenance.json").read_text())
    assert set(provenance["train_patients"]) == {case.patient for case in store.cases}
    assert provenance["validation_patients"] == []
    card = read_card(all_patients / "card.json")
    assert card.metrics == {"epoch": 2, "epochs": 2, "recipe": "default"}
    assert (card.validation, card.temperature) == (None, 1.0)
    rows = list(csv.DictReader((all_patients / "history.csv").read_text().splitlines()))
    assert [row["validation_dice"] for row in rows] == ["", ""]
    assert (all_patients / "figures" / "curves.png").is_file()


def test_a_fold_can_not_be_left_out_of_everyone(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a fold and all patients exclude each other"):
        run(store, tmp_path / "run", all_patients=True, fold=0)
    assert not (tmp_path / "run").exists()


def test_it_is_measured_by_the_models_of_its_folds(
    store: Store, all_patients: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="give the runs of its folds, `folds=RUN`"):
        calibrate(CalibrateOptions(model=all_patients, store=store.path))
    fold = run(store, tmp_path / "fold", fold=0, calibration=False)
    assert read_card(fold / "card.json").validation is None
    weights = read_card(all_patients / "card.json").weights_sha256
    result = calibrate(CalibrateOptions(model=all_patients, store=store.path, folds=(fold,)))
    card = read_card(all_patients / "card.json")
    assert result.patients == 1  # that the one fold left out
    told = card.metrics["calibration"]
    assert isinstance(told, dict)
    assert (told["part"], told["patients"]) == ("out of fold", 1)
    assert card.validation is not None
    assert card.validation.patients == 1
    assert card.training_data is not None
    assert card.training_data.patients == len(store.cases)
    assert (card.weights_sha256, card.mirrored) == (weights, False)
    options = {"model": all_patients, "store": store.path, "folds": (fold,)}
    mean = calibrate(CalibrateOptions.model_validate({**options, "mirrored": True}))
    assert read_card(all_patients / "card.json").mirrored
    assert not read_card(fold / "card.json").mirrored
    assert mean.temperature.n == result.temperature.n
    assert mean.temperature.nll_before != result.temperature.nll_before  # other probabilities
    calibrate(CalibrateOptions.model_validate({**options, "mirrored": False}))
    assert read_card(all_patients / "card.json") == card
    assert card.slice_smoothing_mm == SLICE_SMOOTHING_MM
    rough = calibrate(CalibrateOptions.model_validate({**options, "slice_smoothing_mm": 0.0}))
    assert read_card(all_patients / "card.json").slice_smoothing_mm == 0
    assert read_card(fold / "card.json").slice_smoothing_mm == SLICE_SMOOTHING_MM
    assert rough.temperature.n == result.temperature.n


def test_validation_patients_count_where_they_selected_nothing(
    store: Store, tmp_path: Path
) -> None:
    """A model that keeps its last epoch is measured on them too, one that keeps its best is not."""
    recipe = ("keep=last", "epochs=1", "input.dropout=0.2")
    fold = run(store, tmp_path / "last", *recipe, fold=0, calibration=False)
    validation = json.loads((fold / "provenance.json").read_text())["validation_patients"]
    assert validation
    result = calibrate(CalibrateOptions(model=fold, store=store.path, folds=(fold,)))
    assert result.patients == 1 + len(validation)
    card = read_card(fold / "card.json")
    assert card.validation is not None
    assert len(card.validation.kinds) > 1
    calibrate(CalibrateOptions(model=fold, store=store.path, folds=(fold,), missing=False))
    short = read_card(fold / "card.json").validation
    assert short is not None
    assert [kind.sequences for kind in short.kinds] == [card.sequences]


def test_mirror_images_count_only_where_they_were_learned(store: Store, tmp_path: Path) -> None:
    fold = run(store, tmp_path / "fold", "augment={}", "epochs=1", fold=0, calibration=False)
    before = (fold / "card.json").read_bytes()
    with pytest.raises(ModelError, match="augment=no flips"):
        calibrate(CalibrateOptions(model=fold, store=store.path, mirrored=True))
    assert (fold / "card.json").read_bytes() == before


def test_a_fold_of_another_recipe_does_not_stand_for_it(
    store: Store, all_patients: Path, tmp_path: Path
) -> None:
    changes = ("optimiser.lr=0.002", "epochs=1")
    other = run(store, tmp_path / "other", *changes, fold=0, calibration=False)
    before = (all_patients / "card.json").read_bytes()
    with pytest.raises(ConfigError, match="another recipe"):
        calibrate(CalibrateOptions(model=all_patients, store=store.path, folds=(other,)))
    assert (all_patients / "card.json").read_bytes() == before


@pytest.mark.slow
def test_the_last_epoch_is_kept_if_the_recipe_says_so(store: Store, tmp_path: Path) -> None:
    """A rate that grows beyond use makes the last epoch worse than the first."""
    wild = ("optimiser.schedule=constant", "optimiser.lr=0.02", "epochs=3", "ema=null")
    kept = {}
    for which in ("best", "last"):
        folder = run(store, tmp_path / which, *wild, f"keep={which}", calibration=False)
        rows = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
        dice = [float(row["validation_dice"]) for row in rows]
        kept[which] = read_card(folder / "card.json").metrics["epoch"]
        assert kept[which] == (dice.index(max(dice)) + 1 if which == "best" else 3)
    assert kept["best"] != kept["last"]
