"""Out-of-fold accuracy of recipes: trains and evaluates the folds of a plan's experiments.

    python -m benchmarks.accuracy.folds STORE OUT EXPERIMENT... [--all-patients] [--jobs 2]
        [--minutes 9] [--store NAME=PATH] [--start NAME=RUN]

An experiment of ``plan.yaml`` is trained on each fold of the store (``OUT/NAME/fold0``, ...), and
the five models are evaluated together, each on its held-out patients (``OUT/NAME/evaluation``).
Finished steps are skipped, and stopped folds are resumed. After ``--minutes`` trainings are
stopped, each with a checkpoint, and the same command resumes them later. Every training runs on one
thread, ``--jobs`` of them at a time. ``benchmarks.accuracy.tables`` makes the tables,
``benchmarks.accuracy.parcel`` moves it to another machine and back.

An experiment may start with the weights of the same fold of another one (``after``), be distilled
from it (``teacher``), end with ``gliomask calibrate``, use another store of the same patients
(``benchmarks.accuracy.derived_store``) or initial weights; ``--store`` and ``--start`` are their
paths. ``--all-patients`` also trains a model on all patients (``OUT/NAME/all-patients``), and
calibrates it with the models of the folds.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from gliomask.nets.cards import CARD_FILE, read_card
from gliomask.provenance.run_files import CHECKPOINTS
from gliomask.store.store import open_store

PLAN = Path(__file__).with_name("plan.yaml")
EVALUATION, ALL_PATIENTS = "evaluation", "all-patients"


@dataclass(frozen=True)
class Experiment:
    """A recipe to evaluate out of fold.

    Attributes:
        name: its name.
        against: the experiment that it is compared with; None for a base.
        recipe: recipe that is changed; changes: ``key=value``.
        store: name of a store other than the default; start: name of initial weights.
        after: the experiment whose weights initialise it, fold by fold; teacher: the experiment
            whose networks it is distilled from.
        calibrate: whether each fold is calibrated on its validation patients; mirrored: whether
            that uses flip test-time augmentation.
    """

    name: str
    against: str | None
    recipe: str
    changes: tuple[str, ...]
    store: str | None
    start: str | None
    after: str | None
    teacher: str | None
    calibrate: bool
    mirrored: bool

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return self.name.replace(",", "").replace(" ", "-")


def read_plan(path: Path = PLAN) -> dict[str, Experiment]:
    """Experiments of a plan by name, each after the one that it is compared with."""
    experiments: dict[str, Experiment] = {}
    for name, keys in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        base = experiments.get(keys.get("against") or "")
        # An experiment with a recipe of its own does not inherit the changes of its base.
        before = base.changes if base and "recipe" not in keys else ()
        own = [
            f"{key}={yaml.safe_dump(value, default_flow_style=True).split(chr(10))[0]}"
            for key, value in keys.get("set", {}).items()
        ]
        experiments[name] = Experiment(
            name=name,
            against=keys.get("against"),
            recipe=keys.get("recipe") or (base.recipe if base else "default"),
            changes=(*before, *own),
            store=keys.get("store"),
            start=keys.get("start"),
            after=keys.get("after"),
            teacher=keys.get("teacher"),
            calibrate=keys.get("calibrate", False),
            mirrored=keys.get("mirrored", False),
        )
    return experiments


@dataclass(frozen=True)
class Places:
    """Paths: the default store, other stores and initial weights by name, the results."""

    store: Path
    out: Path
    stores: Mapping[str, Path]
    starts: Mapping[str, Path]

    def store_of(self, experiment: Experiment) -> Path:
        """Store that an experiment is trained on."""
        return self.stores[experiment.store] if experiment.store else self.store

    def runs(self, experiment: Experiment) -> list[Path]:
        """Run folders of its folds."""
        count = len(open_store(self.store).split.folds)
        return [self.out / experiment.folder / f"fold{fold}" for fold in range(count)]

    def run_of_all_patients(self, experiment: Experiment) -> Path:
        """Run folder of the model of all patients."""
        return self.out / experiment.folder / ALL_PATIENTS

    def start_of(
        self, experiment: Experiment, run: Path, plan: Mapping[str, Experiment]
    ) -> Path | None:
        """The run with the initial weights of a run."""
        if experiment.after:
            return self.out / plan[experiment.after].folder / run.name
        return self.starts[experiment.start] if experiment.start else None

    def teacher_of(
        self, experiment: Experiment, run: Path, plan: Mapping[str, Experiment]
    ) -> Path | None:
        """The run with the teacher network of a run."""
        return self.out / plan[experiment.teacher].folder / run.name if experiment.teacher else None


def training_command(
    experiment: Experiment, places: Places, run: Path, plan: Mapping[str, Experiment]
) -> list[str] | None:
    """The command that trains a run or resumes it; None if it is done."""
    if (run / "figures" / "curves.png").is_file():  # the last file that a training writes
        return None
    patients = (
        ["--all-patients"]
        if run.name == ALL_PATIENTS
        else ["--fold", run.name.removeprefix("fold")]
    )
    words = [
        "train",
        str(places.store_of(experiment)),
        "--out",
        str(run),
        *patients,
        "--no-calibrate",
    ]
    if (run / CHECKPOINTS).is_dir():
        return [*words, "--resume"]
    words += ["--recipe", experiment.recipe]
    words += [word for change in experiment.changes for word in ("--set", change)]
    if start := places.start_of(experiment, run, plan):
        words += ["--from", str(start)]
    if teacher := places.teacher_of(experiment, run, plan):
        words += ["--teacher", str(teacher)]
    return words


def calibration_command(experiment: Experiment, places: Places, run: Path) -> list[str] | None:
    """The command that calibrates a run; None if that is done or not part of the experiment."""
    if (
        not (experiment.calibrate or run.name == ALL_PATIENTS)
        or read_card(run / CARD_FILE).validation
    ):
        return None
    runs = places.runs(experiment) if run.name == ALL_PATIENTS else []
    folds = [word for fold in runs for word in ("--fold", str(fold))]
    mirrored = ["--flip"] if experiment.mirrored else []
    return ["calibrate", str(run), str(places.store_of(experiment)), *folds, *mirrored]


def evaluation_command(experiment: Experiment, places: Places) -> list[str] | None:
    """The command that evaluates all folds together; None if that is done."""
    out = places.out / experiment.folder / EVALUATION
    if (out / "summary.json").is_file():
        return None
    models = [word for run in places.runs(experiment) for word in ("--model", str(run))]
    return ["evaluate", str(places.store_of(experiment)), *models, "--out", str(out), "--no-report"]


class OutOfTimeError(Exception):
    """The deadline has passed; all work can be resumed."""


def gliomask(words: Sequence[str], log: Path, deadline: float = math.inf) -> None:
    """Runs a command on one thread; its output goes to ``log``.

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
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
        try:
            code = process.wait(None if math.isinf(left) else left)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
            raise OutOfTimeError from None
    if code:
        raise RuntimeError(f"{' '.join(words[:2])} ended with {code}: see {log}")


