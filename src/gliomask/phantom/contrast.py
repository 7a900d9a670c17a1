"""MR signal of tissues in T1, post-contrast T1, T2 and FLAIR.

Textbook signal equations of the spin echo and of inversion recovery. Voxels with several
tissues give the mean of their signals, weighted by fraction. On top come what scanners add: a
grain within tissues, blur, a bias field, Rician noise and a scale that means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from gliomask.core.volume import SEQUENCES, FloatArray
from gliomask.phantom.fields import PhantomGrid
from gliomask.phantom.tissues import GRAIN, HIGH_FIELD, RELAXATION, Tissue

_RELAXIVITY = 4.5
"""r1 of a gadolinium chelate in 1/(mM s)."""
_LESION = [Tissue.OEDEMA, Tissue.TUMOUR, Tissue.RIM]
_CONSPICUITY = (0.87, 1.1)
"""Range of a factor on the T2 of all of a patient's tumour: some tumours hardly show."""
_FLUID = (0.8, 1.05)
"""Range of a factor on the T1 of fluid in a tumour: protein in it keeps FLAIR from nulling it."""
_GRAIN_SIGN = {"t1": -0.7, "t1ce": -0.7, "t2": 1.0, "flair": 1.0}
"""More free water is darker in T1 and brighter in T2 and FLAIR."""


@dataclass(frozen=True)
class PulseTiming:
    """One sequence: repetition, echo and, after an inversion, inversion time; all in ms."""

    tr: float
    te: float
    ti: float | None = None


@dataclass(frozen=True)
class Protocol:
    """Scan protocol of one patient.

    Attributes:
        timings: of each sequence, in the order of ``SEQUENCES``.
        relaxation: (T, 3) T1 in ms, T2 in ms, proton density of this patient's tissues.
        gadolinium_mm: (T,) concentration after the injection, mmol/l.
        noise: standard deviation, as a share of white matter's signal in each sequence.
        blur_mm: standard deviation of the point spread within a slice.
        bias: standard deviation of the logarithm of the coil's shading.
        scale: of each sequence: what white matter's signal is in the scanner's units.
    """

    timings: tuple[PulseTiming, ...]
    relaxation: FloatArray
    gadolinium_mm: FloatArray
    noise: tuple[float, ...]
    blur_mm: float
    bias: float
    scale: tuple[float, ...]


def draw_protocol(rng: np.random.Generator) -> Protocol:
    """A scanner of 1.5 or 3 T, its settings, and tissues that vary between patients."""
    relaxation = RELAXATION * np.exp(rng.normal(0, (0.03, 0.03, 0.01), RELAXATION.shape))
    relaxation[:, :2] *= np.exp(rng.normal(0, 0.06, 2))  # of the patient as a whole
    relaxation[_LESION, 1] *= rng.uniform(*_CONSPICUITY)
    relaxation[Tissue.FLUID, 0] *= rng.uniform(*_FLUID)
    high_field = rng.random() < 0.4
    if high_field:
        relaxation[:, 0] *= HIGH_FIELD
    gadolinium = np.zeros(len(Tissue), np.float32)
    gadolinium[Tissue.RIM] = rng.uniform(0.25, 0.7)
    gadolinium[Tissue.VESSEL] = rng.uniform(0.4, 0.8)
    gadolinium[Tissue.MUSCLE] = 0.05
    t1 = _t1_weighted(rng, high_field)
    tr = rng.uniform(8000, 11000)
    null = _null(relaxation[Tissue.CSF, 0], tr) * rng.uniform(0.94, 1.03)
    timings = (
        t1,
        t1,
        PulseTiming(rng.uniform(3000, 5500), rng.uniform(80, 110)),
        PulseTiming(tr, rng.uniform(95, 135), null),
    )
    return Protocol(
        timings=timings,
        relaxation=relaxation.astype(np.float32),
        gadolinium_mm=gadolinium,
        noise=tuple(rng.uniform(0.02, 0.05, len(SEQUENCES))),
        blur_mm=rng.uniform(0.45, 0.7),
        bias=rng.uniform(0.06, 0.2),
        scale=tuple(np.exp(rng.uniform(np.log(150), np.log(900), len(SEQUENCES)))),
    )


