"""Flips, affine changes and smooth warps of a batch.

Flips move pixels and are exact. All the rest is one interpolation, done only to the samples for
which it was drawn: images linearly, labels by their nearest pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gliomask.core.volume import FloatArray
from gliomask.learning.augment import WARP_POINTS, Change

_STAY: FloatArray = np.eye(2, 3, dtype=np.float32)
_ROWS, _COLUMNS = -2, -1


def move(images: Tensor, bits: Tensor, changes: Sequence[Change]) -> tuple[Tensor, Tensor]:
    """Applies the geometry.

    Args:
        images: (n, C, H, W) float32; beyond its edge an image goes on with its last pixels.
        bits: (n, H, W) uint8; beyond the edge there is nothing (0).
        changes: n of them.

    Returns:
        the same shapes and dtypes.
    """
    for flips, side in (
        ([change.flip_horizontal for change in changes], _COLUMNS),
        ([change.flip_vertical for change in changes], _ROWS),
    ):
        if any(flips):
            images, bits = _flip(images, flips, side), _flip(bits, flips, side)
    moved = [k for k, c in enumerate(changes) if c.affine is not None or c.warp is not None]
    if moved:
        grid = _grid([changes[k] for k in moved], images.shape[_ROWS], images.device)
        images, bits = images.clone(), bits.clone()
        images[moved] = _sample(images[moved], grid, "bilinear", "border")
        nearest = _sample(bits[moved].unsqueeze(1).float(), grid, "nearest", "zeros")
        bits[moved] = nearest.squeeze(1).to(torch.uint8)
    return images, bits


def _flip(stack: Tensor, flips: Sequence[bool], side: int) -> Tensor:
    chosen = torch.tensor(flips, device=stack.device).view(-1, *[1] * (stack.ndim - 1))
    return torch.where(chosen, stack.flip(side), stack)


def _grid(changes: Sequence[Change], size: int, device: torch.device) -> Tensor:
    """(n, size, size, 2): where each output pixel comes from, (x, y) in [-1, 1]."""
    still = np.zeros((2, WARP_POINTS, WARP_POINTS), np.float32)
    affine = np.stack([_STAY if c.affine is None else c.affine for c in changes])
    points = np.stack([still if c.warp is None else c.warp for c in changes])
    theta = torch.from_numpy(affine).to(device, non_blocking=True)
    grid = F.affine_grid(theta, [len(changes), 1, size, size], align_corners=False)
    coarse = torch.from_numpy(points).to(device, non_blocking=True)
    fine = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
    return grid + fine.permute(0, 2, 3, 1)


def _sample(stack: Tensor, grid: Tensor, mode: str, beyond: str) -> Tensor:
    return F.grid_sample(stack, grid, mode=mode, padding_mode=beyond, align_corners=False)
