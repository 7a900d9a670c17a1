"""Parameters of the data augmentation of each training sample; they are applied elsewhere.

What is drawn for a sample is a pure function of the recipe, its seed, the epoch and the sample's
place in the epoch. ``geometry`` and ``intensity`` apply it to a whole batch on its device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gliomask.config import AugmentOptions
from gliomask.core.volume import FloatArray
from gliomask.learning.catalogue import BoolArray
from gliomask.learning.randomness import Purpose, stream

WARP_POINTS = 9
"""Control points of a warp along a side; between them it is interpolated by cubics."""
_BIAS_POINTS = 4
_BIAS_SD = 0.2
"""Of the logarithm of the shading at its control points."""
_GAMMA = 0.4
"""Gamma lies in exp(-_GAMMA) to exp(_GAMMA), evenly in the logarithm."""
_GAIN, _SHIFT_SD = 0.25, 0.2
_NOISE = 0.25
"""Largest standard deviation of the noise, in standard deviations of the head."""
_THICK = (0.1, 0.25)
"""Share of each neighbour in a thicker slice. Half of it or more is the slice itself, so what is
tumour for the most part is what is tumour in the slice."""
_BLUR = (0.5, 1.2)
"""Standard deviation of the blur in pixels at 128 pixels a side."""


@dataclass(frozen=True, eq=False)
class Augmentation:
    """Augmentation of a sample of C channels; None for a transform that was not drawn.

    Attributes:
        kept: (C,), which channels stay; the others become 0.
        flip_horizontal, flip_vertical: whether columns or rows are reversed.
        affine: (2, 3) from output to input coordinates, in [-1, 1] along (x, y).
        warp: (2, P, P) displacement (x, y) at control points, in the same units.
        gamma: (C,) exponents.
        gain, shift: (C,) of a linear change of intensity.
        bias: (C, Q, Q) logarithm of a shading at control points.
        blur: standard deviation in pixels at 128 pixels a side.
        noise: standard deviation; noise_seed: of the noise's own generator.
        thick: share of the slice below, and of the one above, in what is seen.
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
    """Draws what happens to one sample.

    Args:
        options: the chances and ranges.
        dropout: chance of each present channel to be left out; one always stays.
        present: (C,), which channels the sample has.
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
        # Drawn last, so that what came before it stays as it was.
        thick=float(rng.uniform(*_THICK)) if happens(options.thick) else None,
    )


def _keep(present: BoolArray, dropout: float, rng: np.random.Generator) -> BoolArray:
    """Present channels less those left out; if all fell out, one of them at random stays."""
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
