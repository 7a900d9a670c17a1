"""Prediction of an examination, evaluated against its reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gliomask.core.geometry import spacing_mm, to_reading, voxel_ml
from gliomask.core.prediction import Prediction
from gliomask.core.slices import uncrop
from gliomask.core.volume import best_shown
from gliomask.errors import CaseError
from gliomask.evaluation.case import Background, Circumstances, EvaluatedCase, evaluate_case
from gliomask.evaluation.reference_cases import Examination, Subject
from gliomask.evaluation.voxel_counts import count_voxels
from gliomask.inference.predictor import Predictor
from gliomask.jobs.control import Control
from gliomask.metrics.scores import MaskPair
from gliomask.statistics.logit_counts import LogitCounts

_READING, _SEGMENTING, _SCORING = 1, 6, 3
"""Approximate distribution of ``_STEPS`` over the parts of a case."""
_STEPS = _READING + _SEGMENTING + _SCORING


@dataclass(frozen=True, eq=False)
class PredictionTask:
    """A case and its model."""

    predictor: Predictor
    subject: Subject

    @property
    def case(self) -> str:
        return self.subject.case

    @property
    def key(self) -> str:
        card = self.predictor.card
        rules = (
            card.weights_sha256, card.threshold, card.temperature, repr(card.clean_up),
            card.mirrored, card.slice_smoothing_mm, card.planes,
        )  # fmt: skip
        return f"{self.case}{rules}{self.predictor.engine.name}{self.subject.key}"


def evaluate_prediction(task: PredictionTask, control: Control) -> EvaluatedCase:
    """Predict and score a case.

    Raises:
        CaseError: the case is unusable, or its reference has none of the model's regions.
    """
    predictor, subject = task.predictor, task.subject
    regions = tuple(r for r in predictor.card.regions if r in subject.regions)
    if not regions:
        regions_text = ", ".join(subject.regions)
        raise CaseError(f"the reference has the regions {regions_text}, the model has others")
    control.start(_STEPS, "")
    with control.part(steps=_READING) as part:
        examination = subject.load(part)
    with control.part(steps=_SEGMENTING) as part:
        prediction = predictor.predict_stack(
            examination.stack, subject.case, maps=True, control=part
        )
    pair = _pair(subject, examination, prediction)
    control.check()
    counts = _counts(prediction, examination)
    known = Circumstances(
        traits=subject.traits,
        calibration={
            region: region_counts for region, region_counts in counts.items() if region in regions
        },
        synthetic=subject.synthetic,
    )
    control.check()
    with control.part(steps=_SCORING) as part:
        return evaluate_case(pair, regions, _background(examination), known, part)


def _pair(subject: Subject, examination: Examination, prediction: Prediction) -> MaskPair:
    record = examination.stack.record
    sizes = spacing_mm(record.affine)
    slices, rows, columns = (sizes[axis] for axis in record.turn.axes)
    return MaskPair(
        case=subject.case,
        patient=subject.patient,
        reference=examination.reference,
        predicted=to_reading(prediction.mask, record.turn),
        annotated=examination.annotated,
        voxel_ml=voxel_ml(record.affine) if record.has_world else None,
        spacing_mm=(slices, rows, columns) if record.has_world else None,
    )


def _counts(prediction: Prediction, examination: Examination) -> dict[str, LogitCounts]:
    maps = prediction.probability_maps
    if maps is None:
        return {}
    slices = uncrop(maps.cropped, maps.record)
    return count_voxels(slices, prediction.regions, examination)


def _background(examination: Examination) -> Background:
    """Background image: the most informative sequence on the grid of the masks, with the head
    crop."""
    stack, record = examination.stack, examination.stack.record
    sequence = stack.sequences.index(best_shown(stack.sequences))
    image = uncrop(stack.array[:, sequence].astype(np.float32, copy=False), record)
    return Background(image, record.pixel_mm, record.has_world, record.window)
