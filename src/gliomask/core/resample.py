"""Resampling of slices of any size to the network's square grid and back.

The physical aspect ratio is preserved: a slice is scaled until its longer side fills the grid, and
centred. Both directions are products with two small matrices, one for the rows and one for the
columns, which BLAS computes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gliomask.core.labels import LabelArray
from gliomask.core.volume import FloatArray

Real = TypeVar("Real", np.float32, np.float64)


def fit(stack: npt.NDArray[np.floating], pixel_mm: tuple[float, float], size: int) -> FloatArray:
    """Resample slices (..., H, W) to (..., size, size) float32, by antialiased linear
    interpolation.

    Outside the slice its last row or column is repeated, so no border appears. The result is
    rounded to half precision, like the slices in training, so that training and prediction have
    identical inputs. It is computed in double precision, because in single precision the last digit
    depends on the number of slices per call, which sometimes changes the rounding.

    Args:
        stack: (..., H, W); an empty stack gives an empty one.
        pixel_mm: (row, column) spacing.
        size: side of the network's input in pixels.
    """
    height, width = stack.shape[-2:]
    rows, columns = scales((height, width), pixel_mm, size)
    wide = stack.astype(np.float64)
    fitted = _apply(wide, _weights(height, size, rows), _weights(width, size, columns))
    return fitted.astype(np.float16).astype(np.float32)


def unfit(
    maps: npt.NDArray[np.floating], pixel_mm: tuple[float, float], shape: tuple[int, int]
) -> FloatArray:
    """Resample maps (..., size, size) back to the grid of the slices (..., H, W): inverse of
    ``fit``."""
    size = maps.shape[-1]
    rows, columns = scales(shape, pixel_mm, size)
    single = maps.astype(np.float32, copy=False)
    return _apply(single, _weights(size, shape[0], 1 / rows), _weights(size, shape[1], 1 / columns))


def fit_labels(labels: LabelArray, pixel_mm: tuple[float, float], size: int) -> LabelArray:
    """Resample labels (..., H, W) by nearest neighbour; 0 outside the slice."""
    height, width = labels.shape[-2:]
    row_scale, column_scale = scales((height, width), pixel_mm, size)
    rows, inside_rows = _nearest(height, size, row_scale)
    columns, inside_columns = _nearest(width, size, column_scale)
    picked = labels[..., rows[:, None], columns[None, :]]
    return np.where(inside_rows[:, None] & inside_columns[None, :], picked, 0).astype(np.uint8)


def scales(shape: tuple[int, int], pixel_mm: tuple[float, float], size: int) -> tuple[float, float]:
    """Grid pixels per slice pixel, for rows and for columns."""
    longest = max(shape[0] * pixel_mm[0], shape[1] * pixel_mm[1])
    return size * pixel_mm[0] / longest, size * pixel_mm[1] / longest


def _source(n_in: int, n_out: int, scale: float) -> npt.NDArray[np.floating]:
    """Centre of each output pixel in input pixel indices."""
    return (np.arange(n_out) + 0.5 - n_out / 2) / scale + n_in / 2 - 0.5


@lru_cache(maxsize=64)
def _weights(n_in: int, n_out: int, scale: float) -> FloatArray:
    """Interpolation weights (n_out, n_in): each row is a triangle that sums to 1.

    The triangle is as wide as an output pixel when shrinking (antialiasing), as an input pixel
    when growing (linear interpolation).
    """
    centre = _source(n_in, n_out, scale)
    reach = max(1.0, 1.0 / scale)
    first = np.floor(centre - reach).astype(int)
    offsets = np.arange(int(np.ceil(2 * reach)) + 2)
    index = first[:, None] + offsets
    weight = np.clip(1.0 - np.abs(index - centre[:, None]) / reach, 0.0, None)
    matrix = np.zeros((n_out, n_in))
    np.add.at(matrix, (np.arange(n_out)[:, None], np.clip(index, 0, n_in - 1)), weight)
    weights: FloatArray = (matrix / matrix.sum(axis=1, keepdims=True)).astype(np.float32)
    weights.flags.writeable = False
    return weights


def extent(shape: tuple[int, int], pixel_mm: tuple[float, float], size: int) -> tuple[slice, slice]:
    """The rows and columns of the grid whose centres lie within a slice (H, W)."""
    sides = zip(shape, scales(shape, pixel_mm, size), strict=True)
    inside = [np.flatnonzero(_nearest(n, size, scale)[1]) for n, scale in sides]
    rows, columns = (slice(int(where[0]), int(where[-1]) + 1) for where in inside)
    return rows, columns


def _nearest(
    n_in: int, n_out: int, scale: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    index = np.floor(_source(n_in, n_out, scale) + 0.5).astype(np.int64)
    return np.clip(index, 0, n_in - 1), (index >= 0) & (index < n_in)


def _apply(stack: npt.NDArray[Real], rows: FloatArray, columns: FloatArray) -> npt.NDArray[Real]:
    """Compute both products in the precision of the stack, each as one large product, which is
    faster than many small ones on a busy machine."""
    product = _product(stack, columns)
    scaled = _product(product.swapaxes(-1, -2), rows)
    return np.ascontiguousarray(scaled.swapaxes(-1, -2))


def _product(stack: npt.NDArray[Real], weights: FloatArray) -> npt.NDArray[Real]:
    """(..., n_in) to (..., n_out) by weights (n_out, n_in)."""
    lead = stack.shape[:-1]
    matrix = weights.T.astype(stack.dtype, copy=False)
    product: npt.NDArray[Real] = stack.reshape(-1, stack.shape[-1]) @ matrix
    return product.reshape(*lead, len(weights))
