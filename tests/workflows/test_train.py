"""A training from a store to a run folder: whole, stopped, gone on with, diverged, in parallel."""

from __future__ import annotations

import csv
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gliomask.core.geometry import to_reading
from gliomask.errors import (
    CasesError,
    ConfigError,
    GliomaskError,
    InputError,
    StoppedError,
    StoreError,
)
from gliomask.inference.predictor import load_predictor
from gliomask.jobs.control import Control
from gliomask.learning.batches import Batch, TrainingBatches
from gliomask.nets.weights import load_model
from gliomask.store.manifest import read_split, write_split
from gliomask.store.store import Store
from gliomask.workflows.train import TrainOptions, TrainResult, train
from tests.learning.stores import write_store
from tests.training import one_thread, quick, store

__all__ = ["one_thread", "quick", "store"]

TINY = (
    "network=u2net-tiny",
    "input.size=32",
    "batch_size=4",
    "epochs=2",
    "ema=0.9",
    "optimiser.warmup_epochs=0.5",
)
STEPS = 5  # of 20 slices in batches of 4; validation has 10 slices


class Listener:
    """Notes what it is told; calls ``then`` once so many slices are trained."""

    def __init__(self, slices: int = 10**9, then: Callable[[], None] = lambda: None) -> None:
        self.slices, self.then = slices, then
        self.started: list[tuple[float, str]] = []
        self.done, self.notes = 0.0, list[str]()

    def start(self, total: float, what: str) -> None:
        self.started.append((total, what))
        self.done = 0.0

    def advance(self, steps: float = 1, note: str = "") -> None:
        before, self.done = self.done, self.done + steps
        self.notes += [note] if note else []
        if before < self.slices <= self.done and self.started[-1][1].startswith("training"):
            self.then()


def options(store: Store, out: Path, *changes: str, **more: object) -> TrainOptions:
    keys = {"store": store.path, "out": out, "changes": (*TINY, *changes), "device": "cpu"}
    return TrainOptions.model_validate({**keys, "calibration": False, **more})


def resuming(store: Store, out: Path) -> TrainOptions:
    """Options of a training that continues with its own recipe."""
    return TrainOptions(store=store.path, out=out, resume=True, device="cpu", calibration=False)


def stopping(slices: int) -> Control:
    """Requests a stop once so many slices are trained."""
    stop = threading.Event()
    return Control(Listener(slices, stop.set), stop.is_set)


@pytest.fixture(scope="module")
def run(store: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainResult, Listener]:
    """A training without incident, for all to compare with; being older than ``quick`` it draws."""
    listener = Listener()
    out = tmp_path_factory.mktemp("runs") / "whole"
    return train(options(store, out, calibration=True), Control(listener)), listener


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def weights(run: Path) -> dict[str, torch.Tensor]:
    """All that the last checkpoint holds of network and average."""
    state = torch.load(run / "checkpoints" / "last.pt", weights_only=True)
    both = (("network", state["network"]), ("average", state["average"]))
    return {f"{name}.{key}": value for name, part in both for key, value in part.items()}


def same_run(left: Path, right: Path) -> None:
    """Bit-equal weights, and tables that differ in nothing but the clock."""
    ours, theirs = weights(left), weights(right)
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []
    assert (left / "iterations.csv").read_text() == (right / "iterations.csv").read_text()
    clock = {"slices_per_s": "", "seconds": ""}
    tables = [[row | clock for row in rows(one / "history.csv")] for one in (left, right)]
    assert tables[0] == tables[1]
    models = [(one / "weights.safetensors").read_bytes() for one in (left, right)]
    assert models[0] == models[1]


def test_the_run_folder_holds_all_that_it_should(run: tuple[TrainResult, Listener]) -> None:
    result, _ = run
    names = {path.name for path in result.run.iterdir()}
    assert names == {
        ".lock",
        "card.json",
        "checkpoints",
        "config.yaml",
        "figures",
        "history.csv",
        "iterations.csv",
        "provenance.json",
        "tensorboard",
        "weights.safetensors",
    }
    assert (result.epochs, result.patients, result.recipe) == (2, 2, "default")
    assert any((result.run / "figures").glob("*.png"))
    assert result.notes == ("slices: in memory (cpu, 0.00 GB)",)


