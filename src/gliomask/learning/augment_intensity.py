"""Contrast, brightness, bias field, blur and noise of a batch.

Each transform is applied to the samples for which it was drawn, with separate parameters for each
channel. Intensities are z-scores; transforms that need a zero use the darkest pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gliomask.core.intensity import CLIP
from gliomask.learning.augment_batch import Changes

_BLUR_RADIUS = 4
"""Radius of the kernel in pixels of a 128² image, at least: three standard deviations."""


def shade(images: Tensor, changes: Changes) -> Tensor:
    """Apply the intensity transforms; dropped channels become 0.

    Args:
        images: (n, C, H, W) float32 in [-5, 5].
        changes: of the n samples, on the same device.

    Returns:
        the same, values in [-5, 5] again.
    """
    original = images
    images = _apply(images, changes, "bias", _bias)
    images = _apply(images, changes, "gamma", _gamma)
    images = _apply(images, changes, "gain", lambda x, gain: x * _flat(gain))
    images = _apply(images, changes, "shift", lambda x, up: x + _flat(up))
    images = _apply(images, changes, "blur", _blur)
    images = _apply(images, changes, "noise", lambda x, noise: _noisy(x, noise, changes.seeds))
    if images is not original:
        images = images.clamp(-CLIP, CLIP)
    kept = changes.tensors.get("kept")
    return images if kept is None else images * _flat(kept)


def _apply(
    images: Tensor, changes: Changes, name: str, change: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Apply ``change(images, values)`` to the samples that have a value."""
    drawn = changes.drawn(name)
    if drawn is None:
        return images
    at, values = drawn
    return images.index_copy(0, at, change(images[at], values))


def _flat(values: Tensor) -> Tensor:
    """(n, C) as (n, C, 1, 1)."""
    return values[:, :, None, None]


def _gamma(images: Tensor, gamma: Tensor) -> Tensor:
    """Gamma transform between the darkest and the brightest pixel, which do not change."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    span = (high - low).clamp_min(1e-3)
    return ((images - low) / span) ** _flat(gamma) * span + low


def _bias(images: Tensor, points: Tensor) -> Tensor:
    """Bias field: exp of the interpolated control points (n, C, Q, Q)."""
    low = images.amin((2, 3), keepdim=True)
    size = (images.shape[-2], images.shape[-1])
    field = F.interpolate(points, size=size, mode="bicubic", align_corners=True)
    return (images - low) * field.exp() + low


def _blur(images: Tensor, deviation: Tensor) -> Tensor:
    """Separable Gaussian blur, with a width for each sample."""
    count, channels, height, width = images.shape
    pixels = (deviation * height / 128).clamp_min(1e-3)
    radius = max(_BLUR_RADIUS, math.ceil(_BLUR_RADIUS * height / 128))
    reach = torch.arange(-radius, radius + 1, device=images.device)
    kernel = torch.softmax(-0.5 * (reach / pixels[:, None]) ** 2, dim=1)
    kernels = kernel.repeat_interleave(channels, dim=0)
    flat = images.reshape(1, count * channels, height, width)
    across, along = (radius, radius, 0, 0), (0, 0, radius, radius)
    for shape, pad in (((1, -1), across), ((-1, 1), along)):
        padded = F.pad(flat, pad, mode="replicate")
        weights = kernels.view(count * channels, 1, *shape)
        flat = F.conv2d(padded, weights, groups=count * channels)
    return flat.reshape(images.shape)


def _noisy(images: Tensor, deviation: Tensor, seeds: tuple[int, ...]) -> Tensor:
    """Gaussian noise, with a generator for each sample."""
    noise = torch.empty_like(images)
    for channel_noise, seed in zip(noise, seeds, strict=True):
        channel_noise.normal_(generator=torch.Generator(images.device).manual_seed(seed))
    return images + noise * deviation.view(-1, 1, 1, 1)
