"""Specifications of the networks as tables of numbers.

Qin et al., "U²-Net: Going deeper with nested U-structure for salient object detection", Pattern
Recognition 106 (2020). The topology is the same for all; only the widths differ. Nothing here
needs torch, so a model card can be checked without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat
from types import MappingProxyType
from typing import Final

from gliomask.errors import ConfigError, nearest

TORCH_EPSILON: Final = 1e-5
"""Added to the variance in a batch norm, as PyTorch has it; Keras has 1e-3."""
_HEIGHTS: Final = (7, 6, 5, 4, 4, 4)
"""Heights of the six encoder blocks; the decoder mirrors the first five."""
_FIRST_DILATED: Final = 5
"""First stage (counted from 1) with dilated blocks, because its maps are too small for pooling."""


@dataclass(frozen=True)
class RSUSpec:
    """One residual U-block.

    Args:
        height: number of encoder convolutions of the inner U (the 7 of RSU-7), at least 2.
        mid: channels inside the U.
        out: channels that leave the block.
        dilated: the inner U keeps the resolution and widens its dilation instead of pooling (the
            F of RSU-4F).
    """

    height: int
    mid: int
    out: int
    dilated: bool = False

    def pools(self, level: int) -> bool:
        """Return True if a level begins with pooling; the bottom level does not."""
        return not self.dilated and level < self.height

    @property
    def down_dilations(self) -> tuple[int, ...]:
        """Dilations of the encoder convolutions, the top first: 1, 2, 4, 8 or 1, 1, ..., 2."""
        if self.dilated:
            return tuple(2**level for level in range(self.height))
        return (*repeat(1, self.height - 1), 2)

    @property
    def up_dilations(self) -> tuple[tuple[int, int], ...]:
        """(level, dilation) of the decoder convolutions, the deepest first."""
        levels = range(self.height - 1, 0, -1)
        return tuple((level, 2 ** (level - 1) if self.dilated else 1) for level in levels)


@dataclass(frozen=True)
class U2NetSpec:
    """One network: six encoder blocks, and five decoder blocks from the deepest to the first."""

    name: str
    encoder: tuple[RSUSpec, ...]
    decoder: tuple[RSUSpec, ...]


Width = tuple[int, int]
"""(channels inside the block, channels that leave it)."""


def _u2net(name: str, encoder: tuple[Width, ...], decoder: tuple[Width, ...]) -> U2NetSpec:
    """The paper's topology with the widths given, in the order in which data flows."""
    stages = tuple(range(1, 7))

    def block(stage: int, width: Width) -> RSUSpec:
        return RSUSpec(_HEIGHTS[stage - 1], *width, dilated=stage >= _FIRST_DILATED)

    return U2NetSpec(
        name,
        tuple(map(block, stages, encoder)),
        tuple(map(block, reversed(stages[:5]), decoder)),
    )


U2NET: Final = _u2net(
    "u2net",
    encoder=((32, 64), (32, 128), (64, 256), (128, 512), (256, 512), (256, 512)),
    decoder=((256, 512), (128, 256), (64, 128), (32, 64), (16, 64)),
)
"""The paper's large network: 44,009,869 parameters for 3 channels and 1 region."""

U2NETP: Final = _u2net(
    "u2netp", encoder=tuple(repeat((16, 64), 6)), decoder=tuple(repeat((16, 64), 5))
)
"""The paper's small network: 1,131,181 parameters for 3 channels and 1 region."""

U2NET_TINY: Final = _u2net(
    "u2net-tiny",
    encoder=((4, 8), (4, 8), (8, 16), (8, 16), (8, 16), (8, 16)),
    decoder=((8, 16), (8, 16), (8, 16), (4, 8), (4, 8)),
)
"""A tiny network for tests and the demo: 96,469 parameters for 3 channels and 1 region.

A 33rd of U2NETP's arithmetic. Widths are multiples of 4 and 8 because the CPU kernels work in such
blocks.
"""

SPECS: Final[Mapping[str, U2NetSpec]] = MappingProxyType(
    {spec.name: spec for spec in (U2NET, U2NETP, U2NET_TINY)}
)
"""All networks by name."""


def find_spec(name: str) -> U2NetSpec:
    """Find a network by name.

    Raises:
        ConfigError: the network is unknown; the message lists the names and the nearest.
    """
    if name in SPECS:
        return SPECS[name]
    raise ConfigError(
        "unknown network",
        field="network",
        found=name,
        allowed=", ".join(SPECS),
        hint=nearest(name, SPECS),
    )
