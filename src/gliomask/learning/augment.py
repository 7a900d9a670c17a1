"""Random parameters of the data augmentation of each training sample.

They are a pure function of the recipe, its seed, the epoch and the index of the sample in the
epoch. ``geometry`` and ``intensity`` apply it to a whole batch on its device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gliomask.config import AugmentOptions
from gliomask.core.volume import FloatArray
from gliomask.learning.catalogue import BoolArray
from gliomask.learning.randomness import Purpose, stream

WARP_POINTS = 9
"""Control points of an elastic deformation along a side, with cubic interpolation between them."""
_BIAS_POINTS = 4
_BIAS_SD = 0.2
"""Standard deviation of the logarithm of the bias field at its control points."""
_GAMMA = 0.4
"""Gamma is log-uniform between exp(-_GAMMA) and exp(_GAMMA)."""
_GAIN, _SHIFT_SD = 0.25, 0.2
_NOISE = 0.25
"""Maximum standard deviation of the noise, relative to that of the head."""
_THICK = (0.1, 0.25)
"""Weight of each neighbour in a thicker slice. The slice itself has at least half of the weight, so
its mask stays valid."""
_BLUR = (0.5, 1.2)
"""Standard deviation of the blur, in pixels of a 128² image."""


@dataclass(frozen=True, eq=False)
class Augmentation:
    """Augmentation of a sample of C channels; None for a transform that was not drawn.

    Attributes:
        kept: (C,), whether a channel is kept; dropped channels become 0.
        flip_horizontal, flip_vertical: whether columns or rows are reversed.
        affine: (2, 3) from output to input coordinates, in [-1, 1] along (x, y).
        warp: (2, P, P) displacement (x, y) at control points, in the same units.
        gamma: (C,) exponents.
        gain, shift: (C,) of a linear change of intensity.
        bias: (C, Q, Q) logarithm of a bias field at control points.
        blur: standard deviation in pixels of a 128² image.
        noise: standard deviation.
        noise_seed: seed of its generator.
        thick: weights of the slice below and of the slice above.
    """

    kept: BoolArray
    flip_horizontal: bool = False
    flip_vertical: bool = False
    affine: FloatArray | None = None
    warp: FloatArray | None = None
    gamma: FloatArray | None = None
    gain: FloatArray | None = None
    shift: FloatArray | None = None
    bias: FloatArray | None = None
    blur: float | None = None
    noise: float | None = None
    noise_seed: int = 0
    thick: float | None = None


def draw_change(
    options: AugmentOptions, dropout: float, present: BoolArray, place: tuple[int, int, int]
) -> Augmentation:
    """Draw the augmentation parameters of a sample.

    Args:
        options: probabilities and ranges.
        dropout: probability of dropping each present channel; at least one is kept.
        present: (C,), whether the sample has the channel.
        place: seed, epoch and the sample's index in the epoch.
    """
    seed, *where = place
    rng = stream(seed, Purpose.SAMPLE, *where)
    channels = present.size

    def happens(chance: float) -> bool:
        return bool(rng.random() < chance)

    brighter = happens(options.brightness)
    return Augmentation(
        kept=_keep(present, dropout, rng),
        flip_horizontal=happens(options.flip_horizontal),
        flip_vertical=happens(options.flip_vertical),
        affine=_affine(options, rng) if happens(options.affine) else None,
        warp=_warp(options, rng) if happens(options.elastic) else None,
        gamma=_gamma(channels, rng) if happens(options.gamma) else None,
        gain=_uniform(rng, 1 - _GAIN, 1 + _GAIN, channels) if brighter else None,
        shift=_normal(rng, _SHIFT_SD, channels) if brighter else None,
        bias=_bias(channels, rng) if happens(options.bias_field) else None,
        blur=float(rng.uniform(*_BLUR)) if happens(options.blur) else None,
        noise=float(rng.uniform(0, _NOISE)) if happens(options.noise) else None,
        noise_seed=int(rng.integers(2**63)),
        # Drawn last, so that the earlier parameters do not change.
        thick=float(rng.uniform(*_THICK)) if happens(options.thick) else None,
    )


def _keep(present: BoolArray, dropout: float, rng: np.random.Generator) -> BoolArray:
    """Present channels without the dropped ones; if all are dropped, a random one is kept."""
    kept = present & (rng.random(present.size) >= dropout)
    if not kept.any() and present.any():
        kept[rng.choice(np.flatnonzero(present))] = True
    return kept


def _affine(options: AugmentOptions, rng: np.random.Generator) -> FloatArray:
    angle = np.deg2rad(rng.uniform(-options.rotate_deg, options.rotate_deg))
    size = np.exp(rng.uniform(-1, 1) * np.log1p(options.scale))
    shear = rng.uniform(-options.shear, options.shear)
    # A shift by a whole side is 2 in coordinates of [-1, 1].
    shift = 2 * rng.uniform(-options.shift, options.shift, 2)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, shear], [0, 1]]) / size
    return np.column_stack([turn, shift]).astype(np.float32)


def _warp(options: AugmentOptions, rng: np.random.Generator) -> FloatArray:
    return _normal(rng, 2 * options.elastic_px / 256, 2, WARP_POINTS, WARP_POINTS)


def _gamma(channels: int, rng: np.random.Generator) -> FloatArray:
    return np.exp(_uniform(rng, -_GAMMA, _GAMMA, channels))


def _bias(channels: int, rng: np.random.Generator) -> FloatArray:
    return _normal(rng, _BIAS_SD, channels, _BIAS_POINTS, _BIAS_POINTS)


def _uniform(rng: np.random.Generator, low: float, high: float, *shape: int) -> FloatArray:
    return rng.uniform(low, high, shape).astype(np.float32)


def _normal(rng: np.random.Generator, deviation: float, *shape: int) -> FloatArray:
    return rng.normal(0, deviation, shape).astype(np.float32)
