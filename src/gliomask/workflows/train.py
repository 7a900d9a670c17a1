"""``train``: a store becomes a run folder, which holds the network and how it came to be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from gliomask.config import Recipe, load_recipe
from gliomask.config.train import TrainOptions as TrainOptions
from gliomask.errors import ConfigError, MachineError, option
from gliomask.jobs.control import SILENT, Control
from gliomask.learning import folder
from gliomask.learning.batches import TrainingBatches, Worker
from gliomask.learning.card import make_card
from gliomask.learning.checkpoint import State
from gliomask.learning.data import TrainingSelection, choose_data, open_slices
from gliomask.learning.dataset import Slices, StoreSlices
from gliomask.learning.devices import Machines, on_first, start_fabric
from gliomask.learning.execution import Execution, choose_execution
from gliomask.learning.initial_weights import Start, load_start
from gliomask.learning.lock import lock_folder
from gliomask.learning.loop import Training, TrainingParts
from gliomask.learning.randomness import Purpose, stream
from gliomask.learning.record import EpochRow, RunWriter
from gliomask.learning.sessions import TrainingSession
from gliomask.learning.state import Position, check_identity
from gliomask.learning.teacher_model import Taught, load_teacher
from gliomask.learning.validation import Validation
from gliomask.machine.allocator import keep_freed_memory
from gliomask.nets.specs import TORCH_EPSILON
from gliomask.nets.u2net import U2Net, build_model
from gliomask.nets.weights import save_model
from gliomask.provenance.run_files import RECIPE
from gliomask.provenance.run_record import Role, RunRecord
from gliomask.report.curves import draw_curves
from gliomask.store.store import open_store
from gliomask.workflows.calibrate import CalibrateOptions, calibrate


@dataclass(frozen=True)
class TrainResult:
    """Result of ``train``.

    Attributes:
        run: the run folder; recipe: its name.
        epochs: done in all.
        best_dice: mean Dice over validation patients (and regions) on the network's grid; None
            where nobody validates.
        best_epoch: that it was reached in, whose network is kept; else the last.
        patients: that it is the mean over; regions are counted only where there is something.
        notes: what a person should know.
        first: whether this is the first process of several, the one that speaks for them.
    """

    run: Path
    recipe: str
    epochs: int
    best_dice: float | None
    best_epoch: int
    patients: int
    notes: tuple[str, ...]
    first: bool


def train(options: TrainOptions, control: Control = SILENT) -> TrainResult:
    """Trains a network, or goes on with its training.

    Raises:
        ConfigError: the recipe, the folder or a resume can't be used.
        StoreError: the store or its split can't be used, or a case is damaged.
        CasesError: cases lack sequences that the recipe needs.
        StoppedError: a stop was requested; the run can be gone on with.
        MachineError: no such device, or the disk is full.
    """
    job = training_job(options, control)
    with ExitStack() as stack:
        state, notes = on_first(job.fabric, partial(open_run, job, stack))
        training, where = training_of(job, state)
        control.check()
        position = _run(job, training)
    begun = job.start.notes if job.start else ()
    return TrainResult(
        run=options.out,
        recipe=job.recipe.name,
        epochs=position.epoch,
        best_dice=position.best if job.choice.validation is not None else None,
        best_epoch=position.best_epoch,
        patients=len(job.choice.validation_patients),
        notes=(*begun, *notes, f"slices: {where}", *training.notes),
        first=job.fabric.is_global_zero,
    )


@dataclass(frozen=True, eq=False)
class TrainingJob:
    """A training that is known in full.

    Attributes:
        record: None but in the first process.
        start: the first weights, if they are given and the run is new.
        teacher: whose word goes into the target, if the recipe has a share for one.
        earlier: the facts of the weights that the run began with, now or before a resume, and of
            its teacher; empty if there were none.
        execution: how its steps are carried out.
    """

    options: TrainOptions
    recipe: Recipe
    choice: TrainingSelection
    fabric: Fabric
    record: RunWriter | None
    control: Control
    start: Start | None
    teacher: Taught | None
    earlier: Mapping[Role, Mapping[str, Any]]
    execution: Execution

    @property
    def identity(self) -> dict[str, Any]:
        """Values that must be equal in a resumed training and its checkpoint."""
        taught = {"teacher": self.teacher.facts["sha256"]} if self.teacher else {}
        recipe = self.recipe.model_dump(mode="json")
        return {"recipe": recipe, "data": self.choice.identity, **taught}


def training_job(options: TrainOptions, control: Control) -> TrainingJob:
    """Checks all that can be checked before anything is written."""
    recipe = _recipe(options)
    if options.everyone and options.fold is not None:
        what = "a fold and all patients exclude each other"
        raise ConfigError(what, hint=f"leave out {option('fold')} or {option('everyone')}")
    choice = choose_data(open_store(options.store), recipe, options.fold, everyone=options.everyone)
    if not options.resume:
        folder.check_new(options.out)
    start, teacher = _start(options, recipe, choice), _teacher(options, recipe, choice)
    keep_freed_memory()
    fabric = start_fabric(_machines(options), recipe)
    execution = choose_execution(options.execution, fabric)
    first = fabric.is_global_zero
    record = RunWriter(options.out, recipe.regions) if first else None
    earlier: dict[Role, Mapping[str, Any]] = {
        "start": start.facts if start else RunRecord(options.out).other_model("start"),
        "teacher": teacher.facts if teacher else {},
    }
    first_control = control if first else replace(control, progress=SILENT.progress)
    return TrainingJob(
        options, recipe, choice, fabric, record, first_control, start, teacher, earlier, execution
    )


def _start(options: TrainOptions, recipe: Recipe, choice: TrainingSelection) -> Start | None:
    """The first weights, where they are given; a run that goes on has its own."""
    if options.start is None or options.resume:
        return None
    return load_start(options.start, recipe, choice.sequences, _judged(choice))


def _teacher(options: TrainOptions, recipe: Recipe, choice: TrainingSelection) -> Taught | None:
    """The teacher, where the recipe has a share for one."""
    source, share = options.teacher, recipe.loss.teacher
    if source is None and options.resume and share:
        before = RunRecord(options.out).other_model("teacher").get("source")
        source = Path(before) if isinstance(before, str) else None
    if (source is None) == bool(share):
        raise ConfigError(
            "a teacher needs a share of the target, and vice versa",
            field="loss.teacher",
            found=f"{share:g} {'without' if source is None else 'with'} a teacher",
            allowed="above 0 with a teacher, 0 without",
            hint=f"name one by {option('teacher')}, or change the share by {option('changes')}",
        )
    if source is None:
        return None
    return load_teacher(source, recipe, choice.sequences, _judged(choice))


def _judged(choice: TrainingSelection) -> frozenset[str]:
    """Validation and test patients."""
    patients = {*choice.parts.validation, *choice.parts.test}
    return frozenset(case.patient for case in choice.store.manifest.cases if case.id in patients)


def _recipe(options: TrainOptions) -> Recipe:
    if options.resume:
        folder.check_resumable(options.out)
    own = str(options.out / RECIPE) if options.resume else "default"
    return load_recipe(options.recipe or own, options.changes)


def _machines(options: TrainOptions) -> Machines:
    return Machines(options.device, options.devices, options.nodes)


def open_run(job: TrainingJob, stack: ExitStack) -> tuple[State | None, tuple[str, ...]]:
    """Takes the run folder for the time of ``stack``: the state to go on from, and notes."""
    run = job.options.out
    stack.enter_context(lock_folder(run))
    if job.record is None or not job.options.resume:
        folder.check_new(run)
        return None, ()
    state, notes = job.record.resume()
    check_identity(state["identity"], job.identity)
    job.record.cut_back(state)
    version = state["torch"]
    if version != torch.__version__:
        differs = f"the run started with torch {version} and is resumed with {torch.__version__}"
        notes = (*notes, f"{differs}: the numbers may differ in their last digits")
    return state, notes


def training_of(job: TrainingJob, state: State | None) -> tuple[Training, str]:
    """The training, ready to run, and where its slices are kept."""
    fabric, recipe, choice = job.fabric, job.recipe, job.choice
    processes = _machines(job.options).local
    slices, judged = open_slices(choice, recipe, fabric.device, processes, job.control)
    job.control.check()
    threads = _threads(job, slices)
    worker = Worker(fabric.device, fabric.global_rank, fabric.world_size, threads)
    parts = TrainingParts(
        network=job.start.network if job.start else _network(job),
        teacher=job.teacher.network if job.teacher else None,
        batches=TrainingBatches(slices, choice.training, recipe, worker),
        validation=_validation(job, judged, worker),
        record=job.record,
        keep=partial(_keep, job),
        control=job.control,
        execution=job.execution,
    )
    return Training(fabric, recipe, parts, job.identity, state), slices.where


def _validation(job: TrainingJob, judged: Slices | None, worker: Worker) -> Validation | None:
    if judged is None or job.choice.validation is None:
        return None
    return Validation(judged, job.choice.validation, job.recipe, worker)


def _threads(job: TrainingJob, slices: Slices) -> int:
    """Threads that prepare batches: none where that is only a copy and the processors are busy."""
    if job.options.workers is not None:
        return job.options.workers
    if isinstance(slices, StoreSlices):
        return min(4, os.cpu_count() or 1)
    return 1 if job.fabric.device.type == "cuda" else 0


def _network(job: TrainingJob) -> U2Net:
    """The first weights are a function of the recipe's seed; a resume replaces them."""
    recipe, epsilon = job.recipe, job.earlier["start"].get("norm_epsilon", TORCH_EPSILON)
    channels = len(job.choice.sequences) if recipe.input.mode == "stacked" else 1
    regions = len(recipe.regions)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(recipe.seed, Purpose.WEIGHTS).integers(2**63)))
        return build_model(
            recipe.network, in_channels=channels, out_channels=regions, epsilon=epsilon
        )


