"""Function-preserving widening of a network, for example from U²-NetP to U²-Net.

The networks share their topology, so the channels of the narrow one become the first channels of
the wide one. Those channels do not use the new ones: the weights between them start at zero. The
output therefore does not change at first, and a training continues from it with more capacity. The
new channels have fresh weights, so the zero weights have gradients.

Source: Chen, Goodfellow, Shlens, "Net2Net: Accelerating learning via knowledge transfer", ICLR 2016
(the new channels there are copies of old ones).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gliomask.errors import ConfigError
from gliomask.nets.specs import RSUSpec, U2NetSpec, find_spec
from gliomask.nets.u2net import U2Net, build_model

Parts = tuple[int, ...]
"""Channels of the concatenated maps that a convolution reads, in order."""


def can_widen(narrow: U2NetSpec, wide: U2NetSpec) -> bool:
    """Return True if no block of the wide network has fewer channels, and one has more."""
    pairs = [
        (getattr(block, width), getattr(wider, width))
        for block, wider in zip(_blocks(narrow), _blocks(wide), strict=True)
        for width in ("mid", "out")
    ]
    return all(few <= many for few, many in pairs) and any(few < many for few, many in pairs)


def widen(model: U2Net, name: str) -> U2Net:
    """Create a wider network with the same output.

    Args:
        model: on the CPU; it is not changed.
        name: wider network, a key of ``SPECS``. Its new weights are PyTorch's initial values, from
            the global random generator.

    Returns:
        the wider network in evaluation mode, with the channels, regions and epsilon of ``model``.

    Raises:
        ConfigError: the network is unknown, or some block is narrower than that of ``model``.
    """
    spec = find_spec(name)
    if not can_widen(model.spec, spec):
        raise ConfigError("not wider", field="network", found=name, allowed=model.spec.name)
    wide = build_model(
        name,
        in_channels=model.in_channels,
        out_channels=model.out_channels,
        epsilon=model.epsilon,
    )
    wide.load_state_dict(_widened(model, wide), strict=True)
    return wide.eval()


def _widened(model: U2Net, wide: U2Net) -> dict[str, Tensor]:
    parts, wide_parts = (
        {f"{layer}.weight": part for layer, part in input_parts(net.spec, net.in_channels)}
        for net in (model, wide)
    )
    fresh = wide.state_dict()
    return {
        name: _widened_weight(value, fresh[name], parts[name], wide_parts[name])
        if name in parts
        else _widened_vector(value, fresh[name])
        for name, value in model.state_dict().items()
    }


def _widened_weight(value: Tensor, fresh: Tensor, parts: Parts, wide_parts: Parts) -> Tensor:
    """Weight (O, I, k, k) of a convolution in the shape of ``fresh``."""
    starts = [sum(wide_parts[:place]) for place in range(len(wide_parts))]
    old = torch.cat([start + torch.arange(n) for start, n in zip(starts, parts, strict=True)])
    widened, rows = fresh.clone(), len(value)
    widened[:rows] = 0
    widened[:rows, old] = value
    return widened


def _widened_vector(value: Tensor, fresh: Tensor) -> Tensor:
    """A bias, a value of a batch norm (O,), a counter (), or the fusion, whose shape is equal."""
    if value.shape == fresh.shape:
        return value.clone()
    return torch.cat((value, fresh[len(value) :]))


def input_parts(spec: U2NetSpec, in_channels: int) -> Iterator[tuple[str, Parts]]:
    """Yield the name of each convolution of ``spec`` but the fusion, with what it reads."""
    encoder, decoder = spec.encoder, spec.decoder
    reads: list[Parts] = [(in_channels,), *((block.out,) for block in encoder[:-1])]
    for stage, (block, parts) in enumerate(zip(encoder, reads, strict=True), start=1):
        yield from _block_parts(f"stage{stage}", block, parts)
    deeper = (encoder[-1], *decoder)
    for place, block in enumerate(decoder):
        stage = len(decoder) - place
        parts = (deeper[place].out, encoder[stage - 1].out)
        yield from _block_parts(f"stage{stage}d", block, parts)
        yield f"side{stage}", (block.out,)
    yield f"side{len(encoder)}", (encoder[-1].out,)


def _block_parts(stage: str, spec: RSUSpec, parts: Parts) -> Iterator[tuple[str, Parts]]:
    yield f"{stage}.rebnconvin.conv_s1", parts
    for level in range(1, spec.height + 1):
        yield f"{stage}.rebnconv{level}.conv_s1", (spec.out if level == 1 else spec.mid,)
    for level in range(spec.height - 1, 0, -1):
        yield f"{stage}.rebnconv{level}d.conv_s1", (spec.mid, spec.mid)


def _blocks(spec: U2NetSpec) -> tuple[RSUSpec, ...]:
    return (*spec.encoder, *spec.decoder)
