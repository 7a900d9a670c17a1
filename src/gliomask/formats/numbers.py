"""Requirements on voxel values in any format: finite in images, integers in masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import FloatArray
from gliomask.errors import FormatError

Numbers = TypeVar("Numbers", bound=np.floating)

ROUNDING = 1e-3
"""How far a mask's number may be from a whole one in any case."""
MAX_ROUNDING = 0.02
"""And how far at most where it is stored as integers with a slope, which rounds it by half a step.
nibabel chooses such a slope for every float array that it saves as integers."""


def to_float32(numbers: npt.NDArray[Any]) -> FloatArray:
    """Numbers as float32; what is beyond its range becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        single: FloatArray = numbers.astype(np.float32)
    return single


def check_finite(numbers: npt.NDArray[Numbers], path: Path) -> npt.NDArray[Numbers]:
    """The numbers, if all are finite.

    Raises:
        FormatError: one isn't; the first is named.
    """
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = tuple(np.argwhere(bad)[0].tolist())
        what = f"{int(bad.sum())} voxels are not finite, the first at {first}"
        raise FormatError(what, path=path, field="voxel", found=float(numbers[first]))
    return numbers


def whole_numbers(
    numbers: npt.NDArray[np.floating], path: Path, step: float = 0.0
) -> npt.NDArray[np.int32]:
    """The numbers of a mask as integers, within the rounding that storing them costs.

    Args:
        numbers: of the mask.
        path: of its file, for the error.
        step: between two numbers that the file can store; 0 if it does not matter.

    Raises:
        FormatError: one is not finite, not whole or too large; the first is named.
    """
    check_finite(numbers, path)
    whole = np.rint(numbers)
    tolerance = max(ROUNDING, min(abs(step) / 2, MAX_ROUNDING))
    wrong = np.argwhere(
        (np.abs(whole - numbers) > tolerance) | (np.abs(whole) > np.iinfo(np.int32).max)
    )
    if wrong.size:
        index = tuple(wrong[0].tolist())
        what = f"{len(wrong)} voxels of a mask are not whole numbers, the first at {index}"
        hint = "apply a threshold to convert a probability map to a mask"
        raise FormatError(what, path=path, field="voxel", found=float(numbers[index]), hint=hint)
    integers: npt.NDArray[np.int32] = whole.astype(np.int32)
    return integers


def pick_volume(volumes: FloatArray, volume: int | None, path: Path) -> FloatArray:
    """One of the volumes (I, J, K, N) as (I, J, K); ``path`` is for the error."""
    count = volumes.shape[-1]
    if volume is None and count > 1:
        raise FormatError(f"4-D: {count} volumes instead of one", path=path)
    if volume is not None and not 0 <= volume < count:
        allowed = f"0 to {count - 1}"
        raise FormatError(
            "no such volume", path=path, field="volume", found=volume, allowed=allowed
        )
    return volumes[..., volume or 0]


def intensities(stored: npt.NDArray[Any], path: Path) -> FloatArray:
    """Stored voxels of any real type as float32.

    Raises:
        FormatError: a voxel that is NaN or infinite.
    """
    return check_finite(to_float32(stored), path)


def label_numbers(stored: npt.NDArray[Any], path: Path) -> npt.NDArray[np.integer]:
    """Stored voxels of a mask as whole numbers in this machine's byte order.

    Raises:
        FormatError: a voxel that is not a whole number.
    """
    if stored.dtype.kind not in "iu":
        return whole_numbers(stored, path)
    return stored.astype(stored.dtype.newbyteorder("="), copy=False)