def _keep(job: TrainingJob, network: U2Net, row: EpochRow) -> None:
    earlier = [facts for facts in job.earlier.values() if facts]
    card = make_card(job.recipe, job.choice, row, earlier, network.epsilon)
    save_model(job.options.out, network, card)


def _run(job: TrainingJob, training: Training) -> Position:
    """Trains, and keeps the account of it."""
    if job.record is None:
        return _trained(training)
    run, manifest = job.options.out, job.choice.store.manifest
    folder.write_recipe(run, job.recipe)
    facts: dict[str, Any] = {
        "seed": job.recipe.seed,
        "data": {"name": manifest.name, "synthetic": manifest.synthetic, **job.choice.identity},
        "train_patients": job.choice.training.patients,
        "validation_patients": job.choice.validation_patients,
        **{role: facts for role, facts in job.earlier.items() if facts},
    }
    note = f"{manifest.name}, synthetic data" if manifest.synthetic else manifest.name
    with closing(job.record), TrainingSession(run, job.options, facts):
        position = _trained(training)
        draw_curves(run, note)
        if job.options.calibration and job.choice.validation is not None:
            calibrate(CalibrateOptions(model=run, store=job.options.store), job.control)
    return position


def _trained(training: Training) -> Position:
    try:
        return training.run()
    except torch.OutOfMemoryError:
        raise MachineError(
            "not enough memory on the device",
            hint=f"halve the batch: {option('changes', 'batch_size=N')}",
        ) from None
