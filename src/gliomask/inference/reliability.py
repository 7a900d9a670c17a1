"""Reliability flag of one prediction, from all checks that need no reference.

Each check gives reasons. The reference values of a case were measured on the model's training and
validation patients and stands in its card; the few fixed numbers are constants with a docstring.
None was chosen on test patients. A card that does not hold the figures is a reason itself: then
green would promise a check that was not made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from gliomask.core.prediction import Prediction
from gliomask.core.reliability import Level, Reason, Reliability, reliability
from gliomask.core.slices import SliceStack
from gliomask.inference.empty_mask import empty_mask_reasons
from gliomask.inference.mask_checks import components, edges
from gliomask.inference.passes import Opinions, disagreement
from gliomask.inference.training_distance import distance, head_quantiles
from gliomask.jobs.control import SILENT, Control
from gliomask.nets.cards import ModelCard
from gliomask.nets.measures import KindFacts, Range

COSTLY: Final = 0.1
"""Dice that missing sequences cost from which on a case is red."""
FAR: Final = 2.0
"""How many times further than training's furthest a size or a contrast is red."""
ENOUGH: Final = 9
"""Validation patients from which on a disagreement beyond all of theirs is red. A patient like them
lies beyond n of them once in n + 1 times: fewer would make more than one in ten red by chance."""
MUCH: Final = 0.1
"""Share of what stays of a mask from which on removed fragments are amber."""
_ROUNDING: Final = 1.01
"""Headers and cards hold rounded figures: 1 % beyond the range is not outside."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that the checks look at.

    Attributes:
        card: of the model.
        stack: what it saw.
        prediction: what it said, on the grid of the input.
        opinions: what its other maps say.
        skull_stripped: whether the images are of a brain without its skull.
    """

    card: ModelCard
    stack: SliceStack
    prediction: Prediction
    opinions: Opinions
    skull_stripped: bool

    @property
    def kind(self) -> KindFacts | None:
        """Validation facts for images of this kind with these sequences, if available."""
        known = self.card.validation
        used, stripped = self.prediction.used, self.skull_stripped
        return known.kind(used, skull_stripped=stripped) if known else None

    @property
    def nearest(self) -> KindFacts | None:
        """The same, or what comes nearest to it."""
        known = self.card.validation
        used, stripped = self.prediction.used, self.skull_stripped
        return known.nearest(used, skull_stripped=stripped) if known else None


def assess(findings: Evidence, control: Control = SILENT) -> Reliability:
    """The flag of a case."""
    reasons: list[Reason] = []
    for check in _CHECKS:
        control.check()
        reasons += check(findings)
    return reliability(reasons)


def _synthetic(findings: Evidence) -> Iterator[Reason]:
    if findings.card.synthetic:
        text = "the model was trained on synthetic data: use it for tests only"
        yield Reason("red", "synthetic_model", text)


def _measured(findings: Evidence) -> Iterator[Reason]:
    lacking = _lacking(findings)
    if lacking:
        text = f"the model card does not contain {' or '.join(lacking)}: not checked"
        yield Reason("amber", "not_measured", text)


def _lacking(findings: Evidence) -> list[str]:
    """Facts that the card would need for the missing checks."""
    data, known = findings.card.training_data, findings.nearest
    lacking = []
    if data is None:
        lacking.append("the properties of the training data")
    else:
        strange = [name for name in findings.prediction.used if name not in data.intensities]
        lacking += [f"the usual intensities of {name}" for name in strange]
    for region, plain in zip(findings.card.regions, findings.opinions.plain, strict=True):
        facts = known.regions.get(region) if known else None
        if plain and not (facts and facts.disagreement):
            lacking.append(f"the usual difference of the maps of {region}")
    return lacking


def _other_kind(findings: Evidence) -> Iterator[Reason]:
    """A model that was measured on other images than these."""
    known, stripped = findings.card.validation, findings.skull_stripped
    if known is None or not known.kinds or findings.kind is not None:
        return
    what = "brains without skull" if stripped else "whole heads"
    if not known.of(skull_stripped=stripped):
        text = f"these are images of {what}; the model was evaluated on other images only"
        yield Reason("amber", "image_kind", text)
    elif not findings.prediction.missing:
        with_ = ", ".join(findings.prediction.used)
        text = f"the model was not evaluated on {what} with {with_} together"
        yield Reason("amber", "image_kind", text)


