"""The measured validation cases as what a card holds of them.

A patient counts once: of several cases the first one (by id) stands for the volumes and the
disagreement, for cases of one patient are not exchangeable with those of another.
"""

from __future__ import annotations

from collections.abc import Sequence

from gliomask.inference.uncertainty import doubt_of_counts, fit_volumes, spread
from gliomask.nets.cards import ModelCard
from gliomask.nets.measures import RegionValidation, SubsetDice, ValidationFacts, range_of
from gliomask.workflows.measuring import MOST_SLICES, SHARES, MeasuredCase, means, subsets_of


def validation_facts(
    cases: Sequence[MeasuredCase], card: ModelCard, temperature: float, smallest_part: float
) -> ValidationFacts:
    """What the card holds.

    Args:
        cases: one or more, in order of their ids.
        card: of the model.
        temperature: that was fitted on them; smallest_part: that was chosen on them.
    """
    share = SHARES.index(smallest_part)
    first = {case.patient: case for case in reversed(cases)}
    patients = [first[patient] for patient in sorted(first)]
    return ValidationFacts(
        patients=len(patients),
        ways=cases[0].ways,
        regions={r: _region(patients, r, temperature, share) for r in card.regions},
        subsets=_subsets(patients, card),
    )


def _region(
    patients: Sequence[MeasuredCase], region: str, temperature: float, share: int
) -> RegionValidation:
    held = [case for case in patients if region in case.volumes]
    volumes = [case.volumes[region] for case in held]
    plain = [one.plain[share] for one in volumes]
    spreads = [
        spread(n, one.others, doubt_of_counts(case.counts[region], temperature))
        for n, case, one in zip(plain, held, volumes, strict=True)
    ]
    tumours = [n for n, one in zip(plain, volumes, strict=True) if one.true > 0]
    return RegionValidation(
        tumours=len(tumours),
        missed=sum(n == 0 for n in tumours),
        disagreement=range_of([v.disagreement for n, v in zip(plain, volumes, strict=True) if n]),
        volume=fit_volumes(plain, [one.true for one in volumes], spreads),
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
