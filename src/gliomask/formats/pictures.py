"""Stacks of pictures: the axial slices of one examination as TIFF or PNG files.

Pictures have no patient coordinates: only the order of rows, columns and slices is known. The stack
gets the orientation in which axial slices are shown (``core.geometry.PICTURE_AFFINE``) and voxels
of 1 mm that must not be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gliomask.core.atomic import atomic_path
from gliomask.core.volume import FloatArray
from gliomask.errors import FormatError
from gliomask.formats.limits import MAX_PICTURES, MAX_VOXELS
from gliomask.formats.numbers import check_finite
from gliomask.formats.picture import read_pages, read_picture

_WRITABLE = (".tif", ".tiff", ".png")


def read_stack(paths: Sequence[Path]) -> npt.NDArray[Any]:
    """All channels of a stack of pictures as they are stored.

    Args:
        paths: the slices in reading order, feet to head; or one file whose pages are the slices.

    Returns:
        (I = columns, J = rows, K = slices, C = 1 or 3) in the type of the pictures.

    Raises:
        FormatError: no picture at all, one that can't be read, or one that differs in size or
            type from the first; it is named.
    """
    if not 0 < len(paths) <= MAX_PICTURES:
        allowed = f"1 to {MAX_PICTURES}"
        raise FormatError("not a stack", field="pictures", found=len(paths), allowed=allowed)
    if len(paths) == 1:
        return read_pages(paths[0]).transpose(2, 1, 0, 3)
    first = read_picture(paths[0])
    if first.size * len(paths) > MAX_VOXELS:
        what, allowed = "too large a stack", f"up to {MAX_VOXELS}"
        size = first.size * len(paths)
        raise FormatError(what, path=paths[0], field="values", found=size, allowed=allowed)
    stack = np.empty((*first.shape[:2], len(paths), first.shape[2]), first.dtype)
    for k, path in enumerate(paths):
        stack[:, :, k] = _like(first, read_picture(path), path) if k else first
    return stack.swapaxes(0, 1)


def stack_shape(paths: Sequence[Path]) -> tuple[int, int, int]:
    """(I, J, K) of a stack by its first picture.

    Raises:
        FormatError: it can't be read.
    """
    pages, rows, columns, _ = read_pages(paths[0]).shape
    return columns, rows, pages * len(paths)


def is_colour(stack: npt.NDArray[Any]) -> bool:
    """Return True if the channels of a stack (..., C) differ."""
    return stack.shape[-1] > 1 and bool((stack != stack[..., :1]).any())


def pick_channel(stack: npt.NDArray[Any], channel: int | None, path: Path) -> FloatArray:
    """The channel of a stack (I, J, K, C) as (I, J, K) float32; ``path`` is for the error."""
    channels = stack.shape[-1]
    if channel is None and is_colour(stack):
        hint = "save one of its channels as a grey picture"
        raise FormatError("a colour picture instead of a grey one", path=path, hint=hint)
    if channel is not None and not 0 <= channel < channels:
        allowed = f"0 to {channels - 1}"
        raise FormatError(
            "no such channel", path=path, field="channel", found=channel, allowed=allowed
        )
    return check_finite(stack[..., channel or 0].astype(np.float32), path)


def write_picture(path: Path, array: npt.NDArray[np.uint8], note: str = "") -> None:
    """Write a picture atomically.

    Args:
        path: ends in ``.tif``, ``.tiff`` or ``.png``, which lose nothing.
        array: (rows, columns) grey or (rows, columns, 3) RGB, uint8.
        note: a text that the file carries, e.g. what it may be used for.

    Raises:
        ValueError: another suffix, shape or type.
    """
    if path.suffix not in _WRITABLE:
        raise ValueError(f"{path.name} does not end in {', '.join(_WRITABLE)}")
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)):
        raise ValueError(f"{array.dtype} of shape {array.shape} is not a picture")
    with atomic_path(path) as temporary:
        if path.suffix == ".png":
            metadata = PngInfo()
            if note:
                metadata.add_text("Comment", note)
            Image.fromarray(array).save(temporary, pnginfo=metadata)
        else:
            photometric = "rgb" if array.ndim == 3 else "minisblack"
            tifffile.imwrite(
                temporary, array, photometric=photometric, metadata=None, description=note or None
            )


def _like(first: npt.NDArray[Any], picture: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    if (picture.shape, picture.dtype) != (first.shape, first.dtype):
        kind, allowed = _kind(picture), f"{_kind(first)} like the stack's first"
        raise FormatError(
            "does not fit its stack", path=path, field="picture", found=kind, allowed=allowed
        )
    return picture


def _kind(picture: npt.NDArray[Any]) -> str:
    rows, columns, channels = picture.shape
    return f"{columns} x {rows} x {channels} {picture.dtype}"
