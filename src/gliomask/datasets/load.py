"""The one place that turns a case into arrays, and refuses it if its parts don't fit together."""

from __future__ import annotations

import itertools

import numpy as np

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import spacing_mm
from gliomask.core.labels import LabelArray
from gliomask.core.volume import Affine, Volume
from gliomask.errors import CaseError, FormatError
from gliomask.formats.images import Image, read_images, read_labels

GRID_TOLERANCE = 0.05
"""How far apart two grids may put a corner of the volume, as a share of the smallest voxel side.
Rounding in headers moves corners by less than a hundredth; real misplacement by whole voxels."""


def load_case(case: Case) -> tuple[Volume, LabelArray | None]:
    """Reads a case: its images as one volume, and its mask in canonical labels.

    Returns:
        the volume (C, I, J, K) float32 with the sequences in the order of ``case.images``, on the
        grid of the first; and the labels (I, J, K) uint8, None if the case has no mask.

    Raises:
        CaseError: a file can't be read or used; sequences or mask on different grids (both are
            told); a constant image; label numbers that the scheme doesn't know; a mask of
            tumour-only slices without tumour.
    """
    if not case.images:
        raise CaseError(f"{case.id}: no images")
    try:
        images = read_images(tuple(case.images.values()))
        volume = _volume(case, images)
        return volume, _labels(case, case.label, images[0]) if case.label else None
    except FormatError as problem:
        raise CaseError(f"{case.id}: {problem}") from problem


def _volume(case: Case, images: tuple[Image, ...]) -> Volume:
    first = images[0]
    for (name, file), image in zip(case.images.items(), images, strict=True):
        _check_grid(case, name, image.array.shape, image.affine, first)
        low = image.array.min()
        if low == image.array.max():
            what = f"{case.id}: {name} is constant"
            raise CaseError(what, path=str(file), field="intensity", found=float(low))
    array = np.stack([image.array for image in images])
    return Volume(array, first.affine, tuple(case.images), first.has_world)


def _labels(case: Case, file: ImageFile, first: Image) -> LabelArray:
    numbers, affine = read_labels(file)
    _check_grid(case, "the mask", numbers.shape, affine, first)
    try:
        labels = case.scheme.translate(numbers)
    except ValueError as problem:
        raise CaseError(f"{case.id}: {problem}", path=str(file)) from None
    if case.sparse and not labels.any():
        what = f"{case.id}: an empty mask where only slices with tumour were annotated"
        raise CaseError(what, path=str(file))
    return labels


def _check_grid(
    case: Case, name: str, shape: tuple[int, ...], affine: Affine, first: Image
) -> None:
    """Whether an image or mask lies voxel for voxel on the case's first image."""
    if shape != first.array.shape:
        what = f"{case.id}: {name} is on another grid than {next(iter(case.images))}"
        allowed = _sizes(first.array.shape)
        raise CaseError(what, field="shape", found=_sizes(shape), allowed=allowed)
    apart = corner_distance(affine, first.affine, shape)
    if apart > GRID_TOLERANCE * min(spacing_mm(first.affine)):
        what = f"{case.id}: {name} lies up to {apart:.3g} mm away from {next(iter(case.images))}"
        allowed = _told(first.affine)
        raise CaseError(what, field="affine", found=_told(affine), allowed=allowed)


def corner_distance(one: Affine, other: Affine, shape: tuple[int, ...]) -> float:
    """The largest distance in mm between the places that two affines give a volume's corners."""
    corners = np.array([(*c, 1) for c in itertools.product(*((0, n - 1) for n in shape))])
    return float(np.linalg.norm((corners @ (one - other).T)[:, :3], axis=1).max())


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)


def _told(affine: Affine) -> str:
    return "; ".join(" ".join(f"{n:.4g}" for n in row) for row in affine[:3])
