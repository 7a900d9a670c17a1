"""Out-of-fold accuracy of recipes: trains and evaluates the folds of a plan's experiments.

    python -m benchmarks.accuracy.folds STORE OUT EXPERIMENT... [--everyone] [--jobs 2]
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
paths. With ``--everyone`` a model of all patients is trained, too (``OUT/NAME/everyone``), and
calibrated with the models of the folds.
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
EVALUATION, EVERYONE = "evaluation", "everyone"


@dataclass(frozen=True)
class Experiment:
    """A recipe to evaluate out of fold.

    Attributes:
        name: of it.
        against: the experiment that it is compared with; None for a base.
        recipe: that is changed; changes: ``key=value``.
        store: name of another store than the usual one; start: name of first weights.
        after: the experiment whose weights it begins with, fold by fold; teacher: the one whose
            networks teach it.
        calibrate: whether each fold chooses what is to be dropped of a mask on its validation
            patients; mirrored: whether the mean with mirrored slices counts then.
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
        """Its name as that of a folder."""
        return self.name.replace(",", "").replace(" ", "-")


def read_plan(path: Path = PLAN) -> dict[str, Experiment]:
    """Experiments of a plan by name, each after the one that it is compared with."""
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
            after=keys.get("after"),
            teacher=keys.get("teacher"),
            calibrate=keys.get("calibrate", False),
            mirrored=keys.get("mirrored", False),
        )
    return found


@dataclass(frozen=True)
class Places:
    """Paths: the default store, other stores and initial weights by name, the results."""

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

    def everyone(self, one: Experiment) -> Path:
        """Run folder of the model that is trained on all patients."""
        return self.out / one.folder / EVERYONE

    def start_of(self, one: Experiment, run: Path, plan: Mapping[str, Experiment]) -> Path | None:
        """The run whose weights a run begins with."""
        if one.after:
            return self.out / plan[one.after].folder / run.name
        return self.starts[one.start] if one.start else None

    def teacher_of(self, one: Experiment, run: Path, plan: Mapping[str, Experiment]) -> Path | None:
        """The run whose network teaches a run."""
        return self.out / plan[one.teacher].folder / run.name if one.teacher else None


def training(
    one: Experiment, places: Places, run: Path, plan: Mapping[str, Experiment]
) -> list[str] | None:
    """The command that trains a run or goes on with it; None if it is done."""
    if (run / "figures" / "curves.png").is_file():  # the last thing that a training makes
        return None
    whose = (
        ["--all-patients"] if run.name == EVERYONE else ["--fold", run.name.removeprefix("fold")]
    )
    words = ["train", str(places.store_of(one)), "--out", str(run), *whose, "--no-calibrate"]
    if (run / CHECKPOINTS).is_dir():
        return [*words, "--resume"]
    words += ["--recipe", one.recipe]
    words += [word for change in one.changes for word in ("--set", change)]
    if start := places.start_of(one, run, plan):
        words += ["--from", str(start)]
    if teacher := places.teacher_of(one, run, plan):
        words += ["--teacher", str(teacher)]
    return words


def calibrating(one: Experiment, places: Places, run: Path) -> list[str] | None:
    """The command that calibrates a run; None if that is done, or not asked for."""
    if not (one.calibrate or run.name == EVERYONE) or read_card(run / CARD_FILE).validation:
        return None
    runs = places.runs(one) if run.name == EVERYONE else []
    folds = [word for fold in runs for word in ("--fold", str(fold))]
    mirrored = ["--flip"] if one.mirrored else []
    return ["calibrate", str(run), str(places.store_of(one)), *folds, *mirrored]


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


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Attributes:
        chosen: experiments, each after the one that it begins with.
        plan: all of them by name.
        places: where everything is.
        everyone: whether a model of all patients is trained as well.
        deadline: of ``time.monotonic``.
    """

    chosen: Sequence[Experiment]
    plan: Mapping[str, Experiment]
    places: Places
    everyone: bool = False
    deadline: float = math.inf

    def runs(self, one: Experiment) -> list[Path]:
        """Run folders of the folds, and of all patients."""
        last = [self.places.everyone(one)] if self.everyone else []
        return [*self.places.runs(one), *last]


def run_all(work: Work, jobs: int) -> None:
    """Trains what is not trained yet, and judges an experiment as soon as its folds are done.

    Raises:
        RuntimeError: a command failed; what else was begun is finished.
        OutOfTimeError: the deadline came.
    """
    places, plan = work.places, work.plan
    jobs_of: dict[Path, Future[None]] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for one in work.chosen:
            for run in work.runs(one):
                # Earlier jobs begin earlier, so waiting for one of them can't block the pool.
                needed = (places.start_of(one, run, plan), places.teacher_of(one, run, plan))
                before = [jobs_of[other] for other in needed if other in jobs_of]
                jobs_of[run] = pool.submit(_train, work, one, run, before)
        for one in work.chosen:
            for run in work.runs(one):
                jobs_of[run].result()
            log = work.places.out / one.folder / "evaluation.log"
            if words := judging(one, work.places):
                gliomask(words, log, work.deadline)
            everyone = work.places.everyone(one)
            if work.everyone and (words := calibrating(one, work.places, everyone)):
                gliomask(words, log, work.deadline)
            print(f"{one.name}: evaluated", flush=True)


def _train(work: Work, one: Experiment, run: Path, before: Sequence[Future[None]]) -> None:
    for job in before:
        job.result()
    log = run.with_suffix(".log")
    if words := training(one, work.places, run, work.plan):
        gliomask(words, log, work.deadline)
        print(f"{one.name}: {run.name} trained", flush=True)
    if run.name != EVERYONE and (words := calibrating(one, work.places, run)):
        gliomask(words, log, work.deadline)


def main() -> None:
    """The command."""
    plan = read_plan()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("experiments", nargs="+", choices=plan, metavar="EXPERIMENT")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--everyone", action="store_true", help="a model of all patients too")
    parser.add_argument("--minutes", type=float, default=math.inf, help="then stop")
    for name in ("store", "start"):
        parser.add_argument(f"--{name}", dest=f"{name}s", action="append", default=[], type=_place)
    options = parser.parse_args()
    places = Places(options.store, options.out, dict(options.stores), dict(options.starts))
    deadline = time.monotonic() + 60 * options.minutes
    chosen = [plan[name] for name in options.experiments]
    try:
        run_all(Work(chosen, plan, places, options.everyone, deadline), options.jobs)
    except OutOfTimeError:
        print("stopped in time: the same command goes on")


def _place(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    return name, Path(path)


if __name__ == "__main__":
    main()
