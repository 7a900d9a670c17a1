"""``train``: training of a network on a store, which writes a run folder."""

from __future__ import annotations

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
from gliomask.learning.initial_weights import InitialWeights, load_initial_weights
from gliomask.learning.lock import lock_folder
from gliomask.learning.loop import Training, TrainingParts
from gliomask.learning.randomness import Purpose, stream
from gliomask.learning.record import EpochRow, RunWriter
from gliomask.learning.sessions import TrainingSession
from gliomask.learning.state import Position, check_identity
from gliomask.learning.teacher_model import LoadedTeacher, load_teacher
from gliomask.learning.validation import Validation
from gliomask.machine.allocator import keep_freed_memory
from gliomask.machine.processors import read_processors
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
        run: the run folder.
        recipe: its name.
        epochs: total number of epochs.
        best_dice: mean Dice over validation patients (and regions) on the network's grid; None
            without validation patients.
        best_epoch: its epoch, whose network is kept; otherwise the last.
        patients: number of validation patients; only non-empty regions count.
        notes: notes for users.
        first: whether this is the first of several processes, which reports.
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
    """Train a network, or resume its training.

    Raises:
        ConfigError: the recipe, the folder or the resume is invalid. StoreError: the store or its
            split is invalid, or a case is damaged.
        CasesError: cases lack sequences that the recipe needs.
        StoppedError: a stop was requested; the run can be resumed. MachineError: the device does
            not exist, or the disk is full.
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
    """Configuration of a training.

    Attributes:
        record: None except in the first process.
        start: initial weights, if given and the run is new.
        teacher: teacher for distillation, if the recipe has a weight for it.
        earlier: origin of the initial weights, of this run or before a resume, and of the teacher;
            may be empty.
        execution: execution mode of its steps.
    """

    options: TrainOptions
    recipe: Recipe
    choice: TrainingSelection
    fabric: Fabric
    record: RunWriter | None
    control: Control
    start: InitialWeights | None
    teacher: LoadedTeacher | None
    earlier: Mapping[Role, Mapping[str, Any]]
    execution: Execution

    @property
    def identity(self) -> dict[str, Any]:
        """Values that must be equal in a resumed training and its checkpoint."""
        taught = {"teacher": self.teacher.origin["sha256"]} if self.teacher else {}
        recipe = self.recipe.model_dump(mode="json")
        return {"recipe": recipe, "data": self.choice.identity, **taught}


def training_job(options: TrainOptions, control: Control) -> TrainingJob:
    """Check everything possible before anything is written."""
    recipe = _recipe(options)
    if options.all_patients and options.fold is not None:
        what = "a fold and all patients exclude each other"
        raise ConfigError(what, hint=f"leave out {option('fold')} or {option('all_patients')}")
    choice = choose_data(
        open_store(options.store), recipe, options.fold, all_patients=options.all_patients
    )
    if not options.resume:
        folder.check_new(options.out)
    start, teacher = _start(options, recipe, choice), _teacher(options, recipe, choice)
    keep_freed_memory()
    fabric = start_fabric(_machines(options), recipe)
    execution = choose_execution(options.execution, fabric)
    first = fabric.is_global_zero
    record = RunWriter(options.out, recipe.regions) if first else None
    earlier: dict[Role, Mapping[str, Any]] = {
        "start": start.origin if start else RunRecord(options.out).other_model("start"),
        "teacher": teacher.origin if teacher else {},
    }
    first_control = control if first else replace(control, progress=SILENT.progress)
    return TrainingJob(
        options, recipe, choice, fabric, record, first_control, start, teacher, earlier, execution
    )


def _start(
    options: TrainOptions, recipe: Recipe, choice: TrainingSelection
) -> InitialWeights | None:
    """Initial weights, if given; a resumed run has its own."""
    if options.start is None or options.resume:
        return None
    return load_initial_weights(options.start, recipe, choice.sequences, _held_out(choice))


def _teacher(
    options: TrainOptions, recipe: Recipe, choice: TrainingSelection
) -> LoadedTeacher | None:
    """Teacher, if the recipe has a weight for it."""
    source, share = options.teacher, recipe.loss.teacher
    if source is None and options.resume and share:
        before = RunRecord(options.out).other_model("teacher").get("source")
        source = Path(before) if isinstance(before, str) else None
    if (source is None) == bool(share):
        raise ConfigError(
            "a teacher needs a weight in the target, and vice versa",
            field="loss.teacher",
            found=f"{share:g} {'without' if source is None else 'with'} a teacher",
            allowed="above 0 with a teacher, 0 without",
            hint=f"give {option('teacher')}, or change the weight with {option('changes')}",
        )
    if source is None:
        return None
    return load_teacher(source, recipe, choice.sequences, _held_out(choice))


def _held_out(choice: TrainingSelection) -> frozenset[str]:
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
    """Lock the run folder for the time of ``stack``; return the state to resume from, and notes."""
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
    """Set up the training; return it, and the storage of its slices."""
    fabric, recipe, choice = job.fabric, job.recipe, job.choice
    processes = _machines(job.options).local
    slices, validation_slices = open_slices(choice, recipe, fabric.device, processes, job.control)
    job.control.check()
    threads = _threads(job, slices)
    worker = Worker(fabric.device, fabric.global_rank, fabric.world_size, threads)
    parts = TrainingParts(
        network=job.start.network if job.start else _network(job),
        teacher=job.teacher.network if job.teacher else None,
        batches=TrainingBatches(slices, choice.training, recipe, worker),
        validation=_validation(job, validation_slices, worker),
        record=job.record,
        keep=partial(_keep, job),
        control=job.control,
        execution=job.execution,
    )
    return Training(fabric, recipe, parts, job.identity, state), slices.where


def _validation(
    job: TrainingJob, validation_slices: Slices | None, worker: Worker
) -> Validation | None:
    if validation_slices is None or job.choice.validation is None:
        return None
    return Validation(validation_slices, job.choice.validation, job.recipe, worker)


def _threads(job: TrainingJob, slices: Slices) -> int:
    """Number of threads that prepare batches: 0 if slices are only copied on busy processors."""
    if job.options.workers is not None:
        return job.options.workers
    if isinstance(slices, StoreSlices):
        return min(4, read_processors().usable)
    return 1 if job.fabric.device.type == "cuda" else 0


def _network(job: TrainingJob) -> U2Net:
    """Create the network with random weights from the recipe's seed; a resume replaces them."""
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
    """Train, and record the session."""
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
