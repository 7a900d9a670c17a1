"""Statistics of the measured held-out cases for the model card, for each kind of image.

A patient counts once in each kind, with the first case (by id), because cases of one patient are
not exchangeable with those of another.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from gliomask.core.regions import REGIONS
from gliomask.evaluation.measurement import (
    MOST_SLICES,
    RULES,
    MeasuredCase,
    SequenceMeasurement,
    Sequences,
)
from gliomask.inference.alarm import alarm_limit
from gliomask.inference.uncertainty import doubt_of_counts, fit_volumes, spread
from gliomask.nets.measures import (
    CleanUp,
    KindFacts,
    RegionFacts,
    ValidationFacts,
    range_of,
)

_RARE: Final = 0.05
"""Share of the cases with the same sequences below which a kind of image is left out: they may
be images whose kind was detected wrongly (one of 57 brains is taken for a whole head)."""

_Kind = tuple[bool, Sequences]
_Group = tuple[Sequences | None, str]
"""Sequences, None for all that a case has, and a region."""


def validation_facts(
    cases: Sequence[MeasuredCase], temperature: float, clean_up: CleanUp | None
) -> ValidationFacts:
    """Compute the validation facts of a model card, without the cases of a rare kind of image.

    Args:
        cases: one or more cases, sorted by id.
        temperature: temperature that was fitted on them.
        clean_up: rule that was chosen on them.
    """
    rule, by_kind = RULES.index(clean_up), _by_kind(_without_rare(cases))
    alarms = _alarms(by_kind, rule)
    kinds = [
        _facts(kind, list(measurements.values()), temperature, rule, alarms)
        for kind, measurements in sorted(by_kind.items(), key=_order)
    ]
    return ValidationFacts(
        patients=len({case.patient for case in cases}), ways=cases[0].ways, kinds=tuple(kinds)
    )


def _without_rare(cases: Sequence[MeasuredCase]) -> list[MeasuredCase]:
    """The cases without those of a rare kind of image among the cases with the same sequences."""
    kinds = [(case.skull_stripped, next(iter(case.measurements))) for case in cases]
    count = Counter(kinds)
    return [
        case
        for case, kind in zip(cases, kinds, strict=True)
        if count[kind] >= _RARE * (count[kind] + count[not kind[0], kind[1]])
    ]


def _by_kind(
    cases: Sequence[MeasuredCase],
) -> dict[_Kind, dict[str, tuple[SequenceMeasurement, bool]]]:
    """Kind -> patient -> the first measurement, and whether it is of the whole case."""
    measurements: dict[_Kind, dict[str, tuple[SequenceMeasurement, bool]]] = defaultdict(dict)
    for case in cases:
        for sequences, measurement in case.measurements.items():
            of_kind = measurements[case.skull_stripped, sequences]
            of_kind.setdefault(case.patient, (measurement, measurement is case.full))
    return measurements


def _order(item: tuple[_Kind, Mapping[str, object]]) -> tuple[bool, int, int, Sequences]:
    """Sort key: whole heads first, then by the number of sequences and of patients."""
    (stripped, sequences), measurements = item
    return stripped, -len(sequences), -len(measurements), sequences


def _alarms(
    by_kind: Mapping[_Kind, Mapping[str, tuple[SequenceMeasurement, bool]]], rule: int
) -> dict[_Group, float | None]:
    """Limits of the disagreement, over both kinds of image together.

    The disagreement of a mask of a given Dice is alike on both, and one kind alone has too few
    poor masks. Cases with all their sequences are one group, each smaller set of them another.
    Masks of which the clean-up removed much are flagged anyway.
    """
    rows: dict[_Group, list[tuple[float, float]]] = defaultdict(list)
    for (_, sequences), measurements in by_kind.items():
        full = all(full for _, full in measurements.values())
        for measurement, _ in measurements.values():
            for region, volumes in measurement.volumes.items():
                k = min(rule, len(volumes.plain) - 1)
                dice = volumes.dice[k]
                if volumes.plain[k] and dice is not None:
                    group = None if full else sequences, region
                    flagged_anyway = measurement.removed_much[k]
                    apart = math.inf if flagged_anyway else volumes.disagreement
                    rows[group].append((apart, dice))
    return {
        group: alarm_limit([apart for apart, _ in pairs], [dice for _, dice in pairs])
        for group, pairs in rows.items()
    }


def _facts(
    kind: _Kind,
    measurements: Sequence[tuple[SequenceMeasurement, bool]],
    temperature: float,
    rule: int,
    alarms: Mapping[_Group, float | None],
) -> KindFacts:
    stripped, sequences = kind
    full = all(full for _, full in measurements)
    known = {
        region
        for measurement, _ in measurements
        for region in (*measurement.counts, *measurement.unlabelled)
    }
    facts = {
        region: _region(measurements, region, temperature, rule)
        for region in REGIONS
        if region in known
    }
    limits = {region: alarms.get((None if full else sequences, region)) for region in facts}
    return KindFacts(
        skull_stripped=stripped,
        sequences=sequences,
        patients=sum(bool(measurement.volumes) for measurement, _ in measurements)
        or len(measurements),
        slices_per_case=None if full else MOST_SLICES,
        regions={
            region: item if item.dice is None else item.model_copy(update={"alarm": limits[region]})
            for region, item in facts.items()
        },
    )


def _region(
    measurements: Sequence[tuple[SequenceMeasurement, bool]],
    region: str,
    temperature: float,
    rule: int,
) -> RegionFacts:
    of_region = [
        (measurement, full) for measurement, full in measurements if region in measurement.volumes
    ]
    volumes = [measurement.volumes[region] for measurement, _ in of_region]
    places = [min(rule, len(volumes_of_case.plain) - 1) for volumes_of_case in volumes]
    plain = [volumes_of_case.plain[k] for volumes_of_case, k in zip(volumes, places, strict=True)]
    dices = [volumes_of_case.dice[k] for volumes_of_case, k in zip(volumes, places, strict=True)]
    spreads = [
        spread(n, volumes_of_case.others, doubt_of_counts(measurement.counts[region], temperature))
        for n, volumes_of_case, (measurement, _) in zip(plain, volumes, of_region, strict=True)
    ]
    tumours = [
        n for n, volumes_of_case in zip(plain, volumes, strict=True) if volumes_of_case.true > 0
    ]
    known = [dice for dice in dices if dice is not None]
    unlabelled = [
        apart
        for measurement, _ in measurements
        if (apart := measurement.unlabelled.get(region)) is not None
    ]
    disagreements = [v.disagreement for n, v in zip(plain, volumes, strict=True) if n]
    return RegionFacts(
        tumours=len(tumours),
        missed=sum(n == 0 for n in tumours),
        dice=round(float(np.mean(known)), 6) if known else None,
        disagreement=range_of(disagreements or unlabelled),
        # Without a reference only what exceeds all held-out patients stands out.
        alarm=None if volumes else max(unlabelled, default=None),
        volume=fit_volumes(plain, [volumes_of_case.true for volumes_of_case in volumes], spreads),
    )
