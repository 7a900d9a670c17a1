"""Reason for the flag if no tumour was found."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gliomask.core.geometry import is_larger, voxel_ml
from gliomask.core.reliability import Level, Reason
from gliomask.core.slices import StackRecord
from gliomask.inference.opinions import Opinions
from gliomask.metrics.lesions import SMALLEST_MM3
from gliomask.nets.cards import ModelCard
from gliomask.nets.measures import KindFacts

LOWER = (0.5, 0.1)
"""Fractions of the threshold at which the volume is also reported."""
_MM3 = 1000.0


def empty_mask_reasons(
    card: ModelCard, known: KindFacts | None, opinions: Opinions, record: StackRecord
) -> Iterator[Reason]:
    """Reasons for a case with empty masks; none for other cases.

    The flag is at best amber, because the model was only evaluated on patients with tumours; and
    red if most of the other maps contain more than a tiny component.
    """
    if opinions.plain.any():
        return
    each = record.voxel_ml * _MM3
    most = np.sort(opinions.voxels.max(axis=1))
    against = int(is_larger(most * each, SMALLEST_MM3).sum())
    level: Level = "red" if 2 * against > len(most) else "amber"
    evidence = [
        f"largest probability {opinions.probabilities.max():.2f} (threshold {card.threshold:.2f})",
        *(_would(opinions, share * card.threshold, record) for share in LOWER),
        f"{against} of {len(most)} other maps contain more than a tiny component",
        _missed(card, known),
    ]
    yield Reason(level, "empty_mask_reasons", f"no tumour found: {'; '.join(evidence)}")


def _would(opinions: Opinions, threshold: float, record: StackRecord) -> str:
    count = int(np.count_nonzero((opinions.probabilities >= threshold).any(axis=0)))
    amount = f"{count * voxel_ml(record.affine):.2f} ml" if record.has_world else f"{count} voxels"
    return f"{amount} at {threshold:.2f} or more"


def _missed(card: ModelCard, known: KindFacts | None) -> str:
    regions = known.regions if known else {}
    regions_known = [
        region_facts for region in card.regions if (region_facts := regions.get(region))
    ]
    if not regions_known or not regions_known[0].tumours:
        return "the false-negative rate of the model was not measured"
    outer = regions_known[0]
    return f"it missed {outer.missed} of {outer.tumours} tumours in the validation"
