"""Evaluation of one case: scores, representative slices, suspicious masks.

``evaluate`` and ``score`` both end here, so that their folders and reports are the same.
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
from gliomask.report.evaluation.pictures import SlicePicture, encode_slice, telling_slices
from gliomask.report.panels import SliceView
from gliomask.report.slices import bounds
from gliomask.statistics.logit_counts import LogitCounts

Trait = str | float | None
"""What is known of a patient besides the scores: a site, a slice thickness."""

_MARGIN = 24
"""Pixels shown around the masks where no image tells how far the head goes."""
_NO_IMAGE = np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class EvaluatedCase:
    """All that is kept of a case once its volumes are let go; it can be written as JSON.

    Attributes:
        scores: a row for each region.
        pictures: its most telling slices.
        remarks: what looks wrong, in sentences.
        traits: what is known of it.
        fit: where its masks are, roughly; finds masks that were exchanged. None where only some
            slices were annotated.
        calibration: region -> its voxels by what the network says of them; empty where only masks
            are known.
        synthetic: it is a phantom.
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
    """The image that the masks of a case are shown on.

    Attributes:
        image: (S, H, W) of one sequence in the reading frame, the masks' own grid; None if only
            masks are known.
        pixel_mm: (row, column) spacing, (1, 1) where it is not known.
        has_world: whether the patient's sides are known.
        box: (rows, columns) that hold the head; None shows what is around the masks.
    """

    image: npt.NDArray[np.floating] | None
    pixel_mm: tuple[float, float]
    has_world: bool
    box: tuple[slice, slice] | None = None


@dataclass(frozen=True)
class Circumstances:
    """Facts of a case besides its masks; see ``EvaluatedCase``."""

    traits: Mapping[str, Trait] = field(default_factory=lambda: MappingProxyType({}))
    calibration: Mapping[str, LogitCounts] = field(default_factory=lambda: MappingProxyType({}))
    remarks: tuple[str, ...] = ()
    synthetic: bool = False


def judge(
    pair: MaskPair,
    regions: Sequence[str],
    background: Background,
    known: Circumstances | None = None,
    control: Control = SILENT,
) -> EvaluatedCase:
    """Judges the masks of one case.

    Args:
        pair: its masks.
        regions: in both; the first one is shown.
        background: what they are shown on.
        known: what else is known of the case.
        control: reports the regions scored.

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
    for role, number in telling_slices(reference, predicted).items():
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
