"""Adaptation of weights to another number of input channels and regions.

Only the first convolution and the output heads depend on these numbers. The function of the network
is preserved: if the sequences are known, each keeps its weights and the weights of a new one start
at zero; otherwise the output for a grey image is the same as before. Each region starts as a copy
of the original one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gliomask.nets.u2net import DEPTH
from gliomask.nets.weights import entry_of

FIRST_WEIGHT: Final = "stage1.rebnconvin.conv_s1.weight"
_FUSION: Final = "outconv.weight"
_HEADS: Final = frozenset(
    f"{head}.{part}"
    for head in ("outconv", *(f"side{k}" for k in range(1, DEPTH + 1)))
    for part in ("weight", "bias")
)


def is_output(name: str) -> bool:
    """Return True for an entry of an output layer, which has one row per region."""
    return name in _HEADS


@dataclass(frozen=True)
class Adaptation:
    """An adapted entry of the weights.

    Attributes:
        name: in the state dict.
        found: its shape and dtype in the file.
        made: its shape and dtype in the network.
        how: description of the change.
    """

    name: str
    found: str
    made: str
    how: str


@dataclass(frozen=True)
class ChannelMap:
    """Input channels by name, if known for both sides.

    Attributes:
        found: sequences of the weights, in order.
        made: sequences of the network, in order.
    """

    found: tuple[str, ...]
    made: tuple[str, ...]


def fit_weights(
    source: dict[str, Tensor], fresh: dict[str, Tensor], channels: ChannelMap | None = None
) -> tuple[dict[str, Tensor], tuple[Adaptation, ...]]:
    """Adapt the tensors that have a rule; also return the changes."""
    tensors, changes = dict(source), []
    for name, value in source.items():
        by_name = None
        if name == FIRST_WEIGHT and channels and value.shape[1] == len(channels.found):
            by_name = _match(value, channels)
        rule = by_name or _rule(name, value, fresh[name])
        if rule is None:
            continue
        tensors[name], how = rule
        changes.append(Adaptation(name, str(entry_of(value)), str(entry_of(tensors[name])), how))
    return tensors, tuple(changes)


def _rule(name: str, value: Tensor, fresh: Tensor) -> tuple[Tensor, str] | None:
    """Value in the new shape, and a description of the change; None if no rule applies."""
    if value.shape == fresh.shape or value.dtype != fresh.dtype or value.ndim != fresh.ndim:
        return None
    if name == FIRST_WEIGHT and value.shape[1] > 0 and value[:, 0].shape == fresh[:, 0].shape:
        old, new = value.shape[1], fresh.shape[1]
        how = f"mean over the {old} channels, times {old}/{new}, in each of the {new}"
        return spread_channels(value, new), how
    regions = fresh.shape[0]
    if name == _FUSION and value.shape == (1, DEPTH, 1, 1):
        how = f"each of the {regions} regions reads its own six maps with the one region's weights"
        return repeat_fusion(value, regions), how
    if name in _HEADS and value.shape == (1, *fresh.shape[1:]):
        how = f"each of the {regions} regions starts as a copy of the one"
        return value.repeat(regions, *[1] * (value.ndim - 1)), how
    return None


def spread_channels(weight: Tensor, channels: int) -> Tensor:
    """A convolution's weight (O, S, k, k) for another number of input channels: (O, C, k, k).

    Each channel gets the mean over the S old ones, times S / C: the sum over the channels, which
    is what an image repeated in all of them meets, stays what it was. (Channels that have nothing
    in common would need the square root of that factor. The standardised sequences of one slice
    show the same head, so they add up much as one image does.)
    """
    mean = weight.mean(dim=1, keepdim=True) * (weight.shape[1] / channels)
    return mean.repeat(1, channels, 1, 1)


def match_channels(weight: Tensor, channels: ChannelMap) -> Tensor:
    """A convolution's weight (O, S, k, k) of the found sequences for those made: (O, C, k, k).

    A sequence keeps its weights; a new one starts at zero, so that the output does not change at
    first.
    """
    made = weight.new_zeros(weight.shape[0], len(channels.made), *weight.shape[2:])
    for place, name in enumerate(channels.made):
        if name in channels.found:
            made[:, place] = weight[:, channels.found.index(name)]
    return made


def _match(weight: Tensor, channels: ChannelMap) -> tuple[Tensor, str] | None:
    """Weights for the channels, and a note; None without a change or a common sequence."""
    kept = [name for name in channels.made if name in channels.found]
    if channels.found == channels.made or not kept:
        return None
    new = [name for name in channels.made if name not in channels.found]
    how = f"{', '.join(kept)} keep their weights" + (f", {', '.join(new)} from zero" if new else "")
    return match_channels(weight, channels), how


def repeat_fusion(weight: Tensor, regions: int) -> Tensor:
    """The fusing weight of one region (1, 6, 1, 1) for R regions: (R, 6 R, 1, 1).

    The input is map by map, and region by region in each map: region r of map k is channel
    k R + r. Region r reads those six, with the old weights, and no other (zeros).
    """
    blocks = weight.new_zeros(regions, DEPTH, regions)
    each = torch.arange(regions)
    blocks[each, :, each] = weight.flatten()
    return blocks.reshape(regions, DEPTH * regions, 1, 1)
