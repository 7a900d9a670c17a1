"""nnU-Net's 2D network with our recipe, on our folds: effect of the network alone on accuracy.

    python -m benchmarks.peers.nnunet_folds STORE OUT --fold 0 [--set key=value ...]
    python -m benchmarks.peers.nnunet_folds STORE OUT --evaluate

The first command trains ``OUT/fold0`` as ``gliomask train --fold 0`` would, with its batches,
augmentation, loss, optimiser, moving average and validation; only the network differs. The weights
that the recipe keeps are then evaluated on the fold's test patients: ``OUT/fold0/evaluation``. The
second command evaluates all existing folds together: ``OUT/evaluation``. ``gliomask compare`` reads
both folders. ``history.csv`` shows the progress of a training. A stopped training resumes when its
command is repeated; an evaluated fold is skipped.

It needs nnU-Net's networks: ``pip install --no-deps dynamic-network-architectures``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from safetensors import safe_open
from safetensors.torch import save_file

from benchmarks.peers.nnunet_network import NAME, PeerNetwork, first_network
from gliomask.config import Options, load_recipe
from gliomask.core.atomic import atomic_path
from gliomask.errors import ConfigError
from gliomask.evaluation.case import EvaluatedCase
from gliomask.evaluation.evaluated_prediction import PredictionTask, evaluate_prediction
from gliomask.evaluation.reference_cases import find_subjects
from gliomask.inference.engines.pytorch import TorchEngine
from gliomask.inference.predictor import Predictor
from gliomask.jobs.control import SILENT
from gliomask.jobs.failures import raise_failures
from gliomask.jobs.journal import Journal, go_on
from gliomask.learning.card import make_card
from gliomask.learning.data import choose_data
from gliomask.learning.folder import write_recipe
from gliomask.learning.initial_weights import InitialWeights
from gliomask.learning.record import EpochRow
from gliomask.learning.state import Position
from gliomask.nets.u2net import U2Net
from gliomask.provenance.record import provenance
from gliomask.provenance.run_files import CHECKPOINTS, RECIPE
from gliomask.results.evaluation import (
    METRICS,
    EvaluationData,
    check_target,
    write_evaluation_folder,
)
from gliomask.statistics.evaluation_summary import EvaluationSummary
from gliomask.store.store import Store, open_store
from gliomask.workflows.train import TrainOptions, open_run, training_job, training_of

WEIGHTS, EVALUATION = "network.safetensors", "evaluation"
_FACTS = "facts"


class PeerEvaluationOptions(Options):
    """Runs to evaluate together; recorded in the provenance."""

    store: Path
    """Store that the runs were trained on."""
    runs: tuple[Path, ...]
    """Runs of different folds."""
    out: Path
    """Folder to write."""


def train_fold(store: Path, run: Path, fold: int, changes: Sequence[str]) -> Position:
    """Trains or resumes a fold; raises the errors of ``workflows.train.train``."""
    resume = (run / CHECKPOINTS).is_dir() and (run / RECIPE).is_file()
    options = TrainOptions(store=store, out=run, fold=fold, changes=tuple(changes), resume=resume)
    job = training_job(options, SILENT)
    network = first_network(job.recipe, _channels(job.choice.sequences, job.recipe.input.mode))
    job = replace(job, start=InitialWeights(_as_ours(network), {}, ()))
    assert job.record is not None
    with ExitStack() as stack:
        state, _ = open_run(job, stack)
        training, _ = training_of(job, state)
        training.parts = replace(training.parts, keep=partial(_keep, run, job.choice.identity))
        write_recipe(run, job.recipe)
        stack.enter_context(closing(job.record))
        return training.run()


def evaluate_folds(options: PeerEvaluationOptions) -> EvaluationSummary:
    """Predicts the test patients of each run's fold and writes an evaluation folder.

    Raises:
        ConfigError: a run of another store, or two runs of one fold.
        BatchError: some cases could not be evaluated; the others are written.
    """
    check_target(options.out)
    if not options.runs:
        raise ConfigError("there is no evaluated fold", path=options.out.parent, hint="train one")
    store, evaluated, failures = open_store(options.store), list[EvaluatedCase](), list[Any]()
    licences, of_fold = set[str](), dict[int, Path]()
    for run in options.runs:
        predictor, fold = load_peer(store, run)
        if fold in of_fold:
            raise ConfigError(f"two runs of fold {fold}: {of_fold[fold]} and {run}")
        of_fold[fold] = run
        subjects = find_subjects(options.store, "test", fold).subjects
        licences |= {subject.licence for subject in subjects if subject.licence}
        tasks = [PredictionTask(predictor, subject) for subject in subjects]
        # The journal is kept, so evaluating the folds together predicts no case again.
        with Journal(run / EVALUATION, EvaluatedCase) as journal:
            done = go_on(evaluate_prediction, tasks, journal, SILENT, workers=1)
        evaluated, failures = [*evaluated, *done.pieces], [*failures, *done.failures]
    folds = ", ".join(map(str, sorted(of_fold)))
    what = f"{store.manifest.name} (store), out of fold, folds {folds}"
    data = EvaluationData(
        title=f"{NAME} on {what}",
        cases=tuple(evaluated),
        failures=tuple(failures),
        licences=tuple(sorted(licences)),
        about={"source": what, "model": NAME, "in_training": []},
        provenance=provenance("benchmarks.peers.nnunet_folds", options),
        report=False,
    )
    summary = write_evaluation_folder(options.out, data).analysis.summary
    raise_failures(failures, len(evaluated), options.out)
    return summary


def load_peer(store: Store, run: Path) -> tuple[Predictor, int]:
    """A trained peer as a predictor, and its fold.

    Raises:
        ConfigError: the run contains no network, or was trained on other data.
    """
    path = run / WEIGHTS
    if not path.is_file():
        raise ConfigError(f"there is no trained network: no {WEIGHTS}", path=run)
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()[_FACTS])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    recipe = load_recipe(str(run / RECIPE))
    choice = choose_data(store, recipe, facts["data"]["fold"])
    if choice.identity != facts["data"]:
        raise ConfigError("trained on another store or split", path=run)
    channels = _channels(choice.sequences, recipe.input.mode)
    network = PeerNetwork(channels, len(recipe.regions), recipe.input.size)
    network.load_state_dict(tensors)
    about = {
        "name": NAME,
        "network": NAME,
        "weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    card = make_card(recipe, choice, EpochRow(**facts["row"])).model_copy(update=about)
    return Predictor(TorchEngine(_as_ours(network)), card), facts["data"]["fold"]


def _keep(run: Path, data: dict[str, Any], network: U2Net, row: EpochRow) -> None:
    """Writes the network with the best epoch so far and the data that it was trained on."""
    tensors = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    facts = {"network": NAME, "data": data, "row": asdict(row)}
    with atomic_path(run / WEIGHTS) as path:
        save_file(tensors, path, {_FACTS: json.dumps(facts)})


def _as_ours(network: PeerNetwork) -> U2Net:
    """The network with the type of ours; loop and engine use only methods of any module."""
    return cast(U2Net, network)


def _channels(sequences: Sequence[str], mode: str) -> int:
    return len(sequences) if mode == "stacked" else 1


def _print_dice(summary: EvaluationSummary, out: Path) -> None:
    dice = summary.metrics["dice"]
    regions = (f"{region} {scores.mean:.4f} (n={scores.n})" for region, scores in dice.items())
    print(f"{out}: Dice {', '.join(regions)}")


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--fold", type=int, help="train and evaluate this fold")
    task.add_argument("--evaluate", action="store_true", help="evaluate all folds together")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="in the recipe")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Trains and evaluates a fold, or evaluates all folds."""
    options = parse(words)
    runs: tuple[Path, ...] = (options.out / f"fold{options.fold}",)
    out = runs[0] / EVALUATION
    if options.evaluate:
        tables = options.out.glob(f"fold*/{EVALUATION}/{METRICS}")
        runs = tuple(sorted(path.parents[1] for path in tables))
        out = options.out / EVALUATION
    elif (out / METRICS).is_file():
        print(f"{out} already exists")
        return
    else:
        position = train_fold(options.store, runs[0], options.fold, options.set)
        print(f"{runs[0]}: best validation Dice {position.best:.4f}, epoch {position.best_epoch}")
    evaluation = PeerEvaluationOptions(store=options.store, runs=runs, out=out)
    _print_dice(evaluate_folds(evaluation), out)


if __name__ == "__main__":
    main()
