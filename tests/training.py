"""Tiny trainings for the tests of workflows: quick, on one thread, on a small store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gliomask.errors import StoppedError
from gliomask.store.store import Store
from gliomask.workflows.train import TrainOptions, TrainResult, train
from tests.learning.stores import write_store

TINY = ("network=u2net-tiny", "input.size=32", "input.dropout=0", "batch_size=4", "ema=null")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So small a network gains nothing from a second one, and waits for it when others work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the disk and no figures."""
    monkeypatch.setattr(os, "fsync", lambda file: None)
    monkeypatch.setattr("gliomask.workflows.train.draw_curves", lambda run, note: [])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return write_store(tmp_path_factory.mktemp("data") / "store")


def run(store: Store, out: Path, *changes: str, **more: object) -> TrainResult:
    """One epoch without calibration; ``more`` are options of the training."""
    keys = {"store": store.path, "out": out, "changes": (*TINY, "epochs=1", *changes)}
    options = {**keys, "device": "cpu", "calibration": False, **more}
    return train(TrainOptions.model_validate(options))


def run_and_stop(store: Store, out: Path, *changes: str, **more: object) -> None:
    """The same, stopped before its validation."""

    def stop(*_: object) -> None:
        raise StoppedError("stopped", signal_number=15)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gliomask.learning.loop.Training._validate", stop)
        with pytest.raises(StoppedError):
            run(store, out, *changes, **more)


def copy_that_knows(model: Path, folder: Path, patient: str) -> Path:
    """A copy of a run whose records say that it has learned from this patient alone."""
    folder.mkdir()
    for name in ("card.json", "weights.safetensors"):
        (folder / name).write_bytes((model / name).read_bytes())
    keys = json.loads((model / "provenance.json").read_text())
    text = json.dumps({**keys, "train_patients": [patient]})
    (folder / "provenance.json").write_text(text)
    return folder
