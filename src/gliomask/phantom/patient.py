"""A synthetic patient: brain, tumour and scan.

A patient is a pure function of the options, a cohort's seed and a number within the cohort. Its
anatomy, its tumour, the scanner and the noise draw from separate streams, so that a change to
one leaves the others as they were.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gliomask.core.labels import LabelArray
from gliomask.core.volume import SEQUENCES, FloatArray, Volume
from gliomask.jobs.control import SILENT, Control
from gliomask.phantom.anatomy import Template, bend, brain, crumple, load_template
from gliomask.phantom.contrast import acquire, draw_protocol
from gliomask.phantom.fields import PhantomGrid, VoxelRegion
from gliomask.phantom.growth import grow, tissues_of
from gliomask.phantom.head import add_head, head_mask
from gliomask.phantom.incidental import add_spots, add_vessels
from gliomask.phantom.options import DEFAULT, PatientOptions, check_range
from gliomask.phantom.tissues import Tissue
from gliomask.phantom.tumour import draw_tumour, push_aside

_BRAIN_MM = 5.0
"""Voxels this far outside the average brain may still contain a little of it."""


def synthetic_patient(
    seed: int, options: PatientOptions = DEFAULT, index: int = 0, control: Control = SILENT
) -> tuple[Volume, LabelArray]:
    """Makes one patient.

    Args:
        seed: of the cohort, 0 or more.
        options: kind of scan.
        index: of the patient in the cohort, from 0.
        control: reports the steps of its making.

    Returns:
        the volume, (4, I, J, K) with all of ``SEQUENCES``, axes RAS+, values from 0 up in
        arbitrary units (exactly 0 outside a brain without its skull); and the labels (I, J, K)
        NECROSIS, OEDEMA, ENHANCING, never empty.

    Raises:
        ConfigError: a negative seed or index.
    """
    check_range("seed", seed, 0, float("inf"))
    check_range("index", index, 0, float("inf"))
    anatomy, lesion, scanner, noise = np.random.default_rng([seed, index]).spawn(4)
    template, grid = load_template(), options.grid
    places = bend(anatomy, grid)
    control.start(5, "step")
    streams = (anatomy, lesion)
    fractions, labels = _brain_with_tumour(template, grid, places, streams, options, control)
    if options.skull:
        fractions = _with_head(template, grid, places, anatomy, fractions)
    control.advance()
    images = acquire(noise, grid, fractions, draw_protocol(scanner))
    if not options.skull:
        images *= fractions.sum(axis=0) > 0.5
    return Volume(images, grid.affine, SEQUENCES), labels


def _brain_with_tumour(
    template: Template,
    grid: PhantomGrid,
    places: FloatArray,
    streams: tuple[np.random.Generator, np.random.Generator],
    options: PatientOptions,
    control: Control,
) -> tuple[FloatArray, LabelArray]:
    """(T, I, J, K) fractions of what lies within the skull, and (I, J, K) labels."""
    anatomy, lesion = streams
    depth = template.depth_mm(places[..., grid.parts // 2])
    region = VoxelRegion(grid, depth > -_BRAIN_MM)
    world, outline = region.take(grid.points()), region.take(places)
    vault = template.vault_mm(outline)
    control.advance()
    points = crumple(anatomy, region, outline, vault)
    tumour = draw_tumour(lesion, template, world, points, options.enhancing)
    push_aside(tumour, world, points, vault)
    control.advance()
    healthy = brain(anatomy, region, template.tissues(points))
    control.advance()
    parts = grow(lesion, region, tumour, world, points, healthy)
    fractions = tissues_of(lesion, region, parts, tumour.density)
    left = 1 - fractions.sum(axis=0) / np.maximum(healthy.sum(axis=0), 1e-3)
    fractions[[Tissue.CSF, Tissue.GM, Tissue.WM]] = healthy * np.clip(left, 0, 1)
    control.advance()
    add_vessels(anatomy, region, fractions)
    add_spots(anatomy, region, fractions)
    return region.put(np.asarray(fractions.mean(axis=-1))), parts.labels(region)


def _with_head(
    template: Template,
    grid: PhantomGrid,
    places: FloatArray,
    rng: np.random.Generator,
    fractions: FloatArray,
) -> FloatArray:
    """(T, I, J, K) with the head around the brain, which is as thick as slices are."""
    points = places[..., grid.parts // 2, None].reshape(3, -1, 1)
    vault = template.vault_mm(points)
    region = VoxelRegion(replace(grid, parts=1), head_mask(points, vault).reshape(grid.shape))
    head = region.take(fractions[..., None])
    add_head(rng, region, points[:, region.index], vault[region.index], head)
    return region.put(head[..., 0])
