"""Reliability flag of one prediction, from all checks that need no reference.

Each check gives reasons. The reference values were measured on the model's training and held-out
patients and are in its card; the few fixed numbers are constants with a docstring. A model that was
never measured is amber, because green would imply a check that was not made. A single value that
the card lacks is stated, but is no reason for concern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from gliomask.core.regions import REGIONS
from gliomask.core.reliability import Level, Reason, Reliability, reliability
from gliomask.inference.alarm import POOR
from gliomask.inference.clean_up import removed_much
from gliomask.inference.empty_mask import empty_mask_reasons
from gliomask.inference.evidence import Evidence
from gliomask.inference.mask_checks import components, edges
from gliomask.inference.opinions import disagreement
from gliomask.jobs.control import SILENT, Control

COSTLY: Final = 0.1
"""Loss of Dice of any region due to missing sequences from which a case is amber. It is red where
the mean Dice of the outermost region is poor without them."""
FAR: Final = 2.0
"""Factor beyond the range of the training data from which a size or a contrast is red."""
ENOUGH: Final = 9
"""Validation patients from which on a disagreement beyond all of theirs is red. A patient like them
lies beyond n of them once in n + 1 times: fewer would make more than one in ten red by chance."""


def assess(findings: Evidence, control: Control = SILENT) -> Reliability:
    """Compute the flag of a case."""
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
    """Checks that the card has no values for: all of them together are a reason to look."""
    card, known = findings.card, findings.card.validation
    outer = card.regions[0]
    if card.training_data is None or not known or not known.measured(outer):
        text = "the model was not calibrated: how reliable its masks are was not measured"
        yield Reason("amber", "not_measured", text)
    elif lacking := _lacking(findings):
        text = f"not checked, because the model card has no values: {', '.join(lacking)}"
        yield Reason("green", "not_checked", text)


def _lacking(findings: Evidence) -> list[str]:
    """Checks of this case that the card has no values for."""
    data = findings.card.training_data
    used = findings.prediction.used
    lacking = [f"intensities of {name}" for name in used if data and name not in data.intensities]
    for region, plain in zip(findings.card.regions, findings.opinions.plain, strict=True):
        if plain and not findings.usual_disagreement(region):
            lacking.append(f"difference of the side outputs for {region}")
    return lacking


def _other_kind(findings: Evidence) -> Iterator[Reason]:
    """Reason if the outermost region was not evaluated on this kind of image.

    Never green without an evaluation: every case without one gets this reason, or, if the model has
    none at all, that of ``_measured``.
    """
    known, stripped = findings.card.validation, findings.skull_stripped
    outer = findings.card.regions[0]
    facts = findings.kind.regions.get(outer) if findings.kind else None
    if known is None or not known.kinds or (facts and facts.tumours):
        return
    what = "skull-stripped brains" if stripped else "whole heads"
    with_ = ", ".join(findings.prediction.used)
    if not known.of(skull_stripped=stripped):
        text = f"these are images of {what}; the model was evaluated on other images only"
    elif findings.kind is None:
        text = f"the model was not evaluated on {what} with exactly {with_}"
    else:
        text = f"{REGIONS[outer].title} was not evaluated on {what} with {with_}"
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
    outer = after.get(findings.card.regions[0], 1.0)
    costly = any(cost >= COSTLY for cost in costs.values())
    level: Level = "red" if outer < POOR else "amber" if costly else "green"
    changes = "; ".join(
        f"mean Dice {after[region]:.2f} instead of {before[region]:.2f} ({region})"
        for region in costs
    )
    text = f"predicted without {what}; {without.patients} held-out patients: {changes}"
    yield Reason(level, "missing_sequences", text)


def _disagreeing(findings: Evidence) -> Iterator[Reason]:
    """Unusual disagreement. The flag is that of the outermost region; others are for information,
    because too few of their masks are good enough to choose a limit for a flag on."""
    for k, region in enumerate(findings.card.regions):
        facts = findings.usual_disagreement(region)
        if not facts or not facts.disagreement or not findings.opinions.plain[k]:
            continue
        value, usual = disagreement(findings.opinions, k), facts.disagreement
        limit = usual.p90 if facts.alarm is None else facts.alarm
        if value <= limit:
            continue
        text = (
            f"{REGIONS[region].title}: the network's side outputs differ from the mask by "
            f"{value:.2f} (1 - mean Dice), more than {limit:.2f}; held-out patients: median "
            f"{usual.median:.2f}, largest {usual.high:.2f} (n = {usual.n})"
        )
        if k > 0:
            text += f"; the flag is that of the {REGIONS[findings.card.regions[0]].title}"
        beyond_all = value > usual.high and usual.n >= ENOUGH
        level: Level = "green" if k else "red" if beyond_all else "amber"
        yield Reason(level, "maps_disagree" if k == 0 else "inner_maps_disagree", text)


def _sizes(findings: Evidence) -> Iterator[Reason]:
    data, record = findings.card.training_data, findings.stack.record
    if data is None:
        return
    if not record.has_world or data.slice_mm is None or data.pixel_mm is None:
        whose = "the images have" if not record.has_world else "part of the training data has"
        text = f"{whose} no voxel size: pixel size and slice distance were not checked"
        yield Reason("green", "sizes_unknown", text)
    for outlier in findings.strange_sizes:
        level: Level = "red" if outlier.factor > FAR else "amber"
        text = (
            f"the {outlier.what} is {outlier.value:.2f} mm; in the training data it was "
            f"{outlier.usual.low:.2f} to {outlier.usual.high:.2f} mm (n = {outlier.usual.n})"
        )
        yield Reason(level, outlier.code, text)


def _contrast(findings: Evidence) -> Iterator[Reason]:
    for outlier in findings.strange_intensities:
        level: Level = "red" if outlier.factor > FAR else "amber"
        text = (
            f"the {outlier.what} differ from the training data: distance {outlier.value:.1f}, "
            f"known cases lie at {outlier.usual.low:.1f} to {outlier.usual.high:.1f} "
            f"(n = {outlier.usual.n})"
        )
        yield Reason(level, outlier.code, text)


def _no_interval(findings: Evidence) -> Iterator[Reason]:
    """Volumes without a calibrated interval, and why."""
    known = findings.card.validation
    without = [name for name, interval in findings.intervals.items() if not interval.calibrated]
    if not without or known is None or not known.kinds:
        return
    if findings.strange:
        why = f"these images differ from all known cases ({findings.strange})"
    else:
        why = f"too few volumes were measured on {findings.images}"
    yield Reason("green", "no_interval", f"no 90 % interval for {', '.join(without)}: {why}")


def _removed(findings: Evidence) -> Iterator[Reason]:
    """Fragments that the clean-up removed."""
    prediction = findings.prediction
    for region, before in zip(findings.card.regions, findings.opinions.plain, strict=True):
        kept = prediction.voxels[region]
        if removed_much(before, kept):
            text = (
                f"removed fragments of {REGIONS[region].title} separate from the main tumour, "
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
    _no_interval,
    _removed,
    _mask,
    _nothing,
)
