"""Evaluation of one case: scores, representative slices, suspicious masks.

Used by ``evaluate`` and ``score``, so that their folders and reports are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from gliomask.core.regions import region_masks
from gliomask.jobs.control import SILENT, Control
from gliomask.metrics.exchange import Fit, exchange_fit
from gliomask.metrics.mismatch import find_turn
from gliomask.metrics.overlap_counts import count_overlap
from gliomask.metrics.scores import CaseScore, MaskPair, score_case
from gliomask.report.evaluation.pictures import SlicePicture, encode_slice, informative_slices
from gliomask.report.panels import SliceView
from gliomask.report.slices import bounds
from gliomask.statistics.logit_counts import LogitCounts

Trait = str | float | None
"""Properties of a patient: site, slice thickness."""

_MARGIN = 24
"""Margin in pixels around the masks, if there is no image."""
_NO_IMAGE = np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class EvaluatedCase:
    """Results of a case without its volumes; serialisable as JSON.

    Attributes:
        scores: a row for each region.
        pictures: its representative slices.
        remarks: suspicious findings, as sentences.
        traits: its properties.
        fit: approximate position of its masks, to find exchanged masks. None if only some slices
            were annotated.
        calibration: region -> histograms of its probabilities; empty if only masks are known.
        synthetic: whether it is a phantom.
    """

    scores: tuple[CaseScore, ...]
    pictures: tuple[SlicePicture, ...]
    remarks: tuple[str, ...]
    traits: dict[str, Trait]
    fit: Fit | None
    calibration: dict[str, LogitCounts]
    synthetic: bool

    @property
    def case(self) -> str:
        return self.scores[0].case

    @property
    def patient(self) -> str:
        return self.scores[0].patient


@dataclass(frozen=True, eq=False)
class Background:
    """Background image for the masks of a case.

    Attributes:
        image: (S, H, W) of one sequence in the reading frame, on the grid of the masks; None if
            only masks are known.
        pixel_mm: (row, column) spacing, (1, 1) if unknown.
        has_world: whether left and right are known.
        box: (rows, columns) of the head; None shows the surroundings of the masks.
    """

    image: npt.NDArray[np.floating] | None
    pixel_mm: tuple[float, float]
    has_world: bool
    box: tuple[slice, slice] | None = None


@dataclass(frozen=True)
class Circumstances:
    """Properties of a case besides its masks; see ``EvaluatedCase``."""

    traits: Mapping[str, Trait] = field(default_factory=lambda: MappingProxyType({}))
    calibration: Mapping[str, LogitCounts] = field(default_factory=lambda: MappingProxyType({}))
    remarks: tuple[str, ...] = ()
    synthetic: bool = False


def evaluate_case(
    pair: MaskPair,
    regions: Sequence[str],
    background: Background,
    known: Circumstances | None = None,
    control: Control = SILENT,
) -> EvaluatedCase:
    """Evaluate the masks of a case.

    Args:
        pair: its masks.
        regions: regions in both; the first one is shown.
        background: background image.
        known: other properties of the case.
        control: receives the progress of the regions.

    Raises:
        ValueError: the masks have different shapes.
        KeyError: an unknown region.
    """
    known = known or Circumstances()
    scores = score_case(pair, tuple(regions), control)
    reference, predicted = (
        region_masks(labels, (regions[0],))[0] for labels in (pair.reference, pair.predicted)
    )
    if pair.annotated is not None:
        predicted = predicted & pair.annotated[:, None, None]
    control.check()
    turn = find_turn(pair, scores[0])
    control.check()
    return EvaluatedCase(
        scores=scores,
        pictures=_pictures(reference, predicted, background, scores[0]),
        remarks=(*known.remarks, *((turn.text,) if turn else ())),
        traits=dict(known.traits),
        fit=exchange_fit(pair, scores[0]),
        calibration=dict(known.calibration),
        synthetic=known.synthetic,
    )


def _pictures(
    reference: npt.NDArray[np.bool_],
    predicted: npt.NDArray[np.bool_],
    background: Background,
    score: CaseScore,
) -> tuple[SlicePicture, ...]:
    tumour_slices = np.logical_or(reference, predicted).any(axis=0)
    rows, columns = background.box or bounds(np.asarray(tumour_slices), _MARGIN)
    image = background.image
    pictures = []
    for role, number in informative_slices(reference, predicted).items():
        drawn, predicted_slice = reference[number], predicted[number]
        view = SliceView(
            image=_NO_IMAGE if image is None else image[number, rows, columns],
            reference=drawn[rows, columns],
            predicted=predicted_slice[rows, columns],
            pixel_mm=background.pixel_mm,
            has_world=background.has_world,
            case=score.case,
            number=number + 1,
            region=score.region,
            slice_dice=count_overlap(drawn, predicted_slice).dice,
            case_dice=score.overlap.dice,
            synthetic=False,
        )
        pictures.append(encode_slice(view, role))
    return tuple(pictures)
