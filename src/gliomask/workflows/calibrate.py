"""``calibrate``: temperature, intervals and limits for the model card, from held-out patients.

Networks are overconfident. Temperature scaling divides the logits by one number; the threshold is
adjusted, so no mask changes. The same pass measures the errors of volumes, the disagreement of the
network's maps and the effect of missing sequences for each kind of image, and chooses the clean-up.
It uses validation patients: training patients would give wrong values, and test patients must not
be used. For training patients only the properties of the scans are measured.

A model that was trained on all patients has no held-out patients. The models of a cross-validation
with the same recipe are used instead: each is measured on its held-out fold. The pooled result is
slightly pessimistic, because each of those models had fewer training patients.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import JsonValue

from gliomask.config import Recipe, build
from gliomask.config.calibrate import CalibrateOptions as CalibrateOptions
from gliomask.errors import ConfigError, ModelError, StoreError, option
from gliomask.evaluation.assignment import AssignedModel, Question, assign_folds
from gliomask.evaluation.measurement import MeasuredCase, choose_clean_up, measure
from gliomask.evaluation.reference_cases import Subject, find_subjects
from gliomask.evaluation.training_data import sample, training_data
from gliomask.evaluation.validation_facts import validation_facts
from gliomask.evaluation.voxel_counts import COUNTED
from gliomask.inference.engines.choice import open_engine
from gliomask.inference.predictor import Predictor
from gliomask.jobs.control import SILENT, Control
from gliomask.nets.cards import CARD_FILE, ModelCard, write_card
from gliomask.nets.measures import CleanUp
from gliomask.provenance.patients import ModelPatients
from gliomask.provenance.run_record import RunRecord
from gliomask.statistics.logit_counts import pool
from gliomask.statistics.temperature import Temperature, adjusted_threshold, fit_temperature
from gliomask.store.store import open_store

_STEPS = 10
"""Progress steps of a case: one to read it, the others to measure."""


@dataclass(frozen=True)
class CalibrateResult:
    """Result of ``calibrate``.

    Attributes:
        model: the run folder.
        patients: number of patients that the temperature was fitted on.
        temperature: the fitted temperature.
        threshold: new threshold of the card, on calibrated probabilities.
        clean_up: new rule of the card; None if no fragment is removed.
    """

    model: Path
    patients: int
    temperature: Temperature
    threshold: float
    clean_up: CleanUp | None


@dataclass(frozen=True, eq=False)
class _Measure:
    """A model at temperature 1, and its held-out cases."""

    predictor: Predictor
    subjects: tuple[Subject, ...]


def calibrate(options: CalibrateOptions, control: Control = SILENT) -> CalibrateResult:
    """Measure a model, or the models of the folds instead, and update its card.

    Raises:
        ModelError: no model, one without validation patients in its card, or ``mirrored``
            for one that was trained without flips.
        ConfigError: the models of the folds have another recipe than the model, or no fold or the
            same fold, or were trained on patients of their own fold. StoreError: a patient is
            missing in the store, or can't be read. MachineError: the device does not exist.
    """
    opened = open_engine(options.model, device=options.device)
    card, patients = (
        _uncalibrated(_with_options(opened.card, options)),
        RunRecord(options.model).patients,
    )
    if patients is None:
        raise ModelError("the card of the model does not list its patients", path=options.model)
    if options.folds:
        measures, part = _out_of_fold(options, card), "out of fold"
    else:
        own = _validation_subjects(options.model, options.store, patients)
        measures, part = [_Measure(Predictor(opened.engine, card), own)], "validation"
    store = open_store(options.store)
    measured = sum(len(measure.subjects) for measure in measures)
    control.start(measured + len(sample(store, patients.training)), "calibrating")
    cases = [case for measure in measures for case in _measured(measure, control, options.missing)]
    fitted = fit_temperature(
        pool(measure for case in cases for measure in case.full.counts.values())
    )
    count = len({case.patient for case in cases})
    quantiles = [case.quantiles for case in cases]
    chosen = choose_clean_up(cases)
    written = _calibrated(card, fitted, part, count).model_copy(
        update={
            "clean_up": _at_temperature(chosen, fitted.value),
            "validation": validation_facts(cases, fitted.value, chosen),
            "training_data": training_data(store, patients.training, quantiles, control),
        }
    )
    write_card(options.model / CARD_FILE, written)
    return CalibrateResult(options.model, count, fitted, written.threshold, written.clean_up)


def _validation_subjects(model: Path, store: Path, patients: ModelPatients) -> tuple[Subject, ...]:
    """Validation patients of a model."""
    if not patients.validation:
        raise ModelError(
            "the card of the model does not list its validation patients",
            path=model,
            hint=f"give the runs of its folds, {option('folds', 'RUN')} for each",
        )
    all_subjects = find_subjects(store, "all", None).subjects
    missing = patients.validation - {subject.patient for subject in all_subjects}
    if missing:
        raise StoreError(f"the store lacks patient {min(missing)!r}", path=store)
    return tuple(subject for subject in all_subjects if subject.patient in patients.validation)


def _out_of_fold(options: CalibrateOptions, card: ModelCard) -> list[_Measure]:
    """Models of the folds, each with its held-out patients; each patient is used once."""
    question = Question(options.store, options.folds, None, None, options.device, "auto")
    models = assign_folds(question).models
    taken = {subject.patient for model in models for subject in model.subjects.subjects}
    measures = []
    for model in models:
        own = _uncalibrated(model.predictor.card)
        _check_same_recipe(model.run.run, own, card)
        same = {
            "mirrored": card.mirrored,
            "slice_smoothing_mm": card.slice_smoothing_mm,
            "planes": card.planes,
        }
        own = own.model_copy(update=same)
        more = _unselected(model, options.store, own, taken)
        taken |= {subject.patient for subject in more}
        predictor = Predictor(model.predictor.engine, own)
        measures.append(_Measure(predictor, (*model.subjects.subjects, *more)))
    return measures


def _unselected(
    model: AssignedModel, store: Path, card: ModelCard, taken: Set[str]
) -> tuple[Subject, ...]:
    """The validation patients of a fold model that no other model is measured on.

    A model that keeps its last epoch was neither trained nor selected on them, so they are as good
    as test patients.
    """
    patients = model.run.patients
    if patients is None or build(Recipe, dict(card.recipe), card.name).keep != "last":
        return ()
    all_subjects = find_subjects(store, "all", None).subjects
    unseen = patients.validation - patients.training - taken
    return tuple(subject for subject in all_subjects if subject.patient in unseen)


def _check_same_recipe(run: Path, actual: ModelCard, due: ModelCard) -> None:
    # Options that are newer than a model have their defaults.
    recipe_of_run, recipe_due = (
        build(Recipe, dict(card.recipe), card.name) for card in (actual, due)
    )
    for field, same in (
        ("sequences", actual.sequences == due.sequences),
        ("recipe", recipe_of_run == recipe_due),
    ):
        if not same:
            what = "the fold model has another recipe than the model"
            raise ConfigError(what, path=run, field=field, found="another", allowed="the same")


def _with_options(card: ModelCard, options: CalibrateOptions) -> ModelCard:
    """Card with the changes by the options."""
    changes: dict[str, object] = {}
    if options.slice_smoothing_mm is not None:
        changes["slice_smoothing_mm"] = options.slice_smoothing_mm
    if options.mirrored is not None:
        changes["mirrored"] = options.mirrored
    if options.mirrored and not card.flips:
        raise ModelError(
            "the model was trained without flips",
            path=options.model,
            field="recipe.augment",
            found="no flips",
            allowed="flip_horizontal or flip_vertical above 0",
        )
    return card.model_copy(update=changes)


def _uncalibrated(card: ModelCard) -> ModelCard:
    """Card as written by the training."""
    threshold = adjusted_threshold(card.threshold, 1 / card.temperature)
    plain = {"temperature": 1.0, "threshold": threshold, "clean_up": None}
    return card.model_copy(update=plain)


def _at_temperature(rule: CleanUp | None, temperature: float) -> CleanUp | None:
    """Convert the probability limit of a rule that was chosen at temperature 1."""
    if rule is None or rule.below_probability in (0.0, 1.0):
        return rule
    moved = adjusted_threshold(rule.below_probability, temperature)
    return rule.model_copy(update={"below_probability": moved})


def _calibrated(card: ModelCard, fitted: Temperature, part: str, patients: int) -> ModelCard:
    facts: dict[str, JsonValue] = {
        "part": part,
        "voxels": COUNTED,
        "patients": patients,
        **asdict(fitted),
    }
    return card.model_copy(
        update={
            "temperature": fitted.value,
            "threshold": adjusted_threshold(card.threshold, fitted.value),
            "metrics": {**card.metrics, "calibration": facts},
        }
    )


def _measured(measured_model: _Measure, control: Control, missing: bool) -> list[MeasuredCase]:
    """All regions have one temperature, so their voxels are pooled later."""
    predictor, cases = measured_model.predictor, []
    for subject in measured_model.subjects:
        with control.part(subject.case) as part:
            part.start(_STEPS, "")
            with part.part() as reading:
                examination = subject.load(reading)
            with part.part(steps=_STEPS - 1) as measuring:
                case = measure(predictor, subject.patient, examination, measuring, missing=missing)
                cases.append(case)
    return cases
