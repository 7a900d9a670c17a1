"""Loading of a case as arrays, with checks that its images and its mask match."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import corner_distance, same_place, turned_like
from gliomask.core.labels import LabelArray
from gliomask.core.volume import Affine, FloatArray, Volume
from gliomask.datasets.mask_labels.read import read_by_scheme
from gliomask.datasets.mask_labels.resolve import BOTH
from gliomask.errors import CaseError, FormatError
from gliomask.formats.images import Image, read_images
from gliomask.jobs.control import SILENT, Control

ShapeAndAffine = tuple[tuple[int, ...], Affine]
"""Shape (I, J, K) and affine."""


def load_case(case: Case, control: Control = SILENT) -> tuple[Volume, LabelArray | None]:
    """Reads a case: its images as one volume, and its mask in canonical labels.

    Args:
        case: case to read.
        control: receives the progress of each image.

    Returns:
        the volume (C, I, J, K) float32 with the sequences in the order of ``case.images``, on the
        grid of the first; and the labels (I, J, K) uint8, None if the case has no mask.

    Raises:
        CaseError: a file can't be read or used; sequences or mask on different grids (both are
            named); a constant image; label numbers that are not in the scheme; an empty mask
            although only slices with tumour were annotated.
    """
    volume = stack_series(case, load_series(case, control))
    control.check()
    if case.label is None:
        return volume, None
    try:
        return volume, _labels(case, case.label, (volume.shape, volume.affine))
    except FormatError as problem:
        raise CaseError(f"{case.id}: {problem}") from problem


def load_series(case: Case, control: Control = SILENT) -> dict[str, Image]:
    """Read the images of a case, each on its own grid, in the order of ``case.images``.

    Args:
        case: case to read.
        control: receives the progress of each image.

    Raises:
        CaseError: no images; a file can't be read or used; a constant image.
    """
    if not case.images:
        raise CaseError(f"{case.id}: no images")
    try:
        images = read_images(tuple(case.images.values()), control)
    except FormatError as problem:
        raise CaseError(f"{case.id}: {problem}") from problem
    for (name, file), image in zip(case.images.items(), images, strict=True):
        control.check()
        low = image.array.min()
        if low == image.array.max():
            what = f"{case.id}: {name} is constant"
            raise CaseError(what, path=str(file), field="intensity", found=float(low))
    return dict(zip(case.images, images, strict=True))


def stack_series(case: Case, series: dict[str, Image], hint: str | None = None) -> Volume:
    """Combine images on one grid to a volume, on the grid of the first.

    An image on the same voxels with other axis directions is reoriented exactly.

    Args:
        case: case of the images.
        series: sequence -> image, at least one. Images are removed from it when they are part of
            the volume: all of them twice would not fit everywhere.
        hint: advice on grids that differ.

    Raises:
        CaseError: an image on another grid than the first; both are stated.
    """
    names, first = tuple(series), next(iter(series.values()))
    check_grids(case, {name: (i.array.shape, i.affine) for name, i in series.items()}, hint)
    shape, affine, has_world = first.array.shape, first.affine, first.has_world
    del first
    array = np.empty((len(names), *shape), np.float32)
    for channel, name in zip(array, names, strict=True):
        channel[...] = _turned(series.pop(name), affine)
    return Volume(array, affine, names, has_world)


def check_grids(case: Case, grids: Mapping[str, ShapeAndAffine], hint: str | None = None) -> None:
    """Check that all images have the grid of the first one, in any axis order and direction.

    Args:
        case: case of the images.
        grids: sequence -> shape (I, J, K) and affine, at least one.
        hint: advice on grids that differ.

    Raises:
        CaseError: an image on another grid than the first; both are stated.
    """
    first = next(iter(grids.values()))
    for name, (shape, affine) in grids.items():
        # Needs no memory: the array is a broadcast scalar.
        turned, placed = turned_like(np.broadcast_to(np.uint8(0), shape), affine, first[1])
        _check_grid(case, name, (turned.shape, placed), first, hint)


def _turned(image: Image, affine: Affine) -> FloatArray:
    return turned_like(image.array, image.affine, affine)[0]


def _labels(case: Case, file: ImageFile, grid: ShapeAndAffine) -> LabelArray:
    if case.scheme is None:
        raise CaseError(f"{case.id}: the numbers in its mask are ambiguous", path=str(file))
    labels, affine = read_by_scheme(file, case.scheme, BOTH)
    shape, image_affine = grid
    if case.lost_origin:
        affine = image_affine
    alike = labels.shape == shape and np.allclose(affine[:, :3], image_affine[:, :3])
    labels, affine = turned_like(labels, affine, image_affine)
    hint = _mend(case, file) if alike else None
    _check_grid(case, "the mask", (labels.shape, affine), grid, hint)
    if case.sparse and not labels.any():
        what = f"{case.id}: an empty mask, although only slices with tumour were annotated"
        raise CaseError(what, path=str(file))
    return labels


def _mend(case: Case, mask: ImageFile) -> str | None:
    """Hint for a mask that has the size of the image but another position in its header."""
    image, *others = next(iter(case.images.values())).paths
    if others or not image.name.lower().endswith((".nii", ".nii.gz")):
        return None
    names = f"m, i = n.load({str(mask)!r}), n.load({str(image)!r})"
    save = f"n.save(n.Nifti1Image(m.get_fdata(), i.affine), {str(mask)!r})"
    code = f"import nibabel as n; {names}; {save}"
    return f'if it was drawn on that image, fix it with: python -c "{code}"'


def _check_grid(
    case: Case,
    name: str,
    grid: ShapeAndAffine,
    first: ShapeAndAffine,
    hint: str | None = None,
) -> None:
    """Check that an image or mask has the grid of the first image of the case."""
    (shape, affine), (first_shape, first_affine) = grid, first
    if shape != first_shape:
        what = f"{case.id}: {name} is on another grid than {next(iter(case.images))}"
        allowed = _sizes(first_shape)
        raise CaseError(what, field="shape", found=_sizes(shape), allowed=allowed, hint=hint)
    if not same_place(affine, first_affine, shape):
        apart = corner_distance(affine, first_affine, shape)
        what = f"{case.id}: {name} lies up to {apart:.3g} mm away from {next(iter(case.images))}"
        allowed = _affine_text(first_affine)
        raise CaseError(
            what, field="affine", found=_affine_text(affine), allowed=allowed, hint=hint
        )


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)


def _affine_text(affine: Affine) -> str:
    return "; ".join(" ".join(f"{n:.4g}" for n in row) for row in affine[:3])
