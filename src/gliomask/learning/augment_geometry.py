"""Flips, affine transforms and elastic deformations of a batch.

Flips are exact. All other transforms are one interpolation, only for the samples for which they
were drawn: linear for images, nearest neighbour for labels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gliomask.learning.augment_batch import Changes

_ROWS, _COLUMNS = -2, -1


def move(images: Tensor, bits: Tensor, changes: Changes) -> tuple[Tensor, Tensor]:
    """Apply the geometric transforms.

    Args:
        images: (n, C, H, W) float32; outside the image its edge pixels are repeated.
        bits: (n, H, W) uint8; 0 outside the image.
        changes: parameters of the n samples, on the same device.

    Returns:
        the same shapes and dtypes.
    """
    for name, side in (("flip_horizontal", _COLUMNS), ("flip_vertical", _ROWS)):
        chosen = changes.tensors.get(name)
        if chosen is not None:
            images, bits = _flip(images, chosen, side), _flip(bits, chosen, side)
    at = changes.tensors.get("moved")
    if at is not None:
        grid = _grid(changes.tensors["affine"], changes.tensors["warp"], images.shape[_ROWS])
        images = images.index_copy(0, at, _sample(images[at], grid, "bilinear", "border"))
        nearest = _sample(bits[at].unsqueeze(1).float(), grid, "nearest", "zeros")
        bits = bits.index_copy(0, at, nearest.squeeze(1).to(torch.uint8))
    return images, bits


def _flip(stack: Tensor, chosen: Tensor, side: int) -> Tensor:
    return torch.where(chosen.view(-1, *[1] * (stack.ndim - 1)), stack.flip(side), stack)


def _grid(affine: Tensor, points: Tensor, size: int) -> Tensor:
    """Sampling grid (m, size, size, 2): source (x, y) in [-1, 1] of each output pixel."""
    grid = F.affine_grid(affine, [len(affine), 1, size, size], align_corners=False)
    fine = F.interpolate(points, size=(size, size), mode="bicubic", align_corners=True)
    return grid + fine.permute(0, 2, 3, 1)


def _sample(stack: Tensor, grid: Tensor, mode: str, beyond: str) -> Tensor:
    return F.grid_sample(stack, grid, mode=mode, padding_mode=beyond, align_corners=False)
