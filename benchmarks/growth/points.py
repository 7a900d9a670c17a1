"""One point of a growth curve, in a fresh process: does the work and prints its seconds.

    python -m benchmarks.growth.points NAME WORD...

Imports come before the clock starts, so what is timed is the work alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.harness import timed

Work = Callable[[], object]


def predict_mask(case: str, model: str, out: str) -> Work:
    """Predict a mask without uncertainty, and write no other file."""
    from gliomask.workflows.predict import PredictOptions, predict_files

    options = PredictOptions(
        inputs=(Path(case),), out=Path(out), model=model, write=("nifti",), uncertainty=False
    )
    return lambda: predict_files(options)


def predict_all(case: str, model: str, out: str) -> Work:
    """Predict with all default outputs."""
    from gliomask.workflows.predict import PredictOptions, predict_files

    options = PredictOptions(inputs=(Path(case),), out=Path(out), model=model)
    return lambda: predict_files(options)


def forward(model: str, count: str) -> Work:
    """Run a network on slices of noise, after a slice for warm-up."""
    from gliomask.inference.predictor import load_predictor

    predictor = load_predictor(model)
    side, channels = predictor.card.size, predictor.card.in_channels
    shape = (int(count), channels, side, side)
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    predictor.engine.logits(images[:1])
    return lambda: [predictor.engine.logits(images[k : k + 1]) for k in range(len(images))]


def prepare(source: str, store: str, workers: str) -> Work:
    """Prepare a data set."""
    from gliomask.workflows.prepare import PrepareOptions, prepare

    options = PrepareOptions(sources=(Path(source),), out=Path(store), workers=int(workers))
    return lambda: prepare(options)


def first_batch(store: str, size: str) -> Work:
    """Select and read the slices of the first training batch of a store."""
    import torch

    from gliomask.config import load_recipe
    from gliomask.jobs.control import SILENT
    from gliomask.learning.batches import TrainingBatches, Worker
    from gliomask.learning.data import choose_data, open_slices
    from gliomask.store.store import open_store

    recipe = load_recipe("default", (f"input.size={size}",))
    device = torch.device("cpu")

    def work() -> object:
        choice = choose_data(open_store(Path(store)), recipe, None)
        slices, _ = open_slices(choice, recipe, device, 1, SILENT)
        batches = TrainingBatches(slices, choice.training, recipe, Worker(device))
        return next(batches.epoch(0))

    return work


def score(references: str, predictions: str, out: str, workers: str) -> Work:
    """Score masks, without the report."""
    from gliomask.workflows.score import ScoreOptions, score

    options = ScoreOptions(
        references=Path(references),
        predictions=Path(predictions),
        out=Path(out),
        workers=int(workers),
        report=False,
    )
    return lambda: score(options)


POINTS: dict[str, Callable[..., Work]] = {
    function.__name__: function
    for function in (predict_mask, predict_all, forward, prepare, first_batch, score)
}


def main() -> None:
    """Prints (wall seconds, processor seconds of this process) as JSON."""
    work = POINTS[sys.argv[1]](*sys.argv[2:])
    _, timing = timed(work)
    print(json.dumps([timing.wall_s, timing.cpu_s]))


if __name__ == "__main__":
    main()
