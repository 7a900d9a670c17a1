"""Random glioma: position, size, and mass effect.

The core displaces the brain around it as an incompressible ball would. A ring that takes up
contrast medium and a necrosis within it belong to some tumours only: most low-grade gliomas don't
enhance. The final appearance of the tumour depends on ``growth``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gliomask.core.volume import FloatArray
from gliomask.phantom.anatomy import Template

_LARGEST = 0.28
"""Largest radius of a tumour as a share of the height that is scanned."""


@dataclass(frozen=True, eq=False)
class Tumour:
    """Random parameters of one tumour.

    Attributes:
        centre: (3,) of the core in the patient, RAS+ mm.
        side: +1 or -1, the hemisphere that it is in (sign of x in the template).
        volume_ml: of everything that is labelled, where it fits.
        core: share of the volume that is solid tumour; the rest is infiltration and oedema.
        fluid: share of the core that is necrosis or cyst.
        enhancing: share of the solid core that enhances, 0 to 1.
        shape: (3, 3) turns and stretches an offset in mm; determinant 1.
        push: share of the core's volume that pushed the brain aside.
        density: share of the tissue that infiltration replaces.
        edge_mm: width of the border.
    """

    centre: FloatArray
    side: float
    volume_ml: float
    core: float
    fluid: float
    enhancing: float
    shape: FloatArray
    push: float
    density: float
    edge_mm: float

    @property
    def radius_mm(self) -> float:
        """Radius of the ball with the tumour's volume."""
        return float(np.cbrt(3 * self.volume_ml * 1000 / (4 * np.pi)))

    @property
    def core_radius_mm(self) -> float:
        """Radius of the ball with the core's volume."""
        return self.radius_mm * float(np.cbrt(self.core))


def draw_tumour(
    rng: np.random.Generator,
    template: Template,
    world: FloatArray,
    points: FloatArray,
    enhancing_share: float,
) -> Tumour:
    """A tumour in white matter of the cerebrum, in the middle part of the scanned box.

    Volumes spread as in the LGG set: median about 60 ml, quartiles 30 and 95, 5 to 200 ml; but
    none so large that it would reach through all slices.

    Args:
        rng: source of random numbers.
        template: defines the white matter.
        world: (3, N, parts) places in the patient, mm.
        points: the same places in the template, mm.
        enhancing_share: chance that the tumour enhances.
    """
    centre, side = _site(rng, template, world, points)
    enhances = rng.random() < enhancing_share
    cystic = rng.random() < 0.2
    if enhances:
        core, fluid, enhancing = rng.uniform(0.25, 0.6), rng.uniform(0.1, 0.4), rng.uniform(0.4, 1)
    else:
        core, enhancing = rng.uniform(0.3, 0.8), 0.0
        fluid = rng.uniform(0.15, 0.4) if cystic else 0.0
    stretch = np.exp(rng.normal(0, 0.22, 3))
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    return Tumour(
        centre=centre,
        side=side,
        volume_ml=_volume_ml(rng, height_mm=float(np.ptp(world[2]))),
        core=core,
        fluid=fluid,
        enhancing=enhancing,
        shape=(turn * (stretch / np.cbrt(stretch.prod()))).T.astype(np.float32),
        push=rng.uniform(0.2, 0.7) if enhances or cystic else rng.uniform(0.05, 0.5),
        density=rng.uniform(0.7, 0.95),
        edge_mm=rng.uniform(0.5, 1.2) if enhances else rng.uniform(0.6, 1.6),
    )


def _volume_ml(rng: np.random.Generator, height_mm: float) -> float:
    """Small tumours are further below the median than large ones are above it."""
    deviations = rng.normal()
    volume = 60 * np.exp(deviations * (1.05 if deviations < 0 else 0.65))
    largest = min(200.0, 4 / 3 * np.pi * (_LARGEST * height_mm) ** 3 / 1000)
    return float(np.clip(volume, 5, largest))


def _site(
    rng: np.random.Generator, template: Template, world: FloatArray, points: FloatArray
) -> tuple[FloatArray, float]:
    """A place in supratentorial white matter, and its side.

    It is chosen in the template, so that the same draw gives the same site at any resolution.
    """
    low, high = np.quantile(points[2, :, 0], (0.15, 0.85))
    box = rng.uniform((-60, -95, low), (60, 65, high), (4000, 3))
    places = np.asarray(box.T, np.float32)
    x, y, z = places
    cerebrum = (z > -8) | ((z > -30) & (y > -40) & (np.abs(x) > 18))
    weight = template.tissues(places)[2].astype(np.float64) * cerebrum * (np.abs(x) > 8)
    chosen = places[:, rng.choice(x.size, p=weight / weight.sum())]
    nearest = np.argmin(np.sum((points[..., 0] - chosen[:, None]) ** 2, axis=0))
    return world[:, nearest, 0], float(np.sign(chosen[0]))


def push_aside(tumour: Tumour, world: FloatArray, points: FloatArray, vault: FloatArray) -> None:
    """Moves ``points`` (3, N, parts) so that the brain gives way to the tumour's core.

    Outside the core every shell keeps its volume: what is at r came from the cube root of
    r^3 - push R^3. The skull does not move: the displacement fades near the vault.

    Args:
        tumour: with its centre, core and push.
        world: (3, N, parts) places in the patient, mm.
        points: the same places in the template, mm; changed in place.
        vault: (N, parts) mm beneath the inside of the skull.
    """
    offset = world - tumour.centre[:, None, None]
    r = np.sqrt(np.sum(offset**2, axis=0)) + np.float32(1e-3)
    radius = np.float32(tumour.core_radius_mm)
    room = np.float32(tumour.push) * np.minimum(r, radius) ** 3
    origin = np.cbrt(r**3 - room)
    fade = np.clip(vault / 14, 0, 1)
    points += offset * ((origin / r - 1) * fade)