def _missing(findings: Evidence) -> Iterator[Reason]:
    prediction, known = findings.prediction, findings.card.validation
    measured = known.of(skull_stripped=findings.skull_stripped) if known else ()
    with_all = max(measured, key=lambda kind: len(kind.sequences), default=None)
    if not prediction.missing or (with_all and set(with_all.sequences) <= set(prediction.used)):
        return
    what = " and ".join(prediction.missing)
    without = findings.kind
    before, after = (facts.dice if facts else {} for facts in (with_all, without))
    costs = {region: before[region] - after[region] for region in before if region in after}
    if without is None or not costs:
        text = f"predicted without {what}; the loss of accuracy was not measured"
        yield Reason("amber", "missing_sequences", text)
        return
    level: Level = "red" if any(cost >= COSTLY for cost in costs.values()) else "amber"
    changes = "; ".join(
        f"mean Dice {after[region]:.2f} instead of {before[region]:.2f} ({region})"
        for region in costs
    )
    text = f"predicted without {what}; {without.patients} held-out patients: {changes}"
    yield Reason(level, "missing_sequences", text)


def _disagreeing(findings: Evidence) -> Iterator[Reason]:
    known = findings.nearest
    for k, region in enumerate(findings.card.regions):
        facts = known.regions.get(region) if known else None
        if not facts or not facts.disagreement or not findings.opinions.plain[k]:
            continue
        value, usual = disagreement(findings.opinions, k), facts.disagreement
        if value <= (usual.p90 if facts.alarm is None else facts.alarm):
            continue
        level: Level = "red" if value > usual.high and usual.n >= ENOUGH else "amber"
        text = (
            f"the side outputs for {region} differ from the mask by {value:.2f} (1 - mean Dice); "
            f"held-out patients: median {usual.median:.2f}, 90 % up to {usual.p90:.2f}, "
            f"largest {usual.high:.2f} (n = {usual.n})"
        )
        yield Reason(level, "maps_disagree", text)


def _sizes(findings: Evidence) -> Iterator[Reason]:
    data, record = findings.card.training_data, findings.stack.record
    if data is None:
        return
    if not record.has_world or data.slice_mm is None or data.pixel_mm is None:
        whose = "the images have" if not record.has_world else "the training data have"
        text = f"{whose} no voxel size: pixel size and slice distance were not checked"
        yield Reason("green", "sizes_unknown", text)
        return
    pixel = math.sqrt(record.pixel_mm[0] * record.pixel_mm[1])
    yield from _outside("pixel_size", "pixel size", pixel, data.pixel_mm)
    yield from _outside("slice_distance", "distance between slices", record.slice_mm, data.slice_mm)


def _outside(code: str, what: str, size: float, usual: Range) -> Iterator[Reason]:
    """By how much a size lies outside training's range, as a factor."""
    factor = max(size / usual.high, usual.low / size)
    if factor > _ROUNDING:
        level: Level = "red" if factor > FAR else "amber"
        text = (
            f"the {what} is {size:.2f} mm; in training it was {usual.low:.2f} to "
            f"{usual.high:.2f} mm (n = {usual.n})"
        )
        yield Reason(level, code, text)


def _contrast(findings: Evidence) -> Iterator[Reason]:
    data = findings.card.training_data
    quantiles = head_quantiles(findings.stack) if data else {}
    for name in findings.prediction.used:
        known = data.intensities.get(name) if data else None
        if known is None or known.distance is None or name not in quantiles:
            continue
        value, usual = distance(quantiles[name], known), known.distance
        if value > _ROUNDING * usual.high:
            level: Level = "red" if value > FAR * usual.high else "amber"
            text = (
                f"the intensities of {name} differ from the training data: distance {value:.1f}, "
                f"training's cases lie at {usual.low:.1f} to {usual.high:.1f} (n = {usual.n})"
            )
            yield Reason(level, "intensities", text)


def _removed(findings: Evidence) -> Iterator[Reason]:
    """Fragments that the clean-up removed."""
    prediction = findings.prediction
    for region, before in zip(findings.card.regions, findings.opinions.plain, strict=True):
        kept = prediction.voxels[region]
        if before - kept >= MUCH * kept and before > kept:
            text = (
                f"removed fragments of {region} separate from the main tumour, "
                f"{(before - kept) / before:.0%} of the mask: one may be a second tumour"
            )
            yield Reason("amber", "fragments_removed", text)


def _mask(findings: Evidence) -> Iterator[Reason]:
    prediction, record = findings.prediction, findings.stack.record
    yield from components(prediction)
    yield from edges(prediction.mask > 0, record)


def _nothing(findings: Evidence) -> Iterator[Reason]:
    yield from empty_mask_reasons(
        findings.card, findings.nearest, findings.opinions, findings.stack.record
    )


_CHECKS: Final[tuple[Callable[[Evidence], Iterator[Reason]], ...]] = (
    _synthetic,
    _measured,
    _other_kind,
    _missing,
    _disagreeing,
    _sizes,
    _contrast,
    _removed,
    _mask,
    _nothing,
)
