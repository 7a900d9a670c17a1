"""``evaluate``: how good a model is, on patients whose tumours someone drew.

All cases is predicted and judged on its own grid. The figures are over patients, with the policy
for empty masks beside them; patients that the model was trained on are counted and said. A run
that was stopped goes on where it was.
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
        what: was judged, in words.
        summary: of the scores.
        in_training: evaluated patients that the model was trained on.
        warnings: what must be said beside every figure.
        remarks: (case, what looks wrong with its mask).
        resumed: cases that an earlier, stopped run had judged.
    """

    out: Path
    what: str
    summary: EvaluationSummary
    in_training: tuple[str, ...]
    warnings: tuple[str, ...]
    remarks: tuple[tuple[str, str], ...]
    resumed: int


def evaluate(options: EvaluateOptions, control: Control = SILENT) -> EvaluateResult:
    """Predicts and judges every case of a source, and writes the folder of an evaluation.

    Raises:
        StoreError, LayoutError, ConfigError: the source or its models, see ``assign``.
        ModelError: the model.
        InputError: ``out`` holds something that is not an evaluation; a table that doesn't fit.
        CasesError: no case could be evaluated; nothing is written.
        BatchError: some could not; they are listed, the others are written.
        MachineError: the device is not there, or too small.
    """
    check_target(options.out)
    traits = read_traits(options.table, options.by)
    assigned = assign(_question(options))
    tasks = [PredictionTask(j.predictor, s) for j in assigned.judges for s in j.subjects.subjects]
    control.start(len(tasks), "evaluating")
    with Journal(options.out, EvaluatedCase) as journal:
        done = go_on(evaluate_prediction, tasks, journal, control, workers=1)
    problems = [
        problem for judge_of_fold in assigned.judges for problem in judge_of_fold.subjects.problems
    ]
    judged, failures = done.pieces, [*problems, *done.failures]
    if not judged:
        raise CasesError("no case could be evaluated", failures, path=options.source)
    names = dict.fromkeys(judge_of_fold.predictor.card.name for judge_of_fold in assigned.judges)
    judgement = EvaluationData(
        title=f"{', '.join(names)} on {assigned.what}",
        judged=tuple(judged),
        failures=tuple(failures),
        traits=traits,
        temperature=_temperature(assigned.judges),
        licences=licences_of(assigned.judges),
        warnings=assigned.warnings,
        facts=_facts(assigned.judges),
        about=_about(assigned),
        provenance=provenance("evaluate", options),
        runs=tuple(judge_of_fold.run for judge_of_fold in assigned.judges),
        figures=options.figures,
        report=options.report,
    )
    written = write_evaluation_folder(options.out, judgement, control)
    journal.discard()
    result = EvaluateResult(
        options.out,
        assigned.what,
        written.analysis.summary,
        assigned.in_training,
        assigned.warnings,
        written.remarks,
        done.resumed,
    )
    raise_failures(failures, len(judged), options.out, result)
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


def _temperature(judges: Sequence[AssignedModel]) -> float:
    """That all models share; models that differ in it can't be uncalibrated together."""
    temperatures = {judge_of_fold.predictor.card.temperature for judge_of_fold in judges}
    return temperatures.pop() if len(temperatures) == 1 else 1.0


def _facts(judges: Sequence[AssignedModel]) -> tuple[tuple[str, str], ...]:
    """Facts about the models for readers of a report; equal entries once."""
    facts: dict[str, dict[str, None]] = {}
    for judge_of_fold in judges:
        card = judge_of_fold.predictor.card
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
            ("computed by", judge_of_fold.predictor.engine.name),
        ):
            facts.setdefault(name, {})[value] = None
    return tuple((name, "; ".join(values)) for name, values in facts.items())


def _about(assigned: Assignment) -> dict[str, object]:
    cards = [judge_of_fold.predictor.card for judge_of_fold in assigned.judges]
    return {
        "source": assigned.what,
        "model": cards[0].name if len(cards) == 1 else [card.name for card in cards],
        "weights_sha256": cards[0].weights_sha256
        if len(cards) == 1
        else [card.weights_sha256 for card in cards],
        "synthetic_training": any(card.synthetic for card in cards),
        "in_training": list(assigned.in_training),
    }
