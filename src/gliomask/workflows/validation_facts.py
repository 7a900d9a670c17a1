"""The measured validation cases as what a card holds of them.

A patient counts once: of several cases the first one (by id) stands for the volumes and the
disagreement, for cases of one patient are not exchangeable with those of another.
"""

from __future__ import annotations

from collections.abc import Sequence

from gliomask.inference.uncertainty import doubt_of_counts, fit_volumes, spread
from gliomask.nets.cards import ModelCard
from gliomask.nets.measures import RegionValidation, SubsetDice, ValidationFacts, range_of
from gliomask.workflows.measuring import MOST_SLICES, MeasuredCase, means, subsets_of


def validation_facts(
    cases: Sequence[MeasuredCase], card: ModelCard, temperature: float
) -> ValidationFacts:
    """What the card holds.

    Args:
        cases: one or more, in order of their ids.
        card: of the model.
        temperature: that was fitted on them.
    """
    first = {case.patient: case for case in reversed(cases)}
    patients = [first[patient] for patient in sorted(first)]
    return ValidationFacts(
        patients=len(patients),
        ways=cases[0].ways,
        regions={region: _region(patients, region, temperature) for region in card.regions},
        subsets=_subsets(patients, card),
    )


def _region(patients: Sequence[MeasuredCase], region: str, temperature: float) -> RegionValidation:
    held = [case for case in patients if region in case.volumes]
    volumes = [case.volumes[region] for case in held]
    spreads = [
        spread(one.plain, one.others, doubt_of_counts(case.counts[region], temperature))
        for case, one in zip(held, volumes, strict=True)
    ]
    tumours = [one for one in volumes if one.true > 0]
    return RegionValidation(
        tumours=len(tumours),
        missed=sum(one.plain == 0 for one in tumours),
        disagreement=range_of([one.disagreement for one in volumes if one.plain > 0]),
        volume=fit_volumes([one.plain for one in volumes], [one.true for one in volumes], spreads),
    )


def _subsets(patients: Sequence[MeasuredCase], card: ModelCard) -> tuple[SubsetDice, ...]:
    held = [case.subsets for case in patients if case.subsets]
    if not held:
        return ()
    return tuple(
        SubsetDice(
            sequences=subset,
            dice=means([one[subset] for one in held]),
            patients=len(held),
            slices_per_case=MOST_SLICES,
        )
        for subset in (card.sequences, *subsets_of(card))
    )
