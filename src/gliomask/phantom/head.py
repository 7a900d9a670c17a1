"""Tissues around the brain: meninges, skull, scalp, orbits, sinuses, face and neck.

nilearn's template has none of it, so all of it is modelled: layers at depths beneath the skull's
inner table, and a face built of ellipsoids at their places in the template's space. It bends with
the brain. It need only look like a head from afar: bright scalp, dark bone, and tissue outside
the brain that a network must learn to ignore.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import FloatArray
from gliomask.phantom.fields import VoxelRegion
from gliomask.phantom.tissues import Tissue

Triple = tuple[float, float, float]

_FACE = (
    ((0, 25, -65), (66, 62, 75)),
    ((0, 83, -62), (13, 17, 20)),
    ((0, -12, -55), (76, 85, 48)),
    ((0, -30, -100), (66, 70, 72)),
)
"""(centre, radii) in template mm of face, nose, base of the skull and neck."""
_WALL_MM = 24
"""Skull and scalp are thinner than this."""
_AIR = (
    ((0, 60, -52), (14, 26, 20)),
    ((27, 52, -62), (13, 17, 15)),
    ((-27, 52, -62), (13, 17, 15)),
    ((0, 20, -40), (13, 11, 9)),
    ((0, 78, -12), (17, 5, 9)),
    ((54, -38, -44), (11, 14, 14)),
    ((-54, -38, -44), (11, 14, 14)),
)
"""Nasal cavity, maxillary, sphenoid and frontal sinuses, mastoid cells."""
_EYES = ((32, 58, -37), (-32, 58, -37))
_APEX = ((14, 26, -34), (-14, 26, -34))
"""Where the optic nerve and the muscles of each eye leave the orbit."""


def head_mask(points: FloatArray, vault: FloatArray) -> npt.NDArray[np.bool_]:
    """(N, parts): where a head may be, with room to spare."""
    return np.asarray((vault > -_WALL_MM) | (_solids(points, _FACE) > 0))


def add_head(
    rng: np.random.Generator,
    region: VoxelRegion,
    points: FloatArray,
    vault: FloatArray,
    fractions: FloatArray,
) -> None:
    """Puts a head around a brain, in place.

    Args:
        rng: source of random numbers.
        region: N voxels, the head's among them.
        points: (3, N, parts) places in the template, mm.
        vault: (N, parts) mm beneath the inside of the skull.
        fractions: (T, N, parts) with the brain's tissues.
    """
    outside = -vault
    bone_mm = np.clip(rng.normal(5.5, 0.8) + 1.2 * region.smooth(rng, 35.0), 2.5, 10)
    scalp_mm = np.clip(rng.normal(5.5, 1.2) + 1.0 * region.smooth(rng, 35.0), 2.5, 12)
    temple = _temple(points)
    skin = np.maximum(bone_mm + scalp_mm + 9 * temple - outside, _solids(points, _FACE))
    room = 1 - fractions.sum(axis=0)

    _fill_vault(fractions, room * _step(vault), points, outside)
    diploe = np.clip(1.2 - np.abs(2 * outside / bone_mm - 1), 0, 1)
    bone = room * _step(outside) * _step(bone_mm - outside) * _step(skin)
    fractions[Tissue.MARROW] += bone * diploe
    air = _step(_solids(points, _AIR)) * _step(outside - 1) * _step(skin - 5)
    air *= region.rough(rng, (7, 4)) < 0.9  # what is left are turbinates and septa
    flesh = room * _step(outside - bone_mm) * _step(skin) * (1 - air)
    lean = _lean(rng, region, skin, temple)
    fractions[Tissue.MUSCLE] += flesh * lean
    fractions[Tissue.FAT] += flesh * (1 - lean)
    for eye, apex in zip(_EYES, _APEX, strict=True):
        _put_eye(fractions, flesh, points, eye, apex)


def _fill_vault(
    fractions: FloatArray, room: FloatArray, points: FloatArray, outside: FloatArray
) -> None:
    """Fluid around the brain, the dura on the bone, the sagittal sinus in the midline."""
    dura = 0.5 * np.clip(1 - np.abs(outside + 0.8), 0, 1)
    high = (points[2] > 0) | (points[1] < -60)
    sinus = np.clip(5.5 + outside - 0.8 * np.abs(points[0]), 0, 1) * high
    vessel = np.clip(dura + sinus, 0, 1)
    fractions[Tissue.VESSEL] += room * vessel
    fractions[Tissue.CSF] += room * (1 - vessel)


def _lean(
    rng: np.random.Generator, region: VoxelRegion, skin: FloatArray, temple: FloatArray
) -> FloatArray:
    """(N, parts) share of muscle in flesh: skin, then fat, then muscle with fat in between."""
    bundles = np.clip(0.7 + 0.6 * region.rough(rng, (9, 5)), 0, 1)
    deep = _step(skin - 6) * np.maximum(bundles, temple > 0.4)
    return np.asarray(np.maximum(deep, _step(np.float32(1.2) - skin)))


def _put_eye(
    fractions: FloatArray, flesh: FloatArray, points: FloatArray, eye: Triple, apex: Triple
) -> None:
    """Turns the flesh of an orbit to fat, with an eyeball and its nerve."""
    along = _along(points, eye, apex)
    line = _distance(points, _column(eye) + (_column(apex) - _column(eye)) * along)
    orbit = _step(17 - 13 * along - line)
    globe = 12.5 - _distance(points, _column(eye))
    lean = np.maximum(_step(2.5 - line), _step(globe)) - _step(globe - 1.5)
    fractions[Tissue.MUSCLE] += orbit * (flesh * lean - fractions[Tissue.MUSCLE])
    fractions[Tissue.CSF] += orbit * flesh * _step(globe - 1.5)
    fat = np.clip(1 - lean - _step(globe - 1.5), 0, 1)
    fractions[Tissue.FAT] += orbit * (flesh * fat - fractions[Tissue.FAT])


def _temple(points: FloatArray) -> FloatArray:
    """(N, parts) 0 to 1: where the temporal muscle lies."""
    x, y, z = points
    bump = np.exp(-(((y - 22) / 22) ** 2) - ((z + 22) / 26) ** 2)
    return np.asarray(bump * _step((np.abs(x) - 38) / 10))


def _solids(points: FloatArray, solids: tuple[tuple[Triple, Triple], ...]) -> FloatArray:
    """About how many mm inside the union of ellipsoids each point lies; negative outside."""
    depth = np.full(points.shape[1:], -np.inf, np.float32)
    for centre, radii in solids:
        length = np.sqrt(np.sum(((points - _column(centre)) / _column(radii)) ** 2, axis=0))
        depth = np.maximum(depth, (1 - length) * min(radii))
    return depth


def _along(points: FloatArray, start: Triple, end: Triple) -> FloatArray:
    """Relative position, 0 to 1, of the nearest point on the line from start to end."""
    way = _column(end) - _column(start)
    along = np.sum((points - _column(start)) * way, axis=0) / np.sum(way**2)
    return np.asarray(np.clip(along, 0, 1), np.float32)


def _distance(points: FloatArray, place: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.sum((points - place) ** 2, axis=0)))


def _column(triple: Triple) -> FloatArray:
    return np.array(triple, np.float32).reshape(3, 1, 1)


def _step(depth_mm: FloatArray) -> FloatArray:
    """0 outside, 1 inside, a border of 1 mm."""
    return np.asarray(np.clip(depth_mm + np.float32(0.5), 0, 1), np.float32)
