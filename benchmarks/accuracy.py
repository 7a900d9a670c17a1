"""Out-of-fold accuracy of recipes: trains the folds of a plan's experiments and judges them.

    python -m benchmarks.accuracy STORE OUT EXPERIMENT... [--jobs 2] [--minutes 9]
                                  [--store NAME=PATH] [--start NAME=RUN]

An experiment of ``accuracy_plan.yaml`` is trained on each fold of the store (``OUT/NAME/fold0``,
...), and the five models are judged together, each on the patients that it never saw
(``OUT/NAME/evaluation``). What is there is not made again; a fold that was stopped goes on. After
``--minutes`` trainings are stopped, each with a checkpoint, and the same command goes on later.
Every training runs on one thread, ``--jobs`` of them at a time. ``benchmarks.accuracy_tables``
makes the tables, ``benchmarks.parcel`` takes it all to another machine and back.

A plan may name another store of the same patients (see ``benchmarks.derived_store``), or first
weights; where they are is told by ``--store`` and ``--start``.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from gliomask.learning.checkpoint import FOLDER as CHECKPOINTS
from gliomask.store.store import open_store

PLAN = Path(__file__).with_name("accuracy_plan.yaml")
EVALUATION = "evaluation"


@dataclass(frozen=True)
class Experiment:
    """A recipe to be judged out of fold.

    Attributes:
        name: of it.
        against: the experiment that it is held against; None for a base.
        recipe: that is changed; changes: ``key=value``.
        store: name of another store than the usual one; start: name of first weights.
    """

    name: str
    against: str | None
    recipe: str
    changes: tuple[str, ...]
    store: str | None
    start: str | None

    @property
    def folder(self) -> str:
        """Its name as that of a folder."""
        return self.name.replace(",", "").replace(" ", "-")


def read_plan(path: Path = PLAN) -> dict[str, Experiment]:
    """The experiments of a plan by name; each stands after the one it is held against."""
    found: dict[str, Experiment] = {}
    for name, keys in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        base = found.get(keys.get("against") or "")
        # Another recipe is taken as it is; a change of a recipe comes on top of the base's.
        before = base.changes if base and "recipe" not in keys else ()
        own = [
            f"{key}={yaml.safe_dump(value, default_flow_style=True).split(chr(10))[0]}"
            for key, value in keys.get("set", {}).items()
        ]
        found[name] = Experiment(
            name=name,
            against=keys.get("against"),
            recipe=keys.get("recipe") or (base.recipe if base else "default"),
            changes=(*before, *own),
            store=keys.get("store"),
            start=keys.get("start"),
        )
    return found


@dataclass(frozen=True)
class Places:
    """Where everything is: the usual store, the others and first weights by name, the results."""

    store: Path
    out: Path
    stores: Mapping[str, Path]
    starts: Mapping[str, Path]

    def store_of(self, one: Experiment) -> Path:
        """The store that an experiment learns from."""
        return self.stores[one.store] if one.store else self.store

    def runs(self, one: Experiment) -> list[Path]:
        """The run folders of its folds."""
        count = len(open_store(self.store).split.folds)
        return [self.out / one.folder / f"fold{fold}" for fold in range(count)]


def training(one: Experiment, places: Places, fold: int, run: Path) -> list[str] | None:
    """The command that trains a fold or goes on with it; None if it is done."""
    if (run / "provenance.json").is_file() and (run / "figures" / "curves.png").is_file():
        return None
    words = ["train", str(places.store_of(one)), "--out", str(run), "--fold", str(fold)]
    if (run / CHECKPOINTS).is_dir():
        return [*words, "--no-calibrate", "--resume"]
    words += ["--no-calibrate", "--recipe", one.recipe]
    words += [word for change in one.changes for word in ("--set", change)]
    return [*words, *(["--from", str(places.starts[one.start])] if one.start else [])]


def judging(one: Experiment, places: Places) -> list[str] | None:
    """The command that judges all folds together; None if that is done."""
    out = places.out / one.folder / EVALUATION
    if (out / "summary.json").is_file():
        return None
    models = [word for run in places.runs(one) for word in ("--model", str(run))]
    return ["evaluate", str(places.store_of(one)), *models, "--out", str(out), "--no-report"]


class OutOfTimeError(Exception):
    """The time that was given is over; everything can be gone on with."""


def gliomask(words: Sequence[str], log: Path, deadline: float = math.inf) -> None:
    """Runs a command on one thread; what it says goes to ``log``.

    Raises:
        RuntimeError: it failed.
        OutOfTimeError: it was stopped at the deadline (of ``time.monotonic``), or never started.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise OutOfTimeError
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        command = [sys.executable, "-m", "gliomask", *words]
        surroundings = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=file, stderr=file, env=surroundings)
        try:
            code = process.wait(None if math.isinf(left) else left)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
            raise OutOfTimeError from None
    if code:
        raise RuntimeError(f"{' '.join(words[:2])} ended with {code}: see {log}")


def folds(chosen: Sequence[Experiment], places: Places) -> Iterator[tuple[Experiment, int, Path]]:
    """Every fold of every experiment, one experiment after the other."""
    for one in chosen:
        for fold, run in enumerate(places.runs(one)):
            yield one, fold, run


def run_all(
    chosen: Sequence[Experiment], places: Places, jobs: int, deadline: float = math.inf
) -> None:
    """Trains what is not trained yet, and judges an experiment as soon as its folds are done.

    Raises:
        RuntimeError: a command failed; what else was begun is finished.
        OutOfTimeError: the deadline came.
    """
    with ThreadPoolExecutor(jobs) as pool:
        trained: dict[str, list[Future[None]]] = {one.name: [] for one in chosen}
        for one, fold, run in folds(chosen, places):
            job = pool.submit(_train, one, places, fold, run, deadline)
            trained[one.name].append(job)
        for one in chosen:
            for job in trained[one.name]:
                job.result()
            if words := judging(one, places):
                gliomask(words, places.out / one.folder / "evaluation.log", deadline)
            print(f"{one.name}: judged", flush=True)


def _train(one: Experiment, places: Places, fold: int, run: Path, deadline: float) -> None:
    if words := training(one, places, fold, run):
        gliomask(words, run.with_suffix(".log"), deadline)
        print(f"{one.name}: fold {fold} trained", flush=True)


def main() -> None:
    """The command."""
    plan = read_plan()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("experiments", nargs="+", choices=plan, metavar="EXPERIMENT")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="then stop")
    for name in ("store", "start"):
        parser.add_argument(f"--{name}", dest=f"{name}s", action="append", default=[], type=_place)
    options = parser.parse_args()
    places = Places(options.store, options.out, dict(options.stores), dict(options.starts))
    deadline = time.monotonic() + 60 * options.minutes
    try:
        run_all([plan[name] for name in options.experiments], places, options.jobs, deadline)
    except OutOfTimeError:
        print("stopped in time: the same command goes on")


def _place(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    return name, Path(path)


if __name__ == "__main__":
    main()
