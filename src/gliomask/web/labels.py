"""The numbers in the masks of a model, for clients that show them by name and colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from gliomask.config import Options
from gliomask.core.regions import REGIONS, margin_title, region_numbers


class MaskLabel(Options):
    """A number in a mask: what the voxels that have it are."""

    value: int
    """The number."""
    name: str
    """Of these voxels: their region without the regions inside it."""
    region: str
    """The region that they belong to and no region inside it."""
    colour: str
    """``#RRGGBB``."""


def mask_labels(regions: Sequence[str]) -> tuple[MaskLabel, ...]:
    """The labels in masks of these regions, in the order of their numbers."""
    labels = (
        MaskLabel(
            value=number,
            name=margin_title(region, regions),
            region=region,
            colour=REGIONS[region].colour,
        )
        for region, number in region_numbers(regions).items()
    )
    return tuple(sorted(labels, key=lambda label: label.value))


def labels_present(labels: Sequence[MaskLabel], voxels: Mapping[str, int]) -> tuple[MaskLabel, ...]:
    """The labels of which a mask has voxels.

    Args:
        labels: of the model.
        voxels: region -> its voxels, with those of the regions inside it.
    """
    nested = [name for name in REGIONS if name in voxels]
    inner = dict(pairwise(nested))
    own = {name: voxels[name] - voxels.get(inner.get(name, ""), 0) for name in nested}
    return tuple(label for label in labels if own.get(label.region, 0) > 0)