def test_history_has_each_epoch_once_and_improves(run: tuple[TrainResult, Listener]) -> None:
    history = rows(run[0].run / "history.csv")
    assert [row["epoch"] for row in history] == ["1", "2"]
    losses = [float(row["train_loss"]) for row in history]
    assert losses[-1] < losses[0]
    best = max(float(row["validation_dice"]) for row in history)
    assert run[0].best_dice == pytest.approx(best, rel=1e-5)
    assert history[0]["validation_dice"] == history[0]["validation_dice_whole"]


def test_iterations_are_those_of_the_epochs(run: tuple[TrainResult, Listener]) -> None:
    iterations = rows(run[0].run / "iterations.csv")
    numbers: dict[str, list[int]] = {part: [] for part in ("train", "validation")}
    for row in iterations:
        numbers[row["part"]].append(int(row["iteration"]))
    assert numbers == {"train": list(range(1, 11)), "validation": list(range(1, 7))}
    first = [float(row["loss"]) for row in iterations if row["part"] == "train"][:STEPS]
    history = rows(run[0].run / "history.csv")
    assert np.mean(first) == pytest.approx(float(history[0]["train_loss"]), rel=1e-4)


def test_the_model_is_the_best_average_and_its_card_says_so(
    run: tuple[TrainResult, Listener],
) -> None:
    result, _ = run
    network, card = load_model(result.run)
    best = torch.load(result.run / "checkpoints" / "best.pt", weights_only=True)
    assert torch.equal(network.get_parameter("side1.weight"), best["average"]["side1.weight"])
    assert best["position"]["best_epoch"] == result.best_epoch
    assert (card.size, card.in_channels, card.sequence_dropout) == (32, 2, True)
    assert card.synthetic
    assert card.metrics["patients"] == 2
    assert card.metrics["epoch"] == result.best_epoch
    assert card.metrics["mean_dice"] == pytest.approx(result.best_dice, abs=1e-5)
    assert card.trained_on == (
        "store tiny: 4 patients, 20 slices, synthetic; licence of the data: CC0-1.0"
    )
    assert card.licence == "CC0-1.0 (of the data)"


def test_the_card_tells_what_new_cases_are_held_against(
    run: tuple[TrainResult, Listener], store: Store
) -> None:
    _, card = load_model(run[0].run)
    data, known = card.training_data, card.validation
    assert data is not None
    assert known is not None
    assert data.patients == 4
    assert data.slices is not None
    assert data.slice_mm is not None
    assert (data.slices.n, data.slices.low, data.slices.high) == (4, 5, 5)
    assert (data.slice_mm.low, data.slice_mm.high) == (1.0, 1.0)
    assert set(data.intensities) == {"t1", "flair"}
    assert known.patients == 2
    assert known.ways == (*(f"side {k}" for k in range(1, 7)), "left-right")
    region = known.kinds[0].regions["whole"]
    assert region.tumours == 2
    assert region.volume is None  # two patients can't promise 90 %
    assert [one.sequences for one in known.kinds] == [("t1", "flair"), ("flair",), ("t1",)]
    for one in known.kinds:
        assert one.patients == 2
        assert one.dice["whole"] == pytest.approx(dice_with(run[0].run, store, one.sequences))


def dice_with(run: Path, store: Store, sequences: tuple[str, ...]) -> float:
    """The mean Dice of the validation patients when they have these sequences only."""
    predictor = load_predictor(run, "cpu")
    scores = []
    for case in store.parts().validation:
        stack = store.stack(case)
        index = [stack.sequences.index(name) for name in sequences]
        given = replace(stack, array=stack.array[:, index], sequences=sequences)
        found = to_reading(predictor.predict_stack(given, case).mask, stack.record.turn) > 0
        drawn = store.reference(case) > 0
        scores.append(2 * (found & drawn).sum() / (found.sum() + drawn.sum()))
    return float(np.mean(scores))


def test_a_new_case_is_held_against_the_card(
    run: tuple[TrainResult, Listener], store: Store
) -> None:
    predictor = load_predictor(run[0].run, "cpu")
    stack = store.stack(store.parts().test[0])
    found = predictor.predict_stack(stack, "new", maps=True, uncertainty=True)
    plain = predictor.predict_stack(stack, "new", maps=True)
    assert np.array_equal(found.mask, plain.mask)
    assert plain.reliability is None
    assert plain.disagreement is None
    assert found.reliability is not None
    assert found.reliability.level == "red"  # for the data are synthetic
    # So short a training marks nothing, and without volumes no kind of image is measured.
    assert {one.code for one in found.reliability.reasons} >= {"synthetic_model", "not_measured"}
    assert found.disagreement is not None
    assert found.disagreement.shape == (1, *found.mask.shape)


