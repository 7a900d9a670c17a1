"""Weights of convolutions in 8 bits, with a scale for each output channel: a quarter of the size.

A convolution's weights w become integers q = round(w / s) from -127 to 127, where s is the largest
|w| of the output channel divided by 127. Biases and the values of batch norms stay float32. A
network is computed in float32 from q * s; only the file is smaller.

Source: Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference: a
whitepaper", arXiv:1806.08342, section 3 (symmetric, per channel).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

SCALE: Final = ".scale"
"""What follows the name of an 8-bit entry in the name of its scales."""
_LARGEST: Final = 127
_Arrays = dict[str, npt.NDArray[Any]]


def pack(arrays: Mapping[str, npt.NDArray[Any]]) -> _Arrays:
    """Weights for a file of 8-bit weights.

    Args:
        arrays: entries of a network by name; those of four axes, (out, in, height, width) float32
            and finite, are packed, the others are kept.

    Returns:
        entries by name: for each packed one an int8 array of its shape, and its float32 scales of
        shape (out,) under the name with ``SCALE``. Empty of nothing.
    """
    packed: _Arrays = {}
    for name, array in arrays.items():
        if array.ndim != 4:
            packed[name] = array
            continue
        largest = np.abs(array).max(axis=(1, 2, 3))
        scale = np.where(largest > 0, largest / np.float32(_LARGEST), 1).astype(np.float32)
        levels = np.rint(array / scale[:, None, None, None])
        packed[name] = np.clip(levels, -_LARGEST, _LARGEST).astype(np.int8)
        packed[name + SCALE] = scale
    return packed


def unpack(arrays: Mapping[str, npt.NDArray[Any]]) -> _Arrays:
    """The weights of a file in float32, whether it is of 8-bit weights or not.

    Args:
        arrays: entries of the file by name.

    Returns:
        entries by name. An 8-bit entry without scales of its shape is kept as it is, as are scales
        that belong to none: the check of names and shapes that follows refuses them.
    """
    pairs = {name: name + SCALE for name in arrays if _is_packed(arrays, name)}
    scales = set(pairs.values())
    plain = {name: array for name, array in arrays.items() if name not in scales}
    for name, scale in pairs.items():
        plain[name] = arrays[name].astype(np.float32) * arrays[scale][:, None, None, None]
    return plain


def _is_packed(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> bool:
    levels, scale = arrays[name], arrays.get(name + SCALE)
    return (
        scale is not None
        and levels.ndim == 4
        and levels.dtype == np.int8
        and scale.dtype == np.float32
        and scale.shape == levels.shape[:1]
    )
