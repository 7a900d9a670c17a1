"""One image on the grid of another: where each voxel comes from, and how it is interpolated.

Linear interpolation at the reference's voxel centres. A series is seen as far as its voxels reach,
half a voxel beyond its outermost centres, where it has the value of the nearest one; beyond that
lies nothing.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine, FloatArray

Shape = tuple[int, int, int]

_WHOLE = 1e-3
"""Grids whose voxels coincide within this share of a voxel are copied, not interpolated."""
_EDGE = 1e-4
"""How far beyond a series' edge, in voxels, still counts as on it: affines are rounded."""
_LEAST_SIGMA = 0.25
"""A Gaussian narrower than this, in voxels, does nothing between samples: it is left out."""


def resample_to(
    image: FloatArray, affine: Affine, shape: Shape, reference_affine: Affine
) -> FloatArray:
    """An image at the voxel centres of another grid, by linear interpolation.

    Where the reference's voxels are larger (from about a third on), the image is first blurred
    with the Gaussian whose variance, added to that of its own voxel, is that of the reference's
    voxel seen along the image's axes. So a thick slice shows the mean of what lies in it and
    nothing aliases. Where the two grids coincide, in any order of axes, voxels are copied
    exactly.

    Args:
        image: (I, J, K) float32, finite.
        affine: (4, 4) of the image, voxel index to RAS+ mm.
        shape: (I', J', K') of the reference.
        reference_affine: (4, 4) of the reference, to the same millimetres.

    Returns:
        (I', J', K') float32. Beyond the image stands its minimum, which is air in an MR image and
        the 0 around a brain without its skull. An empty reference gives an empty image.

    Raises:
        ValueError: the image is empty, or an affine singular.
    """
    from scipy import ndimage

    if image.size == 0:
        raise ValueError("an empty image can't be resampled")
    matrix = _index_matrix(affine, shape, reference_affine)
    out = np.empty(shape, np.float32)
    if out.size:
        ndimage.affine_transform(
            _antialiased(image, matrix),
            matrix[:3, :3],
            matrix[:3, 3],
            output=out,
            order=1,
            mode="nearest",
        )
        out[~_inside(image.shape, shape, matrix)] = image.min()
    return out


def voxels_inside(
    shape: Shape, affine: Affine, reference_shape: Shape, reference_affine: Affine
) -> npt.NDArray[np.bool_]:
    """Mask of the voxels of a reference grid whose centres lie within another image.

    Args:
        shape: (I, J, K) of the image.
        affine: (4, 4) of the image, voxel index to RAS+ mm.
        reference_shape: (I', J', K').
        reference_affine: (4, 4) of the reference.

    Returns:
        (I', J', K') bool.

    Raises:
        ValueError: an affine is singular.
    """
    matrix = _index_matrix(affine, reference_shape, reference_affine)
    return _inside(shape, reference_shape, matrix)


def _index_matrix(affine: Affine, shape: Shape, reference_affine: Affine) -> Affine:
    """(4, 4): index in the reference to index in the image; whole numbers where they are meant."""
    try:
        matrix: Affine = np.asarray(np.linalg.solve(affine, reference_affine), np.float64)
    except np.linalg.LinAlgError:
        raise ValueError("the affine is singular") from None
    if not np.isfinite(matrix).all():
        raise ValueError("the affine is singular or not finite")
    whole: Affine = np.rint(matrix)
    corners = np.array([(*c, 1) for c in itertools.product(*((0, n - 1) for n in shape))])
    if np.abs(corners @ (matrix - whole).T).max() < _WHOLE:
        return whole
    return matrix


def _antialiased(image: FloatArray, matrix: Affine) -> FloatArray:
    """The image blurred along those of its axes along which the reference's voxels are larger."""
    from scipy import ndimage

    # The box of one reference voxel, seen along an axis of the image, has this variance times 12.
    spread = np.square(matrix[:3, :3]).sum(axis=1)
    sigma = np.sqrt(np.clip(spread - 1, 0, None) / 12)
    sigma[sigma < _LEAST_SIGMA] = 0
    if not sigma.any():
        return image
    blurred: FloatArray = ndimage.gaussian_filter(image, sigma, mode="nearest")
    return blurred


def _inside(
    shape: tuple[int, ...], reference_shape: Shape, matrix: Affine
) -> npt.NDArray[np.bool_]:
    """(I', J', K') bool, made slab by slab: coordinates take eight times the memory of voxels."""
    inside = np.ones(reference_shape, bool)
    _, rows, columns = np.ogrid[:0, : reference_shape[1], : reference_shape[2]]
    for axis, size in enumerate(shape):
        i, j, k, start = matrix[axis]
        plane = j * rows[0] + k * columns[0]
        for number, slab in enumerate(inside):
            index = plane + (start + i * number)
            slab &= (index >= -0.5 - _EDGE) & (index <= size - 0.5 + _EDGE)
    return inside
