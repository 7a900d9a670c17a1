"""A small made-up evaluation, for tests of what is drawn and written of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gliomask.metrics.scores import CaseScore, MaskPair, score_case
from gliomask.report.evaluation.pictures import SlicePicture, encode_slice, informative_slices
from gliomask.report.panels import SliceView
from gliomask.statistics.analysis import Analysis, Probabilities, analyse
from gliomask.statistics.logit_counts import count_probabilities

SHAPE = (6, 24, 20)
SPACING = (3.0, 1.0, 1.0)


def block(start: int, side: int) -> npt.NDArray[np.uint8]:
    """Labels with one cube of oedema (2) that holds a smaller one that enhances (3)."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:4, start : start + side, 4 : 4 + side] = 2
    labels[2, start + 1 : start + side - 1, 5 : 3 + side] = 3
    return labels


def pair(case: str, shift: int, side: int = 8, *, world: bool = True) -> MaskPair:
    """A prediction that is shifted by so many rows."""
    return MaskPair(
        case=case,
        patient=case,
        reference=block(3, side),
        predicted=block(3 + shift, side),
        annotated=None,
        voxel_ml=0.003 if world else None,
        spacing_mm=SPACING if world else None,
    )


def scores(
    cases: Sequence[str], regions: tuple[str, ...] = ("whole", "enhancing"), *, world: bool = True
) -> list[CaseScore]:
    """Cases that get better from the first to the last."""
    found: list[CaseScore] = []
    for number, case in enumerate(cases):
        one = pair(case, shift=len(cases) - 1 - number, side=6 + number % 4, world=world)
        found += score_case(one, regions)
    return found


def analysis(cases: Sequence[str], *, world: bool = True) -> Analysis:
    """Everything that can be worked out, groups and calibration too."""
    rng = np.random.default_rng(0)
    said = rng.random((50, 50)).astype(np.float32)
    counts = count_probabilities(said, rng.random((50, 50)) < said)
    traits = {case: {"site": "AB"[k % 2]} for k, case in enumerate(cases)}
    return analyse(scores(cases, world=world), traits, {"whole": Probabilities(counts, 2.0)})


def pictures(case: str, shift: int = 2, *, image: bool = True) -> tuple[SlicePicture, ...]:
    """The telling slices of a case."""
    reference, predicted = block(3, 8) > 0, block(3 + shift, 8) > 0
    grey = np.random.default_rng(1).random(SHAPE) if image else np.zeros((0, 0, 0))
    return tuple(
        encode_slice(
            SliceView(
                image=grey[number] if image else np.zeros((0, 0)),
                reference=reference[number],
                predicted=predicted[number],
                pixel_mm=(1.0, 1.0),
                has_world=True,
                case=case,
                number=number + 1,
                region="whole",
                slice_dice=0.5,
                case_dice=0.5,
                synthetic=True,
            ),
            role,
        )
        for role, number in informative_slices(reference, predicted).items()
    )
