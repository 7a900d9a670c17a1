"""``calibrate``: what a model's card must hold to judge new cases by, from held-out patients.

A network's probabilities are too sure of themselves. Dividing their logits by one number, the
temperature, mends that on the whole; the threshold moves along, so that no mask changes. The same
pass measures, for each kind of image, how far volumes lie from the truth, how much the network's
maps usually disagree and what missing sequences cost; and the clean-up is chosen. Training patients
would give wrong numbers, and test patients may not be used; of the training patients only the scans
are described.

A model that was trained on everyone has no held-out patients. The models of a cross-validation by
the same recipe stand in for it: each is measured on the fold that it was not trained on, and all
these patients together show what to expect. That is slightly pessimistic, for each of those models
had fewer training patients.
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
"""Of a case: one to read it, the others to measure."""


@dataclass(frozen=True)
class CalibrateResult:
    """Result of ``calibrate``.

    Attributes:
        model: the run folder.
        patients: that the temperature was fitted on.
        temperature: and how far it helps.
        threshold: of the card now, on calibrated probabilities.
        clean_up: of the card now; None if no fragment is removed.
    """

    model: Path
    patients: int
    temperature: Temperature
    threshold: float
    clean_up: CleanUp | None


@dataclass(frozen=True, eq=False)
class _Measure:
    """A model at temperature 1, and whom it is measured on."""

    predictor: Predictor
    subjects: tuple[Subject, ...]


def calibrate(options: CalibrateOptions, control: Control = SILENT) -> CalibrateResult:
    """Measures a model, or those of the folds in its place, and writes what it finds into its card.

    Raises:
        ModelError: no model, one without validation patients in its card, or ``mirrored``
            for one that was trained without flips.
        ConfigError: the models of the folds are of another recipe than the model, or of no fold or
            the same one, or have seen patients of their own fold.
        StoreError: the store lacks one of them, or one can't be read.
        MachineError: the device is not there.
    """
    opened = open_engine(options.model, device=options.device)
    card, patients = _uncalibrated(_asked(opened.card, options)), RunRecord(options.model).patients
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
    cases = [case for measure in measures for case in _measured(measure, control)]
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
    """The validation patients of a model."""
    if not patients.validation:
        raise ModelError(
            "the card of the model does not list its validation patients",
            path=model,
            hint=f"name the runs of its folds, {option('folds', 'RUN')} for each",
        )
    everyone = find_subjects(store, "all", None).subjects
    missing = patients.validation - {subject.patient for subject in everyone}
    if missing:
        raise StoreError(f"the store lacks patient {min(missing)!r}", path=store)
    return tuple(subject for subject in everyone if subject.patient in patients.validation)


def _out_of_fold(options: CalibrateOptions, card: ModelCard) -> list[_Measure]:
    """The models of the folds, each with patients that it was not trained on, nobody twice."""
    question = Question(options.store, options.folds, None, None, options.device, "auto")
    judges = assign_folds(question).judges
    taken = {subject.patient for judge in judges for subject in judge.subjects.subjects}
    measures = []
    for judge in judges:
        own = _uncalibrated(judge.predictor.card)
        _check_same_recipe(judge.run.run, own, card)
        own = own.model_copy(update={"mirrored": card.mirrored})
        more = _unselected(judge, options.store, own, taken)
        taken |= {subject.patient for subject in more}
        predictor = Predictor(judge.predictor.engine, own)
        measures.append(_Measure(predictor, (*judge.subjects.subjects, *more)))
    return measures


def _unselected(
    judge: AssignedModel, store: Path, card: ModelCard, taken: Set[str]
) -> tuple[Subject, ...]:
    """The validation patients of a fold model that no other model is measured on.

    A model that keeps its last epoch was neither trained nor selected on them, so they are as good
    as test patients.
    """
    patients = judge.run.patients
    if patients is None or build(Recipe, dict(card.recipe), card.name).keep != "last":
        return ()
    everyone = find_subjects(store, "all", None).subjects
    unseen = patients.validation - patients.training - taken
    return tuple(subject for subject in everyone if subject.patient in unseen)


def _check_same_recipe(run: Path, actual: ModelCard, due: ModelCard) -> None:
    # Options that came after one of them was made have the values that it was made with.
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


def _asked(card: ModelCard, options: CalibrateOptions) -> ModelCard:
    """The card with what the options decide."""
    if options.mirrored is None:
        return card
    if options.mirrored and not card.flips:
        raise ModelError(
            "the model was trained without flips",
            path=options.model,
            field="recipe.augment",
            found="no flips",
            allowed="flip_horizontal or flip_vertical above 0",
        )
    return card.model_copy(update={"mirrored": options.mirrored})


def _uncalibrated(card: ModelCard) -> ModelCard:
    """The card as training left it."""
    threshold = adjusted_threshold(card.threshold, 1 / card.temperature)
    plain = {"temperature": 1.0, "threshold": threshold, "clean_up": None}
    return card.model_copy(update=plain)


def _at_temperature(rule: CleanUp | None, temperature: float) -> CleanUp | None:
    """A rule that was chosen at temperature 1; its probability moves as the threshold does."""
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


def _measured(measured_model: _Measure, control: Control) -> list[MeasuredCase]:
    """All regions have one temperature, so their voxels are counted together later."""
    cases = []
    for subject in measured_model.subjects:
        with control.part(subject.case) as part:
            part.start(_STEPS, "")
            with part.part() as reading:
                examination = subject.load(reading)
            with part.part(steps=_STEPS - 1) as measuring:
                cases.append(
                    measure(measured_model.predictor, subject.patient, examination, measuring)
                )
    return cases
