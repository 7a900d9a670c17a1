"""A command reads the card and the weights of its model once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gliomask.config.predict import PredictOptions
from gliomask.jobs.control import SILENT
from gliomask.nets.arrays import WEIGHTS_FILE
from gliomask.nets.cards import CARD_FILE
from gliomask.phantom.cohort import write_cohort
from gliomask.phantom.options import PatientOptions
from gliomask.segmentation.loaded_model import LoadedModel
from gliomask.workflows.evaluate import EvaluateOptions, evaluate
from gliomask.workflows.predict import predict_files
from tests.workflows.batches import write_heads, write_model

_watched: list[str] | None = None


def _note(event: str, given: tuple[Any, ...]) -> None:
    if event == "open" and _watched is not None and isinstance(given[0], str | os.PathLike):
        _watched.append(Path(given[0]).name)


sys.addaudithook(_note)


@contextmanager
def once(*names: str) -> Iterator[None]:
    """Checks that each of these files is opened once."""
    global _watched
    opened: list[str] = []
    _watched = opened
    try:
        yield
    finally:
        _watched = None
    assert {name: opened.count(name) for name in names} == dict.fromkeys(names, 1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "model")


@pytest.mark.parametrize("limit", [None, "4GB"])
def test_predict(model: Path, tmp_path: Path, limit: str | None) -> None:
    write_heads(tmp_path / "in", 2)
    keys = {"inputs": (tmp_path / "in",), "out": tmp_path / "out", "model": model}
    with once(CARD_FILE, WEIGHTS_FILE):
        predict_files(PredictOptions.model_validate({**keys, "limit_memory": limit}))


def test_evaluate(model: Path, tmp_path: Path) -> None:
    small = PatientOptions(matrix=48, slices=12, slice_mm=12.0)
    write_cohort(tmp_path / "data", "brats", 1, 0, options=small)
    keys = {"source": tmp_path / "data", "model": (model,), "out": tmp_path / "out"}
    options = EvaluateOptions.model_validate({**keys, "report": False})
    with once(CARD_FILE, WEIGHTS_FILE):
        evaluate(options)


def test_a_worker_of_the_server(model: Path, tmp_path: Path) -> None:
    write_heads(tmp_path / "in", 1)
    loaded = LoadedModel()
    with once(CARD_FILE, WEIGHTS_FILE):
        loaded.load(model, "cpu", "auto")
        for job in ("a", "b"):
            options = PredictOptions(out=tmp_path / job, model=model, device="cpu")
            editable = tmp_path / f"{job}-editable"
            editable.mkdir()
            loaded.segment(options, (tmp_path / "in",), tmp_path, editable, SILENT)
