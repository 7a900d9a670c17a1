"""``core.regions.labels_of_regions`` as nodes: from probabilities to the numbers of a mask."""

from __future__ import annotations

import numpy as np

from gliomask.core.regions import region_numbers
from gliomask.export.nodes import Nodes, Value
from gliomask.nets.cards import ModelCard


def labels(nodes: Nodes, card: ModelCard, probabilities: Value) -> Value:
    """(R, S, H, W) float32 to (S, H, W) uint8 at the card's threshold."""
    region_masks = nodes.add("GreaterOrEqual", probabilities, np.float32(card.threshold))
    mask = nodes.constant(np.uint8(0))
    for region, number in region_numbers(card.regions).items():
        inside = nodes.add("Gather", region_masks, np.int64(card.regions.index(region)), axis=0)
        mask = nodes.add("Where", inside, np.uint8(number), mask)
    return mask