@dataclass(frozen=True)
class Work:
    """Experiments to run, with their options.

    Attributes:
        chosen: experiments, each after the one that initialises it.
        plan: all experiments by name.
        places: paths of stores, weights and results.
        all_patients: whether a model of all patients is trained as well.
        deadline: in seconds of ``time.monotonic``.
    """

    chosen: Sequence[Experiment]
    plan: Mapping[str, Experiment]
    places: Places
    all_patients: bool = False
    deadline: float = math.inf

    def runs(self, experiment: Experiment) -> list[Path]:
        """Run folders of the folds, and of the model of all patients."""
        last = [self.places.run_of_all_patients(experiment)] if self.all_patients else []
        return [*self.places.runs(experiment), *last]


def run_all(work: Work, jobs: int) -> None:
    """Trains missing runs, and evaluates each experiment as soon as its folds are done.

    Raises:
        RuntimeError: a command failed; the commands that had started are finished.
        OutOfTimeError: the deadline has passed.
    """
    places, plan = work.places, work.plan
    jobs_of: dict[Path, Future[None]] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for experiment in work.chosen:
            for run in work.runs(experiment):
                # Jobs start in this order, so waiting for an earlier one can't block the pool.
                needed = (
                    places.start_of(experiment, run, plan),
                    places.teacher_of(experiment, run, plan),
                )
                before = [jobs_of[other] for other in needed if other in jobs_of]
                jobs_of[run] = pool.submit(_train, work, experiment, run, before)
        for experiment in work.chosen:
            for run in work.runs(experiment):
                jobs_of[run].result()
            log = work.places.out / experiment.folder / "evaluation.log"
            if words := evaluation_command(experiment, work.places):
                gliomask(words, log, work.deadline)
            run_of_all = work.places.run_of_all_patients(experiment)
            if work.all_patients and (
                words := calibration_command(experiment, work.places, run_of_all)
            ):
                gliomask(words, log, work.deadline)
            print(f"{experiment.name}: evaluated", flush=True)


def _train(work: Work, experiment: Experiment, run: Path, before: Sequence[Future[None]]) -> None:
    for job in before:
        job.result()
    log = run.with_suffix(".log")
    if words := training_command(experiment, work.places, run, work.plan):
        gliomask(words, log, work.deadline)
        print(f"{experiment.name}: {run.name} trained", flush=True)
    if run.name != ALL_PATIENTS and (words := calibration_command(experiment, work.places, run)):
        gliomask(words, log, work.deadline)


def main() -> None:
    """The command."""
    plan = read_plan()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("experiments", nargs="+", choices=plan, metavar="EXPERIMENT")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--all-patients", action="store_true", help="a model of all patients too")
    parser.add_argument("--minutes", type=float, default=math.inf, help="then stop")
    for name in ("store", "start"):
        parser.add_argument(f"--{name}", dest=f"{name}s", action="append", default=[], type=_place)
    options = parser.parse_args()
    places = Places(options.store, options.out, dict(options.stores), dict(options.starts))
    deadline = time.monotonic() + 60 * options.minutes
    chosen = [plan[name] for name in options.experiments]
    try:
        run_all(Work(chosen, plan, places, options.all_patients, deadline), options.jobs)
    except OutOfTimeError:
        print("stopped at the deadline: run the same command to resume")


def _place(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    return name, Path(path)


if __name__ == "__main__":
    main()
