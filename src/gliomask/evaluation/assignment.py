"""Assignment of patients to models: a part of a store for one model, or a fold for each of several.

Models of a cross-validation are evaluated together, each on its held-out patients, so that
every patient of the store is evaluated once by a model that was not trained on them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.datasets.mask_labels.option import AUTO
from gliomask.errors import ConfigError, option
from gliomask.evaluation.reference_cases import Part, Subjects, find_subjects
from gliomask.inference.engines.choice import EngineName
from gliomask.inference.engines.engine import Device
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.provenance.patients import ModelPatients, training_overlap
from gliomask.provenance.run_record import RunRecord
from gliomask.store.manifest import MANIFEST
from gliomask.store.store import open_store


@dataclass(frozen=True, eq=False)
class AssignedModel:
    """A model and the cases that it is evaluated on.

    Attributes:
        run: its folder.
        predictor: the loaded model.
        subjects: its subjects.
    """

    run: RunRecord
    predictor: Predictor
    subjects: Subjects


@dataclass(frozen=True, eq=False)
class Assignment:
    """Models to evaluate, each with its subjects.

    Attributes:
        models: one model, or one for each fold.
        what: description of the evaluated data.
        in_training: patients that were training patients of their model.
        warnings: warnings to show with all results.
    """

    models: tuple[AssignedModel, ...]
    what: str
    in_training: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """Models and source to evaluate; see ``EvaluateOptions``."""

    source: Path
    models: tuple[Path, ...]
    part: Part | None
    fold: int | None
    device: Device
    engine: EngineName
    labels: str = AUTO


def assign(question: Question) -> Assignment:
    """Load the models and find their patients.

    A single model that was trained for a fold is evaluated on that fold, unless a part or a fold is
    given.

    Raises:
        StoreError, LayoutError, ConfigError: the source, see ``find_subjects``; several models
        without different folds, or trained on patients of their own fold. ModelError, MachineError:
        see ``load_predictor``.
    """
    if len(question.models) > 1:
        return assign_folds(question)
    (run,) = map(RunRecord, question.models)
    patients, fold = run.patients, question.fold
    is_store = (question.source / MANIFEST).is_file()
    if is_store and patients and fold is None and question.part is None:
        fold = patients.fold
    model = _assigned_model(question, run, question.part, fold)
    in_training, warnings = training_overlap(patients, _patients(model.subjects))
    return Assignment((model,), model.subjects.what, in_training, warnings)


def assign_folds(question: Question) -> Assignment:
    """Assign its held-out fold to each model; raises as ``assign``."""
    if question.part is not None or question.fold is not None:
        raise ConfigError(
            "several models are evaluated on one fold each",
            hint=f"leave out {option('part')} and {option('fold')}",
        )
    if not (question.source / MANIFEST).is_file():
        raise ConfigError(
            "only a store has folds for several models",
            path=question.source,
            hint=f"evaluate one {option('model')}, or make a store with `gliomask prepare`",
        )
    store = open_store(question.source)
    fold_models: dict[int, RunRecord] = {}
    patients: dict[int, ModelPatients] = {}
    for run in map(RunRecord, question.models):
        fold, of_model = _fold(run)
        if fold in fold_models:
            what = f"two models of fold {fold}: {fold_models[fold].run} and {run.run}"
            raise ConfigError(what, path=run.run, hint=f"leave out one {option('model')}")
        fold_models[fold], patients[fold] = run, of_model
    folds = sorted(fold_models)
    models = tuple(_assigned_model(question, fold_models[fold], "test", fold) for fold in folds)
    for model, fold in zip(models, folds, strict=True):
        _check_unseen(model, patients[fold])
    count = len(store.split.folds)
    fold_text = ", ".join(str(fold) for fold in folds)
    what = f"{store.manifest.name} (store), out of fold, folds {fold_text} of {count}"
    return Assignment(models, what, (), _left_out(fold_models, count))


def _left_out(fold_models: Collection[int], count: int) -> tuple[str, ...]:
    missing = [str(fold) for fold in range(count) if fold not in fold_models]
    if not missing:
        return ()
    return (f"no model of fold {', '.join(missing)}: its patients are not evaluated",)


def _assigned_model(
    question: Question, run: RunRecord, part: Part | None, fold: int | None
) -> AssignedModel:
    subjects = find_subjects(question.source, part, fold, question.labels)
    predictor = load_predictor(run.run, question.device, question.engine, None, run.card)
    return AssignedModel(run, predictor, subjects)


def _fold(run: RunRecord) -> tuple[int, ModelPatients]:
    """Fold of a model, and its patients."""
    patients = run.patients
    if patients is None or patients.fold is None:
        raise ConfigError(
            "several models are evaluated on a fold each, and the fold of this one is unknown",
            path=run.run,
            hint=f"train a model for each fold, {option('fold', 0, command='train')}",
        )
    return patients.fold, patients


def _check_unseen(model: AssignedModel, patients: ModelPatients) -> None:
    both = sorted(patients.all & _patients(model.subjects))
    if both:
        raise ConfigError(
            "the model was trained on patients of its own fold: it has another split",
            path=model.run.run,
            field="patient",
            found=both[0],
        )


def _patients(subjects: Subjects) -> set[str]:
    return {subject.patient for subject in subjects.subjects}


def licences_of(models: Sequence[AssignedModel]) -> tuple[str, ...]:
    """Distinct licences of the evaluated data."""
    licences = {
        subject.licence
        for model in models
        for subject in model.subjects.subjects
        if subject.licence
    }
    return tuple(sorted(licences))
