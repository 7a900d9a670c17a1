"""Reading of mask pictures, and refusal of grey ones without a threshold.

A picture of a mask has two levels, black and one other. More levels are either label numbers, which
the user must state, or grey levels: a probability map, a mask with soft edges, a JPEG.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gliomask.errors import FormatError, same_with
from gliomask.formats.pictures import read_stack

MAX_NUMBER = 15
"""The largest number of a label in a picture; above, it is a shade."""


def read_mask_pictures(
    paths: Sequence[Path], *, numbered: bool = False, threshold: int | None = None
) -> npt.NDArray[np.uint8]:
    """A stack of mask pictures as numbers (I, J, K), 0 where nothing is marked.

    Pictures of two levels, whatever the other level is, contain 0 and that level up to
    ``MAX_NUMBER``, else 1.

    Args:
        paths: see ``read_stack``.
        numbered: a picture of more levels contains numbers of labels, up to ``MAX_NUMBER``.
        threshold: pictures contain shades; marked, as 1, is what has at least this level.

    Raises:
        FormatError: as ``read_stack``; more levels, and neither a threshold nor numbers.
    """
    shades = _shades(read_stack(paths), paths[0])
    levels = np.unique(shades)
    marked = levels[levels != 0]
    numbers: npt.NDArray[np.uint8]
    if threshold is not None:
        numbers = (shades >= threshold).astype(np.uint8)
    elif len(marked) <= 1 and len(levels) <= 2:
        number = marked[0] if marked.size and 0 < marked[0] <= MAX_NUMBER else 1
        numbers = np.multiply(shades != 0, number, dtype=np.uint8, casting="unsafe")
    elif numbered and set(levels.tolist()) <= set(range(MAX_NUMBER + 1)):
        numbers = shades.astype(np.uint8)
    else:
        level = same_with(("labels", f"threshold={_half(shades.dtype)}"))
        raise FormatError(
            "a mask picture with many grey levels: the threshold for tumour is unknown",
            path=paths[0],
            field="grey levels",
            found=len(levels),
            allowed="2, black and one other",
            hint=f"state the threshold: {level}",
        )
    return numbers


def _shades(stack: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    """(I, J, K) of a grey stack; of one in two colours, black and another: 0 and 1."""
    marked: npt.NDArray[Any] = stack[..., 0]
    if (stack == stack[..., :1]).all():
        return marked
    colours = np.unique(stack[stack.any(axis=-1)], axis=0)
    if len(colours) > 1:
        what, allowed = "a colour picture instead of a mask", "1 besides black"
        raise FormatError(what, path=path, field="colours", found=len(colours), allowed=allowed)
    marked = np.any(stack, axis=-1).astype(np.uint8)
    return np.asarray(marked)


def _half(dtype: np.dtype[Any]) -> int:
    """Half of the full shade: 128 of 255."""
    return 1 if dtype.kind == "f" else int(np.iinfo(dtype).max) // 2 + 1
