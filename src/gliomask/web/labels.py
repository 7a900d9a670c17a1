"""Labels in the masks of a model, with names and colours for clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from gliomask.config import Options
from gliomask.core.regions import REGIONS, margin_title, region_numbers


class MaskLabel(Options):
    """A label in a mask."""

    value: int
    """Number in the mask."""
    name: str
    """Title: the region without its inner regions."""
    region: str
    """Region of its voxels, outside the inner regions."""
    colour: str
    """``#RRGGBB``."""


def mask_labels(regions: Sequence[str]) -> tuple[MaskLabel, ...]:
    """Labels in masks of these regions, sorted by number."""
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
    """Labels with voxels in a mask.

    Args:
        labels: of the model.
        voxels: region -> its voxels, with those of the regions inside it.
    """
    nested = [name for name in REGIONS if name in voxels]
    inner = dict(pairwise(nested))
    own = {name: voxels[name] - voxels.get(inner.get(name, ""), 0) for name in nested}
    return tuple(label for label in labels if own.get(label.region, 0) > 0)
