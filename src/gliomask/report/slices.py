"""Drawing of an axial slice: grey window, aspect ratio, orientation letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gliomask.core.intensity import SAMPLE, evenly_spaced
from gliomask.report import colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SliceImage = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]
Window = tuple[float, float]
Pixel = tuple[float, float]
"""(row, column) size, in mm or in any unit: only the ratio counts."""

_SIDES = (("R", 0.03, 0.5), ("L", 0.97, 0.5), ("A", 0.5, 0.96), ("P", 0.5, 0.04))
_ALPHA = 0.45


def window(image: SliceImage) -> Window:
    """The intensities shown as black and as white: the 1st and the 99.5th percentile."""
    low, high = np.percentile(evenly_spaced(image, SAMPLE), (1, 99.5))
    return float(low), float(high) if high > low else float(low) + 1.0


def proportion(image: SliceImage | Mask, pixel: Pixel) -> float:
    """Height over width of slices (..., H, W) as they are shown."""
    height, width = image.shape[-2:]
    ratio: float = height * pixel[0] / (width * pixel[1])
    return ratio


def bounds(mask: Mask, margin: int = 10) -> tuple[slice, slice]:
    """Bounding box of a mask (H, W) with a margin; everything for an empty mask."""
    if not mask.any():
        return slice(None), slice(None)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    first = [max(0, int(indices[0]) - margin) for indices in (rows, columns)]
    return (
        slice(first[0], int(rows[-1]) + 1 + margin),
        slice(first[1], int(columns[-1]) + 1 + margin),
    )


def show(axes: Axes, image: SliceImage, grey: Window, pixel: Pixel, title: str = "") -> None:
    """A grey slice (H, W) of the reading frame in its true proportions."""
    _frame(axes, title)
    low, high = grey
    axes.imshow(image, cmap="gray", vmin=low, vmax=high, aspect=pixel[0] / pixel[1])


def show_mask(axes: Axes, mask: Mask, pixel: Pixel, title: str) -> None:
    """A mask (H, W), white on black."""
    show(axes, mask.astype(np.float32), (0.0, 1.0), pixel, title)


def tint(axes: Axes, mask: Mask, colour: str, pixel: Pixel, alpha: float = _ALPHA) -> None:
    """Lays a colour over a slice where the mask (H, W) is."""
    from matplotlib.colors import to_rgb

    layer = np.zeros((*mask.shape, 4))
    layer[mask] = (*to_rgb(colour), alpha)
    axes.imshow(layer, aspect=pixel[0] / pixel[1], interpolation="nearest")


def outline(axes: Axes, mask: Mask, colour: str) -> None:
    """Draws the border of a mask (H, W); nothing where there is none."""
    if mask.any() and not mask.all():
        axes.contour(mask.astype(np.float32), levels=[0.5], colors=[colour], linewidths=1.1)


def letters(axes: Axes) -> None:
    """Orientation letters in radiological convention: right on the left, front above."""
    for letter, x, y in _SIDES:
        axes.text(
            x,
            y,
            letter,
            transform=axes.transAxes,
            color="white",
            fontsize=8,
            ha="center",
            va="center",
            fontweight="bold",
        )


def _frame(axes: Axes, title: str) -> None:
    axes.set_facecolor("black")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(title, fontsize=10, color=colours.INK, parse_math=False)