def test_provenance_tells_what_when_and_where(run: tuple[TrainResult, Listener]) -> None:
    keys = json.loads((run[0].run / "provenance.json").read_text())
    assert keys["data"]["name"] == "tiny"
    assert keys["seed"] == 0
    assert keys["train_patients"]
    assert keys["validation_patients"]
    assert not set(keys["train_patients"]) & set(keys["validation_patients"])
    (session,) = keys["sessions"]
    assert session["outcome"] == "done"
    assert session["ended"] >= session["started"]
    assert session["machine"]["torch_threads"] == torch.get_num_threads()


def test_progress_is_told_of_every_slice(run: tuple[TrainResult, Listener]) -> None:
    _, listener = run
    assert listener.started == [
        (6, "reading slices"),
        (2 * (20 + 10), "training u2net-tiny"),
        (2 + 4, "calibrating"),  # the cases of validation and of training
    ]
    assert listener.done == pytest.approx(6)
    (last,) = [note for note in listener.notes if "epoch 2/2" in note][-1:]
    assert "slices/s" in last


@pytest.mark.parametrize(
    "slices",
    [
        pytest.param(2 * 4, id="first epoch"),
        pytest.param(30 + 20 + 4, id="second epoch's validation", marks=pytest.mark.slow),
    ],
)
def test_a_stopped_run_goes_on_to_the_same_end(
    run: tuple[TrainResult, Listener], store: Store, tmp_path: Path, slices: int
) -> None:
    with pytest.raises(StoppedError, match=r"; resume it: `\.\.\. resume=True`") as caught:
        train(options(store, tmp_path / "run"), stopping(slices))
    assert caught.value.exit_code == 143
    keys = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert keys["sessions"][0]["outcome"].startswith("stopped in epoch")
    result = train(resuming(store, tmp_path / "run"))
    assert (result.epochs, result.best_dice) == (2, run[0].best_dice)
    same_run(tmp_path / "run", run[0].run)


def killed(options: TrainOptions, slices: int) -> None:
    """Trains and is killed without warning."""
    torch.set_num_threads(1)
    listener = Listener(slices, lambda: os.kill(os.getpid(), signal.SIGKILL))
    train(options, Control(listener))


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_end(
    run: tuple[TrainResult, Listener], store: Store, tmp_path: Path
) -> None:
    chosen = options(store, tmp_path / "run")
    process = get_context("spawn").Process(target=killed, args=(chosen, 30 + 3 * 4))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(rows(tmp_path / "run" / "history.csv")) == 1
    train(options(store, tmp_path / "run", resume=True))
    same_run(tmp_path / "run", run[0].run)


def test_a_finished_run_can_be_gone_on_with_and_nothing_changes(
    store: Store, tmp_path: Path
) -> None:
    first = train(options(store, tmp_path / "run", "epochs=1"))
    before = (tmp_path / "run" / "history.csv").read_text()
    again = train(resuming(store, tmp_path / "run"))
    assert (again.epochs, again.best_dice) == (first.epochs, first.best_dice)
    assert (tmp_path / "run" / "history.csv").read_text() == before


