"""Augmentation parameters of a batch as a few tensors, which are copied to the device in one
transfer.

Separate transfers would stall the GPU a dozen times per batch. The parameters are collected in the
thread that draws them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gliomask.core.volume import FloatArray
from gliomask.learning.augment import WARP_POINTS, Augmentation

_ALIGN: Final = 16
"""Alignment of each tensor in a transfer, in bytes."""
_STAY: Final[FloatArray] = np.eye(2, 3, dtype=np.float32)
_STILL: Final[FloatArray] = np.zeros((2, WARP_POINTS, WARP_POINTS), np.float32)
_VALUES: Final = ("bias", "gamma", "gain", "shift", "blur", "noise", "thick")


@dataclass(frozen=True, eq=False)
class Changes:
    """Augmentation parameters of the n samples of a batch.

    Attributes:
        tensors: by name, only those that are used. ``flip_horizontal``,
            ``flip_vertical`` (n,) bool; ``kept`` (n, C) float32; ``affine`` (m, 2, 3) and
            ``warp`` (m, 2, P, P) of the m samples ``moved``; the values (m, ...) of each other
            change as in ``Augmentation``, and of which samples they are: ``gamma``, ``gamma.at``.
        seeds: of the noise of the samples ``noise.at``.
    """

    tensors: Mapping[str, Tensor]
    seeds: tuple[int, ...] = ()

    def drawn(self, name: str) -> tuple[Tensor, Tensor] | None:
        """(m,) int64 which samples and (m, ...) float32 their values; None if there are none."""
        if name not in self.tensors:
            return None
        return self.tensors[f"{name}.at"], self.tensors[name]

    def on(self, device: torch.device) -> Changes:
        """Copy to another device, in one asynchronous transfer."""
        if device.type == "cpu" or not self.tensors:
            return self
        return Changes(_send(self.tensors, device), self.seeds)


def arrange_batch(changes: Sequence[Augmentation]) -> Changes:
    """Collect the parameters of the samples of a batch; the tensors are in main memory."""
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
    for name in ("flip_horizontal", "flip_vertical"):
        flips = np.array([getattr(change, name) for change in changes], bool)
        if flips.any():
            arrays[name] = flips
    moved = [k for k, c in enumerate(changes) if c.affine is not None or c.warp is not None]
    if moved:
        affine, warp = ([getattr(changes[k], name) for k in moved] for name in ("affine", "warp"))
        arrays["moved"] = np.array(moved, np.int64)
        arrays["affine"] = np.stack(
            [_STAY if parameters is None else parameters for parameters in affine]
        )
        arrays["warp"] = np.stack(
            [_STILL if parameters is None else parameters for parameters in warp]
        )
    for name in _VALUES:
        values = {k: getattr(c, name) for k, c in enumerate(changes)}
        drawn = {k: value for k, value in values.items() if value is not None}
        if drawn:
            arrays[f"{name}.at"] = np.array(list(drawn), np.int64)
            arrays[name] = np.stack([np.asarray(value, np.float32) for value in drawn.values()])
    kept = np.stack([change.kept for change in changes])
    if not kept.all():
        arrays["kept"] = kept.astype(np.float32)
    seeds = tuple(change.noise_seed for change in changes if change.noise is not None)
    return Changes({name: torch.from_numpy(array) for name, array in arrays.items()}, seeds)


def _send(tensors: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Copy the tensors through one block of page-locked memory."""
    block, places = join(tensors, pinned=True)
    return part(block.to(device, non_blocking=True), tensors, places)


def join(tensors: Mapping[str, Tensor], *, pinned: bool) -> tuple[Tensor, dict[str, int]]:
    """Concatenate the bytes of all tensors, and return their offsets."""
    places, end = {}, 0
    for name, tensor in tensors.items():
        places[name] = end
        end += -(-tensor.nbytes // _ALIGN) * _ALIGN
    block = torch.empty(end, dtype=torch.uint8, pin_memory=pinned)
    for name, tensor in tensors.items():
        at = places[name]
        block[at : at + tensor.nbytes] = tensor.contiguous().view(-1).view(torch.uint8)
    return block, places


def part(
    block: Tensor, tensors: Mapping[str, Tensor], places: Mapping[str, int]
) -> dict[str, Tensor]:
    """Views like ``tensors`` in the memory of ``block``, a result of ``join`` or its copy."""
    return {
        name: block[places[name] : places[name] + tensor.nbytes]
        .view(tensor.dtype)
        .view(tensor.shape)
        for name, tensor in tensors.items()
    }
