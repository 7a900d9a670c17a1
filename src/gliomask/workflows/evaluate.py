"""``evaluate``: how good a model is, on patients whose tumours someone drew.

Every case is predicted and judged on its own grid. The figures are over patients, with the policy
for empty masks beside them; patients that the model was trained on are counted and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from gliomask.config import Options
from gliomask.core.geometry import to_reading, voxel_ml
from gliomask.core.labels import LabelArray, region_masks
from gliomask.core.progress import SILENT, Progress
from gliomask.core.slices import labels_to_slices
from gliomask.errors import CaseError, CasesError, InputError, ModelError
from gliomask.evaluation.overlap import overlap
from gliomask.evaluation.scores import CaseScore, MaskPair, score_case
from gliomask.evaluation.summary import EvaluationSummary, summarise_scores
from gliomask.inference.engine import Device
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.report.panels import SliceView, draw_panels
from gliomask.workflows.provenance import provenance
from gliomask.workflows.results import (
    Failure,
    Judgement,
    as_keys,
    check_target,
    raise_failures,
    write_judgement,
)
from gliomask.workflows.seen import seen_in_training
from gliomask.workflows.subjects import Examination, Part, Subject, find_subjects

_SHOWN = ("flair", "t2", "t1ce", "t1")
"""The sequence that figures show, the first that there is."""


class EvaluateOptions(Options):
    """What ``evaluate`` is asked to do."""

    source: Path
    """A store, or the root of a data set in any known layout."""
    model: str
    """A run folder."""
    out: Path
    """The folder to write; an earlier evaluation in it is replaced."""
    part: Part | None = None
    """Part of a store's split; ``test`` if it is not given."""
    fold: Annotated[int, Field(ge=0)] | None = None
    """Fold of a store's split instead of its hold-out."""
    figures: Annotated[int, Field(ge=0)] = 6
    """Cases to draw: the worst, the best, the median and others between them."""
    device: Device = "auto"
    """What computes."""


@dataclass(frozen=True)
class EvaluateResult:
    """What ``evaluate`` has found.

    Attributes:
        out: the folder written.
        what: was judged, in words.
        summary: of the scores.
        in_training: evaluated patients that the model was trained on.
        warnings: what must be said beside every figure.
    """

    out: Path
    what: str
    summary: EvaluationSummary
    in_training: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Judged:
    """One case: its rows, and its most telling slice."""

    scores: tuple[CaseScore, ...]
    view: SliceView


def evaluate(options: EvaluateOptions, progress: Progress = SILENT) -> EvaluateResult:
    """Predicts and judges every case of a source, and writes the folder of an evaluation.

    Raises:
        StoreError, LayoutError, ConfigError: the source, see ``find_subjects``.
        ModelError: the model.
        InputError: ``out`` holds something that is not an evaluation.
        CasesError: no case could be judged; nothing is written.
        BatchError: some could not; they are listed, the others are written.
        MachineError: the device is not there, or too small.
    """
    check_target(options.out)
    predictor = load_predictor(options.model, options.device)
    found = find_subjects(options.source, options.part, options.fold)
    judged, failures = _judge_all(predictor, found.subjects, progress)
    failures = [*found.problems, *failures]
    if not judged:
        raise CasesError("no case could be judged", failures, path=options.source)
    scores = [score for one in judged for score in one.scores]
    summary = summarise_scores(scores)
    in_training, warnings = seen_in_training(
        Path(options.model), {score.patient for score in scores}
    )
    about = {
        "source": found.what,
        "model": predictor.card.name,
        "weights_sha256": predictor.card.weights_sha256,
        "synthetic_data": any(one.view.synthetic for one in judged),
        "synthetic_training": predictor.card.synthetic,
        "in_training": list(in_training),
        "warnings": list(warnings),
        "failed": as_keys(failures),
    }
    judgement = Judgement(scores, summary, about, provenance("evaluate", options))
    views = _choose([one.view for one in judged], options.figures)
    write_judgement(options.out, judgement, lambda folder: _draw(views, folder))
    raise_failures(failures, len(judged), options.out)
    return EvaluateResult(options.out, found.what, summary, in_training, warnings)


def _judge_all(
    predictor: Predictor, subjects: Sequence[Subject], progress: Progress
) -> tuple[list[_Judged], list[Failure]]:
    judged: list[_Judged] = []
    failures: list[Failure] = []
    progress.start(len(subjects), "evaluating")
    for subject in subjects:
        try:
            judged.append(_judge(predictor, subject))
        except ModelError:
            raise
        except InputError as problem:
            failures.append((subject.case, str(problem)))
            progress.advance(note=f"{subject.case} failed")
            continue
        dice = judged[-1].view.case_dice
        progress.advance(note="" if dice is None else f"Dice {dice:.3f}")
    return judged, failures


def _judge(predictor: Predictor, subject: Subject) -> _Judged:
    regions = tuple(r for r in predictor.card.regions if r in subject.regions)
    if not regions:
        told = ", ".join(subject.regions)
        raise CaseError(f"the reference tells {told}, the model other regions")
    examination = subject.load()
    record = examination.stack.record
    mask = predictor.segment_stack(examination.stack, subject.case).mask
    pair = MaskPair(
        subject.case,
        subject.patient,
        to_reading(examination.reference, record.turn),
        to_reading(mask, record.turn),
        examination.annotated,
        voxel_ml(record.affine) if record.has_world else None,
        (record.slice_mm, *record.pixel_mm) if record.has_world else None,
    )
    scores = score_case(pair, regions)
    return _Judged(scores, _view(subject, examination, mask, scores[0]))


def _view(
    subject: Subject, examination: Examination, mask: LabelArray, score: CaseScore
) -> SliceView:
    """The slice with most tumour, drawn or, where none is, predicted; cropped to the head."""
    stack, region = examination.stack, (score.region,)
    reference, predicted = (
        region_masks(labels_to_slices(labels, stack.record), region)[0]
        for labels in (examination.reference, mask)
    )
    area = (reference if reference.any() else predicted).sum(axis=(1, 2))
    number = int(area.argmax()) if area.any() else len(area) // 2
    shown = next((s for s in _SHOWN if s in stack.sequences), stack.sequences[0])
    return SliceView(
        image=stack.array[number, stack.sequences.index(shown)].astype(np.float16),
        reference=reference[number].copy(),
        predicted=predicted[number].copy(),
        pixel_mm=stack.record.pixel_mm,
        has_world=stack.record.has_world,
        case=subject.case,
        number=number + 1,
        region=score.region,
        slice_dice=overlap(reference[number], predicted[number]).dice,
        case_dice=score.overlap.dice,
        synthetic=subject.synthetic,
    )


def _choose(views: Sequence[SliceView], count: int) -> list[SliceView]:
    """The worst, the best and the median case first, then others evenly between; by Dice."""
    ranked = sorted(
        (v for v in views if v.case_dice is not None), key=lambda v: (v.case_dice, v.case)
    ) or list(views)
    last = len(ranked) - 1
    even = np.linspace(0, last, max(count, 2)).round().astype(int).tolist()
    wanted = list(dict.fromkeys([0, last, last // 2, *even]))[:count]
    return [ranked[k] for k in sorted(wanted)]


def _draw(views: Sequence[SliceView], folder: Path) -> None:
    """Figures named so that they sort from the worst case to the best."""
    for rank, view in enumerate(views, start=1):
        draw_panels(view, folder / f"{rank:02d}_{view.case}.png")
