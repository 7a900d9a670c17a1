"""A picture that Pillow has opened to an array of its shades or colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from gliomask.errors import FormatError

_TYPES = {"1": "uint8", "L": "uint8", "RGB": "uint8", "I;16": "uint16", "I;16L": "uint16",
          "I;16B": "uint16", "I": "int32", "F": "float32"}  # fmt: skip
"""Pillow's modes of grey and colour -> the type that represents them unrounded."""
_OPAQUE = 255


def pixels_of(picture: Image.Image) -> npt.NDArray[Any]:
    """The shades (rows, columns, 1) or colours (rows, columns, 3) of a picture.

    A palette becomes its colours (its shades if all are grey), full opacity is left out.

    Raises:
        FormatError: partly transparent; a colour space other than grey or RGB.
    """
    if picture.mode in ("P", "PA", "LA", "RGBA") or picture.has_transparency_data:
        return _without_alpha(picture)
    if picture.mode not in _TYPES:
        allowed = "grey or RGB"
        raise FormatError(
            "not that kind of picture", field="mode", found=picture.mode, allowed=allowed
        )
    return with_channels(np.asarray(picture).astype(_TYPES[picture.mode]))


def with_channels(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(rows, columns) as (rows, columns, 1)."""
    return array if array.ndim == 3 else array[..., np.newaxis]


def _without_alpha(picture: Image.Image) -> npt.NDArray[Any]:
    colours = np.asarray(picture.convert("RGBA"))
    check_opaque(colours[..., 3], _OPAQUE)
    if picture.mode == "P" or picture.mode.startswith(("PA", "L")):
        grey = (colours[..., :3] == colours[..., :1]).all()
        return colours[..., :1] if grey else colours[..., :3]
    if picture.mode == "RGB" or picture.mode == "RGBA":
        return colours[..., :3]
    return with_channels(np.asarray(picture).astype(_TYPES[picture.mode]))


def check_opaque(alpha: npt.NDArray[Any], full: int) -> None:
    """Check that no pixel is transparent, because its value would depend on the background.

    Raises:
        FormatError: one is.
    """
    if (alpha != full).any():
        what, hint = "a transparent picture", "save it without transparency"
        raise FormatError(
            what, field="alpha", found=int(alpha.min()), allowed=f"{full} throughout", hint=hint
        )
