"""Number of arithmetic operations of a network, from its specification.

Only convolutions are counted: pooling, norms and interpolations are a few thousandths of them, and
norms are folded into convolutions. One multiply-add counts once (a MAC); in FLOP it counts as two.
"""

from __future__ import annotations

import math
import re
from typing import Final

from gliomask.nets.entries import weight_entries
from gliomask.nets.specs import RSUSpec, U2NetSpec

_PLACE: Final = re.compile(r"(stage|side|outconv)(\d?)(d?)(?:\.rebnconv(in|\d+)d?)?\b")


def count_macs(spec: U2NetSpec, in_channels: int, regions: int, size: int) -> int:
    """Multiply-adds of one square slice with so many pixels a side."""
    macs = 0
    for name, entry in weight_entries(spec, in_channels, regions).items():
        if name.endswith(".weight") and len(entry.shape) == 4:
            side = _side(spec, name, size)
            macs += math.prod(entry.shape) * side * side
    return macs


def _side(spec: U2NetSpec, name: str, size: int) -> int:
    """Pixels a side of what a convolution gives."""
    place = _PLACE.match(name)
    if place is None:
        raise ValueError(name)
    kind, stage, decoder, level = place.groups()
    if kind == "outconv":
        return size
    halvings = int(stage) - 1
    if kind == "stage" and level != "in":
        halvings += _pools(_block(spec, int(stage), bool(decoder)), int(level))
    for _ in range(halvings):
        size = math.ceil(size / 2)
    return size


def _block(spec: U2NetSpec, stage: int, decoder: bool) -> RSUSpec:
    """The decoder's blocks come from the deepest to the first."""
    return spec.decoder[-stage] if decoder else spec.encoder[stage - 1]


def _pools(block: RSUSpec, level: int) -> int:
    """Pools of the block above a level."""
    return sum(block.pools(depth) for depth in range(2, level + 1))