def test_another_recipe_fold_or_store_can_not_go_on(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(StoppedError):
        train(options(store, out), stopping(4))
    with pytest.raises(ConfigError, match=r"optimiser\.lr=0\.5, allowed 0\.001"):
        train(options(store, out, "optimiser.lr=0.5", resume=True))
    with pytest.raises(ConfigError, match=r"another data\.split and 1 more"):
        train(options(store, out, resume=True, fold=0))
    other = write_store(tmp_path / "other", parts=True)
    with pytest.raises(ConfigError, match=r"another data\.store"):
        train(options(other, out, resume=True))


def test_a_folder_that_is_in_use_or_missing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").touch()
    with pytest.raises(InputError, match="not empty"):
        train(options(store, tmp_path))
    with pytest.raises(ConfigError, match="no training to resume"):
        train(options(store, tmp_path / "absent", resume=True))
    assert not (tmp_path / "absent").exists()


def test_a_loss_that_is_not_a_number_names_the_slices_and_spares_the_checkpoint(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = TrainingBatches._finish
    calls = 0

    def spoiled(self: TrainingBatches, raw: Any) -> Batch:
        nonlocal calls
        calls += 1
        batch = real(self, raw)
        return replace(batch, images=batch.images * float("nan")) if calls == STEPS + 3 else batch

    monkeypatch.setattr(TrainingBatches, "_finish", spoiled)
    with pytest.raises(
        GliomaskError, match=r"nan in epoch 2, step 3, on case\d slice \d"
    ) as caught:
        train(options(store, tmp_path / "run"))
    assert caught.value.exit_code == 2  # of the settings, not a bug
    monkeypatch.undo()
    state = torch.load(tmp_path / "run" / "checkpoints" / "last.pt", weights_only=True)
    assert (state["position"]["epoch"], state["position"]["step"]) == (1, 0)
    assert all(bool(value.isfinite().all()) for value in state["network"].values())


@pytest.mark.slow
def test_slices_from_the_store_train_the_same_network(
    run: tuple[TrainResult, Listener],
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gliomask.learning.data.memory_budget", lambda processes: 0)
    result = train(options(store, tmp_path / "run", workers=2))
    assert result.notes == ("slices: read from the store as needed",)
    same_run(tmp_path / "run", run[0].run)


@pytest.mark.parametrize(
    "change",
    ["input.mode=each", pytest.param("input.sequences=[flair]", marks=pytest.mark.slow)],
)
def test_other_inputs(store: Store, tmp_path: Path, change: str) -> None:
    train(options(store, tmp_path / "run", change, "epochs=1"))
    network, card = load_model(tmp_path / "run")
    assert network.in_channels == card.in_channels == 1
    assert card.input_mode == ("each" if "each" in change else "stacked")


def test_several_regions(tmp_path: Path) -> None:
    store = write_store(tmp_path / "store", parts=True)
    regions = "regions=[whole, core, enhancing]"
    train(options(store, tmp_path / "run", regions, "epochs=1", "loss.dice_over=sample"))
    history = rows(tmp_path / "run" / "history.csv")
    each = [float(history[0][f"validation_dice_{r}"]) for r in ("whole", "core", "enhancing")]
    assert float(history[0]["validation_dice"]) == pytest.approx(np.mean(each), rel=1e-4)


def test_what_the_store_can_not_give_is_refused_before_anything_is_written(
    store: Store, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(ConfigError, match=r"regions=core, allowed whole"):
        train(options(store, out, "regions=[core]"))
    with pytest.raises(ConfigError, match="does not contain this sequence"):
        train(options(store, out, "input.sequences=[t9]"))
    with pytest.raises(StoreError, match="no such fold"):
        train(options(store, out, fold=7))
    lacking = write_store(tmp_path / "lacking", lacking=[0])
    with pytest.raises(CasesError, match="first case0"):
        train(options(lacking, out, "input.dropout=0"))
    assert not out.exists()


@pytest.mark.parametrize("part", ["train", "validation"])
def test_an_empty_part_is_refused(tmp_path: Path, part: str) -> None:
    store = write_store(tmp_path / "store")
    split = read_split(store.path / "split.json")
    holdout = type(split.holdout)(**{**dict(split.holdout.named()), part: ()})
    write_split(store.path / "split.json", type(split)(holdout, (), 0))
    with pytest.raises(StoreError, match=f"hold-out split has no {part} patients"):
        train(options(store, tmp_path / "run"))


def worker(options: TrainOptions, rank: int, port: int, said: Path) -> None:
    """One of two processes, as torchrun would start it."""
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "GROUP_WORLD_SIZE": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "TORCHELASTIC_RUN_ID": "test",
    }
    torch.set_num_threads(1)
    listener = Listener()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gliomask.workflows.train.draw_curves", lambda run, note: [])
        result = train(options, Control(listener))
    found = {"best": result.best_dice, "first": result.first, "notes": len(listener.notes)}
    said.write_text(json.dumps(found))


@pytest.mark.slow
def test_two_processes_train_one_network(
    run: tuple[TrainResult, Listener], store: Store, tmp_path: Path
) -> None:
    chosen = options(store, tmp_path / "run")
    port = 20_000 + os.getpid() % 10_000
    context = get_context("spawn")
    said = [tmp_path / "0.json", tmp_path / "1.json"]
    processes = [
        context.Process(target=worker, args=(chosen, rank, port, said[rank])) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    first, second = (json.loads(path.read_text()) for path in said)
    assert first["best"] == second["best"]
    assert (first["first"], second["first"]) == (True, False)
    assert first["notes"] > 0
    assert second["notes"] == 0  # one of them speaks
    ours = [float(row["train_loss"]) for row in rows(tmp_path / "run" / "history.csv")]
    alone = [float(row["train_loss"]) for row in rows(run[0].run / "history.csv")]
    # The same batches, but batch norm sees half of each.
    assert ours == pytest.approx(alone, rel=0.1)
