"""A prediction at a glance: a few slices with the tumour's outline, and its volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import orientation, spacing_mm, to_reading
from gliomask.core.intensity import foreground_level
from gliomask.core.labels import region_masks
from gliomask.core.prediction import Prediction
from gliomask.core.volume import Volume, best_shown
from gliomask.report import slices, style

_COLUMNS = 5
_Cropped = tuple[str, slices.Image, slices.Mask, slices.Pixel]


def draw_preview(prediction: Prediction, volume: Volume, path: Path) -> Path:
    """Draws the sequence that shows oedema best, without the outline above and with it below.

    The slices are spread over the tumour and hold its largest one. Where nothing was found they
    are spread over the volume, and the figure says so.

    Args:
        prediction: of ``volume``.
        volume: the examination.
        path: the file, ``.png``; its folder is made if it is missing.
    """
    name, image, masks, pixel = _crop(prediction, volume)
    chosen = choose_slices(masks.any(axis=0).sum(axis=(1, 2)), _COLUMNS)
    grey = slices.window(image)
    side = 2.4 * slices.proportion(image, pixel)
    figure = style.new_figure(max(6.0, 2.4 * len(chosen)), 2 * side + 1.6)
    figure.suptitle(_title(prediction, name), fontsize=12, color=style.INK)
    grid = figure.subplots(2, len(chosen), squeeze=False)
    for (upper, lower), number in zip(grid.T, chosen, strict=True):
        slices.show(upper, image[number], grey, pixel, f"slice {number + 1} of {len(image)}")
        slices.show(lower, image[number], grey, pixel)
        for region, mask in zip(prediction.regions, masks[:, number], strict=True):
            slices.outline(lower, mask, style.REGION_COLOURS[region])
        if prediction.has_world:
            slices.letters(upper)
            slices.letters(lower)
    style.foot(figure, "; ".join(prediction.notes), _sizes(prediction))
    (written,) = style.save(figure, path.with_suffix(""))
    return written


def choose_slices(area: npt.NDArray[np.integer], count: int) -> list[int]:
    """At most ``count`` slices spread over those with tumour, the largest among them.

    Args:
        area: tumour pixels of each slice; all slices are chosen from if there are none.
        count: at least 1.
    """
    held = np.flatnonzero(area) if area.any() else np.arange(area.size)
    # Among those that are marked: a speck far from the tumour must not spread them over nothing.
    spread = held[np.linspace(0, held.size - 1, count + 2)[1:-1].round().astype(int)]
    if area.any():
        largest = int(np.argmax(area))
        spread[np.argmin(np.abs(spread - largest))] = largest
    return sorted(set(spread.tolist()))


def _crop(prediction: Prediction, volume: Volume) -> _Cropped:
    """The sequence to show and the masks, in the reading frame, without the air around."""
    name = best_shown(volume.sequences)
    turn = orientation(volume.affine)
    image = to_reading(volume.array[volume.sequences.index(name)], turn)
    masks = to_reading(region_masks(prediction.mask, prediction.regions), turn)
    head = (image > foreground_level(image)).sum(axis=0)
    rows, columns = slices.bounds((head > 0.01 * len(image)) | masks.any(axis=(0, 1)))
    sizes = spacing_mm(volume.affine)
    pixel = sizes[turn.axes[1]], sizes[turn.axes[2]]
    return name, image[:, rows, columns], masks[..., rows, columns], pixel


def _title(prediction: Prediction, sequence: str) -> str:
    found = "" if prediction.mask.any() else ": no tumour found"
    return f"{prediction.case}{found}\n{sequence}, segmented by {prediction.model}"


def _sizes(prediction: Prediction) -> list[tuple[str, str]]:
    """Each region's name and size, and its colour."""
    volumes = prediction.volumes_ml
    entries = []
    for region, voxels in prediction.voxels.items():
        size = f"{voxels} voxels" if volumes is None else f"{volumes[region]:.1f} ml"
        entries.append((f"{style.REGION_NAMES[region]} {size}", style.REGION_COLOURS[region]))
    return entries
