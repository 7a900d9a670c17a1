"""Contrast, brightness, shading, blur and noise of a batch.

Each change is done to the samples for which it was drawn, to each channel with its own numbers.
Intensities are z-scores; changes that need a zero take the darkest pixel for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gliomask.core.intensity import CLIP
from gliomask.core.volume import FloatArray
from gliomask.learning.augment import Change

_BLUR_RADIUS = 4


def shade(images: Tensor, changes: Sequence[Change]) -> Tensor:
    """Applies the intensity changes; channels that were not kept become 0.

    Args:
        images: (n, C, H, W) float32 in [-5, 5].
        changes: n of them.

    Returns:
        the same, values in [-5, 5] again.
    """
    original = images
    images = _apply(images, [change.bias for change in changes], _bias)
    images = _apply(images, [change.gamma for change in changes], _gamma)
    images = _apply(images, [change.gain for change in changes], lambda x, gain: x * _flat(gain))
    images = _apply(images, [change.shift for change in changes], lambda x, up: x + _flat(up))
    images = _apply(images, [_scalar(change.blur) for change in changes], _blur)
    images = _add_noise(images, changes)
    if images is not original:
        images = images.clamp(-CLIP, CLIP)
    kept = np.stack([change.kept for change in changes])
    if not kept.all():
        images = images * torch.from_numpy(kept).to(images.device)[:, :, None, None]
    return images


def _apply(
    images: Tensor,
    values: Sequence[FloatArray | None],
    change: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """``change(images, values)`` of the samples that have a value; the others stay as they are."""
    chosen = [k for k, value in enumerate(values) if value is not None]
    if not chosen:
        return images
    stacked = np.stack([value for value in values if value is not None])
    changed = images.clone()
    given = torch.from_numpy(stacked).to(images.device, non_blocking=True)
    changed[chosen] = change(images[chosen], given)
    return changed


def _flat(values: Tensor) -> Tensor:
    """(n, C) as (n, C, 1, 1)."""
    return values[:, :, None, None]


def _scalar(value: float | None) -> FloatArray | None:
    return None if value is None else np.array(value, np.float32)


def _gamma(images: Tensor, gamma: Tensor) -> Tensor:
    """Another curve from the darkest pixel to the brightest, which stay."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    span = (high - low).clamp_min(1e-3)
    return ((images - low) / span) ** _flat(gamma) * span + low


def _bias(images: Tensor, points: Tensor) -> Tensor:
    """A smooth factor, exp of the interpolated control points (n, C, Q, Q)."""
    low = images.amin((2, 3), keepdim=True)
    size = (images.shape[-2], images.shape[-1])
    field = F.interpolate(points, size=size, mode="bicubic", align_corners=True)
    return (images - low) * field.exp() + low


def _blur(images: Tensor, deviation: Tensor) -> Tensor:
    """A Gaussian blur, rows and columns in turn, each sample with its own width."""
    count, channels, height, width = images.shape
    pixels = (deviation * height / 128).clamp_min(1e-3)
    reach = torch.arange(-_BLUR_RADIUS, _BLUR_RADIUS + 1, device=images.device)
    kernel = torch.softmax(-0.5 * (reach / pixels[:, None]) ** 2, dim=1)
    kernels = kernel.repeat_interleave(channels, dim=0)
    flat = images.reshape(1, count * channels, height, width)
    across, along = (_BLUR_RADIUS, _BLUR_RADIUS, 0, 0), (0, 0, _BLUR_RADIUS, _BLUR_RADIUS)
    for shape, pad in (((1, -1), across), ((-1, 1), along)):
        padded = F.pad(flat, pad, mode="replicate")
        weights = kernels.view(count * channels, 1, *shape)
        flat = F.conv2d(padded, weights, groups=count * channels)
    return flat.reshape(images.shape)


def _add_noise(images: Tensor, changes: Sequence[Change]) -> Tensor:
    """Gaussian noise, each sample's from its own generator."""
    chosen = [k for k, change in enumerate(changes) if change.noise is not None]
    if not chosen:
        return images
    noisy = images.clone()
    for k in chosen:
        generator = torch.Generator(images.device).manual_seed(changes[k].noise_seed)
        noise = torch.empty_like(noisy[k]).normal_(generator=generator)
        noisy[k] += noise * (changes[k].noise or 0.0)
    return noisy
