"""The assignment of patients to models: a part of a store to one, or a fold to each of several.

Models of a cross-validation are evaluated together, each on its held-out patients, so that
every patient of the store is evaluated once by a model that was not trained on them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.datasets.mask_labels.answer import AUTO
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
        predictor: ready to be used.
        subjects: it is evaluated on them.
    """

    run: RunRecord
    predictor: Predictor
    subjects: Subjects


@dataclass(frozen=True, eq=False)
class Assignment:
    """The models to evaluate, each with its subjects.

    Attributes:
        judges: one, or one for each fold.
        what: is judged, in words.
        in_training: patients that their own model was trained on.
        warnings: what must be said beside every figure.
    """

    judges: tuple[AssignedModel, ...]
    what: str
    in_training: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """The models and the source to evaluate; see ``EvaluateOptions``."""

    source: Path
    models: tuple[Path, ...]
    part: Part | None
    fold: int | None
    device: Device
    engine: EngineName
    labels: str = AUTO


def assign(question: Question) -> Assignment:
    """Loads the models and finds their patients.

    A single model that was trained for a fold is evaluated on that fold, unless a part or a fold is
    named.

    Raises:
        StoreError, LayoutError, ConfigError: the source, see ``find_subjects``; several models
            that are not of different folds, or that were trained on patients of their own fold.
        ModelError, MachineError: see ``load_predictor``.
    """
    if len(question.models) > 1:
        return assign_folds(question)
    (run,) = map(RunRecord, question.models)
    patients, fold = run.patients, question.fold
    is_store = (question.source / MANIFEST).is_file()
    if is_store and patients and fold is None and question.part is None:
        fold = patients.fold
    judge = _judge(question, run, question.part, fold)
    in_training, warnings = training_overlap(patients, _patients(judge.subjects))
    return Assignment((judge,), judge.subjects.what, in_training, warnings)


def assign_folds(question: Question) -> Assignment:
    """Each model and its held-out fold; raises as ``assign``."""
    if question.part is not None or question.fold is not None:
        raise ConfigError(
            "several models are evaluated on one fold each",
            hint=f"leave out {option('part')} and {option('fold')}",
        )
    if not (question.source / MANIFEST).is_file():
        raise ConfigError(
            "only a store has folds for several models",
            path=question.source,
            hint=f"evaluate one {option('model')}, or make a store by `gliomask prepare`",
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
    judges = tuple(_judge(question, fold_models[fold], "test", fold) for fold in folds)
    for judge, fold in zip(judges, folds, strict=True):
        _check_unseen(judge, patients[fold])
    count = len(store.split.folds)
    fold_text = ", ".join(str(fold) for fold in folds)
    what = f"{store.manifest.name} (store), out of fold, folds {fold_text} of {count}"
    return Assignment(judges, what, (), _left_out(fold_models, count))


def _left_out(fold_models: Collection[int], count: int) -> tuple[str, ...]:
    missing = [str(fold) for fold in range(count) if fold not in fold_models]
    if not missing:
        return ()
    return (f"no model of fold {', '.join(missing)}: its patients are not evaluated",)


def _judge(
    question: Question, run: RunRecord, part: Part | None, fold: int | None
) -> AssignedModel:
    subjects = find_subjects(question.source, part, fold, question.labels)
    predictor = load_predictor(run.run, question.device, question.engine, None, run.card)
    return AssignedModel(run, predictor, subjects)


def _fold(run: RunRecord) -> tuple[int, ModelPatients]:
    """The fold of a model, and its patients."""
    patients = run.patients
    if patients is None or patients.fold is None:
        raise ConfigError(
            "several models are evaluated on a fold each, and the fold of this one is unknown",
            path=run.run,
            hint=f"train a model for each fold, {option('fold', 0, command='train')}",
        )
    return patients.fold, patients


def _check_unseen(judge: AssignedModel, patients: ModelPatients) -> None:
    both = sorted(patients.all & _patients(judge.subjects))
    if both:
        raise ConfigError(
            "the model was trained on patients of its own fold: it has another split",
            path=judge.run.run,
            field="patient",
            found=both[0],
        )


def _patients(subjects: Subjects) -> set[str]:
    return {subject.patient for subject in subjects.subjects}


def licences_of(judges: Sequence[AssignedModel]) -> tuple[str, ...]:
    """Of the evaluated data, each once."""
    licences = {
        subject.licence
        for judge in judges
        for subject in judge.subjects.subjects
        if subject.licence
    }
    return tuple(sorted(licences))