def _t1_weighted(rng: np.random.Generator, high_field: bool) -> PulseTiming:
    """Mostly a plain spin echo, at times an inversion recovery with its stronger contrast."""
    if rng.random() < 0.3:
        return PulseTiming(rng.uniform(1800, 2300), rng.uniform(8, 20), rng.uniform(800, 950))
    return PulseTiming(rng.uniform(450, 650) * (1.25 if high_field else 1.0), rng.uniform(9, 17))


def _null(t1: float, tr: float) -> float:
    """The inversion time at which a tissue gives no signal."""
    return float(t1 * (np.log(2) - np.log1p(np.exp(-tr / t1))))


def signals(protocol: Protocol) -> FloatArray:
    """(4, T) signal of each pure tissue in each sequence of ``SEQUENCES``."""
    t1, t2, density = protocol.relaxation.T
    enhanced = 1 / (1 / t1 + _RELAXIVITY * protocol.gadolinium_mm / 1000)
    rows = []
    for name, timing in zip(SEQUENCES, protocol.timings, strict=True):
        rows.append(_signal(timing, enhanced if name == "t1ce" else t1, t2, density))
    return np.stack(rows)


def _signal(timing: PulseTiming, t1: FloatArray, t2: FloatArray, density: FloatArray) -> FloatArray:
    if timing.ti is None:
        recovered = 1 - np.exp(-timing.tr / t1)
    else:
        recovered = np.abs(1 - 2 * np.exp(-timing.ti / t1) + np.exp(-timing.tr / t1))
    return np.asarray(density * recovered * np.exp(-timing.te / t2), np.float32)


def acquire(
    rng: np.random.Generator, grid: PhantomGrid, fractions: FloatArray, protocol: Protocol
) -> FloatArray:
    """(4, I, J, K) images, non-negative, in the scanner's arbitrary units.

    Args:
        rng: source of random numbers.
        grid: grid of the images.
        fractions: (T, I, J, K) of each tissue; what is missing to 1 is bone or air.
        protocol: scan protocol.
    """
    table = signals(protocol)
    table /= table[:, Tissue.WM, None]
    grid = replace(grid, parts=1)
    grain = np.tensordot(GRAIN, fractions, axes=1) * _texture(rng, grid)
    shared = grid.smooth(rng, 70.0)[..., 0]
    sigma = [protocol.blur_mm / grid.voxel_mm[0], protocol.blur_mm / grid.voxel_mm[1], 0]
    images = []
    for index, name in enumerate(SEQUENCES):
        own = grid.smooth(rng, 90.0)[..., 0]
        image = np.tensordot(table[index], fractions, axes=1)
        image = ndimage.gaussian_filter(image * (1 + _GRAIN_SIGN[name] * grain), sigma)
        image *= np.exp(np.float32(protocol.bias) * (0.8 * shared + 0.6 * own))
        image = rician(rng, image, protocol.noise[index])
        images.append(image * np.float32(protocol.scale[index]))
    return np.stack(images)


def rician(rng: np.random.Generator, image: FloatArray, sigma: float) -> FloatArray:
    """The magnitude of the image with complex Gaussian noise; any shape, never negative."""
    real, imaginary = rng.standard_normal((2, *image.shape), np.float32) * np.float32(sigma)
    return np.asarray(np.hypot(image + real, imaginary))


def _texture(rng: np.random.Generator, grid: PhantomGrid) -> FloatArray:
    """(I, J, K) unit field of fine and middling lumps."""
    lumps = 0.7 * grid.smooth(rng, 3.0) + grid.smooth(rng, 7.0)
    fine = ndimage.gaussian_filter(rng.standard_normal(grid.shape, np.float32), (0.7, 0.7, 0))
    mixed = lumps[..., 0] + fine * 2
    return np.asarray(mixed / mixed.std(), np.float32)
