"""``evaluate``: accuracy of a model on patients with reference masks.

Each case is predicted and scored on its own grid. Results are over patients, with the policy for
empty masks; training patients of the model are reported. A stopped run is resumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.config.evaluate import EvaluateOptions as EvaluateOptions
from gliomask.datasets.patient_table import read_traits
from gliomask.errors import CasesError
from gliomask.evaluation.assignment import AssignedModel, Assignment, Question, assign, licences_of
from gliomask.evaluation.case import EvaluatedCase
from gliomask.evaluation.evaluated_prediction import PredictionTask, evaluate_prediction
from gliomask.evaluation.trait_table import check_trait_table
from gliomask.inference.clean_up import describe_clean_up
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.failures import raise_failures
from gliomask.jobs.journal import Journal, go_on
from gliomask.provenance.record import provenance
from gliomask.results.evaluation import (
    EvaluationData,
    check_target,
    write_evaluation_folder,
)
from gliomask.statistics.evaluation_summary import EvaluationSummary


@dataclass(frozen=True)
class EvaluateResult:
    """Result of ``evaluate``.

    Attributes:
        out: the folder written.
        what: description of the evaluated data.
        summary: summary of the scores.
        in_training: evaluated patients that are training patients of the model.
        warnings: warnings to show with all results.
        remarks: (case, remark) on suspicious masks.
        resumed: number of cases from an earlier, stopped run.
    """

    out: Path
    what: str
    summary: EvaluationSummary
    in_training: tuple[str, ...]
    warnings: tuple[str, ...]
    remarks: tuple[tuple[str, str], ...]
    resumed: int


def evaluate(options: EvaluateOptions, control: Control = SILENT) -> EvaluateResult:
    """Predict and score every case of a source, and write the folder of an evaluation.

    Raises:
        StoreError, LayoutError, ConfigError: the source or its models, see ``assign``.
        ModelError: the model.
        InputError: ``out`` contains something else than an evaluation; an invalid table,
            or one of other patients.
        CasesError: no case could be evaluated; nothing is written.
        BatchError: some cases failed; they are listed, the others are written. MachineError: the
            device does not exist, or has too little memory.
    """
    check_target(options.out)
    traits = read_traits(options.table, options.by)
    assigned = assign(_question(options))
    tasks = [PredictionTask(j.predictor, s) for j in assigned.models for s in j.subjects.subjects]
    patients = [task.subject.patient for task in tasks]
    warnings = (*assigned.warnings, *check_trait_table(options.table, traits, patients))
    control.start(len(tasks), "evaluating")
    with Journal(options.out, EvaluatedCase) as journal:
        done = go_on(evaluate_prediction, tasks, journal, control, workers=1)
    problems = [problem for model in assigned.models for problem in model.subjects.problems]
    cases, failures = done.pieces, [*problems, *done.failures]
    if not cases:
        raise CasesError("no case could be evaluated", failures, path=options.source)
    names = dict.fromkeys(model.predictor.card.name for model in assigned.models)
    data = EvaluationData(
        title=f"{', '.join(names)} on {assigned.what}",
        cases=tuple(cases),
        failures=tuple(failures),
        traits=traits,
        temperature=_temperature(assigned.models),
        licences=licences_of(assigned.models),
        warnings=warnings,
        facts=_facts(assigned.models),
        about=_about(assigned),
        provenance=provenance("evaluate", options),
        runs=tuple(model.run for model in assigned.models),
        figures=options.figures,
        report=options.report,
    )
    written = write_evaluation_folder(options.out, data, control)
    journal.discard()
    result = EvaluateResult(
        options.out,
        assigned.what,
        written.analysis.summary,
        assigned.in_training,
        warnings,
        written.remarks,
        done.resumed,
    )
    raise_failures(failures, len(cases), options.out, result)
    return result


def _question(options: EvaluateOptions) -> Question:
    return Question(
        options.source,
        options.model,
        options.part,
        options.fold,
        options.device,
        options.engine,
        options.labels,
    )


def _temperature(models: Sequence[AssignedModel]) -> float:
    """Common temperature of all models, or 1: different ones can't be reverted together."""
    temperatures = {model.predictor.card.temperature for model in models}
    return temperatures.pop() if len(temperatures) == 1 else 1.0


def _facts(models: Sequence[AssignedModel]) -> tuple[tuple[str, str], ...]:
    """Properties of the models for the report; equal entries once."""
    facts: dict[str, dict[str, None]] = {}
    for model in models:
        card = model.predictor.card
        for name, value in (
            ("model", card.name),
            ("network", f"{card.network}, {card.size} x {card.size} pixels"),
            ("sequences", ", ".join(card.sequences)),
            ("trained on", card.trained_on),
            ("licence of the model", card.licence),
            ("threshold", f"{card.threshold:g}"),
            ("temperature", f"{card.temperature:.4g}"),
            ("clean-up", describe_clean_up(card.clean_up)),
            ("SHA-256 of the weights", card.weights_sha256 or "not known"),
            ("computed by", model.predictor.engine.name),
        ):
            facts.setdefault(name, {})[value] = None
    return tuple((name, "; ".join(values)) for name, values in facts.items())


def _about(assigned: Assignment) -> dict[str, object]:
    cards = [model.predictor.card for model in assigned.models]
    return {
        "source": assigned.what,
        "model": cards[0].name if len(cards) == 1 else [card.name for card in cards],
        "weights_sha256": cards[0].weights_sha256
        if len(cards) == 1
        else [card.weights_sha256 for card in cards],
        "synthetic_training": any(card.synthetic for card in cards),
        "in_training": list(assigned.in_training),
    }
