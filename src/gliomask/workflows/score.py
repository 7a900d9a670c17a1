"""``score``: scores of masks of any tool on the grid of the reference.

Worker processes score one pair at a time and write the result into a journal, so memory does not
grow with the number of cases, and a stopped run can be resumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.config.score import ScoreOptions as ScoreOptions
from gliomask.datasets.mask_files import PAIRS, WRITTEN
from gliomask.datasets.mask_labels.pair_schemes import LabelOptions, find_schemes
from gliomask.datasets.mask_pairs import Pair, find_pairs
from gliomask.datasets.patient_table import read_traits
from gliomask.errors import CasesError, InputError
from gliomask.evaluation.case import EvaluatedCase
from gliomask.evaluation.evaluated_masks import MaskTask, evaluate_masks
from gliomask.evaluation.trait_table import check_trait_table
from gliomask.formats.archive import UNPACK, is_archive
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.failures import raise_failures
from gliomask.jobs.journal import Journal, go_on
from gliomask.machine.processors import read_processors
from gliomask.provenance.record import provenance
from gliomask.results.evaluation import (
    EvaluationData,
    check_target,
    write_evaluation_folder,
)
from gliomask.statistics.evaluation_summary import EvaluationSummary

_FEW = 8
"""Number of pairs up to which starting processes takes longer than scoring."""


@dataclass(frozen=True)
class ScoreResult:
    """Result of ``score``.

    Attributes:
        out: the folder written.
        summary: summary of the scores.
        explanation: interpretation of the numbers in the masks.
        warnings: warnings to show with all results.
        remarks: (case, remark) on suspicious masks.
        resumed: number of pairs from an earlier, stopped run.
    """

    out: Path
    summary: EvaluationSummary
    explanation: tuple[str, ...]
    warnings: tuple[str, ...]
    remarks: tuple[tuple[str, str], ...]
    resumed: int


def score(options: ScoreOptions, control: Control = SILENT) -> ScoreResult:
    """Score masks against reference masks of the same cases, and write an evaluation folder.

    Raises:
        InputError: no masks, two masks of one case, an invalid table or one of other patients, or
            ``out`` contains something else. QuestionError: the numbers in the masks are ambiguous.
            CasesError: no pair could be scored; nothing is written. BatchError: masks without a
            partner or on different grids; the others are written. MachineError: a worker process
            was killed; completed pairs are kept for the next run.
    """
    check_target(options.out)
    for masks in (options.references, options.predictions):
        if is_archive(masks):
            raise InputError("a zip archive, not masks", path=masks, hint=UNPACK)
    traits = read_traits(options.table, options.by)
    pairs, alone = find_pairs(options.references, options.predictions, options.pairs)
    patients = [reference.patient for reference, _ in pairs]
    warnings = check_trait_table(options.table, traits, patients)
    workers = options.workers or (1 if len(pairs) <= _FEW else read_processors().usable)
    labels = LabelOptions(options.labels, options.reference_labels, options.prediction_labels)
    schemes = find_schemes(pairs, labels, options.out, control, workers)
    explanation = (*schemes.explanation, *_exchanged(pairs))
    tasks = [
        MaskTask(reference, prediction, *both)
        for (reference, prediction), both in zip(pairs, schemes.pairs, strict=True)
    ]
    control.start(len(tasks), "scoring")
    with Journal(options.out, EvaluatedCase) as journal:
        done = go_on(evaluate_masks, tasks, journal, control, workers)
    cases, failures = done.pieces, [*alone, *done.failures]
    if not cases:
        what = "no pair of masks could be scored"
        hint = None if pairs or options.pairs is not None else PAIRS
        raise CasesError(what, failures, path=options.predictions, hint=hint)
    data = EvaluationData(
        title=f"{options.predictions.name} against {options.references.name}",
        subtitle="; ".join(explanation),
        figures=options.figures,
        report=options.report,
        cases=tuple(cases),
        failures=tuple(failures),
        traits=traits,
        licences=tuple(sorted({r.licence for r, _ in pairs if r.licence})),
        warnings=warnings,
        about=_about(options, explanation),
        provenance=provenance("score", options),
    )
    written = write_evaluation_folder(options.out, data, control)
    journal.discard()
    result = ScoreResult(
        options.out, written.analysis.summary, explanation, warnings, written.remarks, done.resumed
    )
    raise_failures(failures, len(cases), options.out, result)
    return result


def _about(options: ScoreOptions, explanation: Sequence[str]) -> dict[str, object]:
    return {
        "references": str(options.references),
        "predictions": str(options.predictions),
        "labels": list(explanation),
    }


def _exchanged(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Warning if the references are masks of ``predict``, and the predictions are not."""
    written = [[mask.origin == WRITTEN for mask in side] for side in zip(*pairs, strict=True)]
    if not written or not all(written[0]) or any(written[1]):
        return ()
    text = "the references were written by gliomask predict, the predictions were not"
    return (f"WARNING: {text}: were the two folders exchanged?",)
