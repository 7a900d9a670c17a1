"""``core.labels.labels_of_regions`` as nodes: from probabilities to the numbers of a mask."""

from __future__ import annotations

import numpy as np

from gliomask.core.labels import labels_of_regions
from gliomask.export.nodes import Nodes, Value
from gliomask.nets.cards import ModelCard

_FROM_OUTSIDE = ("whole", "core", "enhancing")


def label_of(card: ModelCard, region: str) -> int:
    """The number in the mask of a voxel whose innermost region this is."""
    alone = np.array([[name == region] for name in card.regions])
    return int(labels_of_regions(alone, card.regions)[0])


def labels(nodes: Nodes, card: ModelCard, probabilities: Value) -> Value:
    """(R, S, H, W) float32 to (S, H, W) uint8 at the card's threshold."""
    found = nodes.add("GreaterOrEqual", probabilities, np.float32(card.threshold))
    mask = nodes.constant(np.uint8(0))
    for region in _FROM_OUTSIDE:
        if region in card.regions:
            at = np.int64(card.regions.index(region))
            inside = nodes.add("Gather", found, at, axis=0)
            mask = nodes.add("Where", inside, np.uint8(label_of(card, region)), mask)
    return mask
