"""Kind of input images: whole head, or skull-stripped brain.

The accuracy of a model on one kind does not apply to the other, so it is measured separately.
Skull-stripping leaves two traces. Everything outside the brain has one value, and the outermost
layer is darker than the brain below it, since it mixes cortex with the gaps between gyri; a whole
head begins with bright scalp, followed by dark skull. The second trace fails on T2-weighted images,
where those gaps are bright.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gliomask.core.slices import SliceStack
from gliomask.core.volume import FloatArray

CONSTANT: Final = 0.27
"""Least share of one value in the crop to the head. Measured on 144 cases: skull-stripped ones have
0.31 to 0.40; of whole heads, whose background is rarely set to one value, all but one have less."""
_ALONE: Final = 0.30
"""The same where only T2-weighted images are there."""
_SLICES: Final = 9
"""Looked at, evenly spaced in the middle third of the stack, where heads are largest."""
_RIM: Final = (0.0, 0.06)
_BELOW: Final = (0.12, 0.24)
"""Depths of the outermost layer, and of where the skull would be, as a share of the largest one."""


def is_skull_stripped(stack: SliceStack) -> bool:
    """Return True if the images show a skull-stripped brain.

    Args:
        stack: (S, C, H, W), cropped to the head. Every sequence but T2 has a vote; a tie, and an
            empty stack, count as a whole head.
    """
    slices = _middle(len(stack.array))
    images = {name: stack.array[slices, k] for k, name in enumerate(stack.sequences)}
    voting = {name: image for name, image in images.items() if name != "t2"}
    if not voting:
        return any(_background(image)[1] >= _ALONE for image in images.values())
    needed, left = len(voting) // 2 + 1, len(voting)
    for image in voting.values():
        needed -= _stripped(image)
        left -= 1
        if not 0 < needed <= left:  # the others can't change it
            break
    return needed <= 0


def _middle(count: int) -> npt.NDArray[np.intp]:
    places = np.linspace(count / 3, 2 * count / 3, _SLICES).astype(np.intp)
    return np.unique(places[places < count])


def _background(slices: FloatArray) -> tuple[float, float]:
    """The most frequent value, and its share of all."""
    if not slices.size:
        return 0.0, 0.0
    # Of half precision, as a stack is: counting bit patterns is ten times as fast as sorting.
    bits = (slices + np.float32(0)).astype(np.float16).view(np.uint16)
    counts = np.bincount(bits.ravel(), minlength=1)
    most = counts.argmax()
    return float(most.astype(np.uint16).view(np.float16)), float(counts[most] / slices.size)


def _stripped(slices: FloatArray) -> bool:
    background, share = _background(slices)
    if share < CONSTANT:
        return False
    steps = [step for image in slices if (step := _step(image, background)) is not None]
    return bool(steps) and float(np.mean(steps)) < 0


def _step(image: FloatArray, background: float) -> float | None:
    """Brightness of the outermost layer relative to the layer where the skull would be."""
    inside = ndimage.binary_fill_holes(image != background)
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    share = depth / max(float(depth.max()), 1.0)
    layers = [image[(share > low) & (share <= high)] for low, high in (_RIM, _BELOW)]
    if not all(layer.size for layer in layers):
        return None
    return float(layers[0].mean() - layers[1].mean())
