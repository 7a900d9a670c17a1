"""Preview of a prediction: a few slices with the outline of the tumour, and its volume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import orientation, spacing_mm, to_reading
from gliomask.core.intensity import foreground_level
from gliomask.core.prediction import RESEARCH_USE_ONLY, Prediction
from gliomask.core.regions import REGIONS, region_masks
from gliomask.core.sequence_titles import SEQUENCE_TITLES
from gliomask.core.volume import Volume, best_shown
from gliomask.report import colours, slices
from gliomask.report.drawing import Canvas, text_width

_COLUMNS = 5
_PANEL, _NARROWEST = 320, 900
"""Width of a slice and of the narrowest picture, in pixels."""
_GAP, _MARGIN = 18, 18
_TITLE, _LABEL, _NOTE, _SIDE = 23, 18, 15, 16
"""Sizes of text in pixels."""
_LINE = 1.35
"""Distance of lines of text, in their size."""
_SIDES = (("R", 0.03, 0.5), ("L", 0.97, 0.5), ("A", 0.5, 0.04), ("P", 0.5, 0.96))
"""Orientation letters in radiological convention: right on the left, front above."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One slice in the reading frame.

    Attributes:
        title: above it.
        image: (H, W).
        masks: (R, H, W) bool.
    """

    title: str
    image: slices.SliceImage
    masks: slices.Mask


@dataclass(frozen=True, eq=False)
class Preview:
    """Content of a preview.

    Attributes:
        title: two lines.
        panels: at least one, all of one shape.
        ratio: height over width of a panel.
        grey: intensities shown as black and as white.
        colours: of the regions.
        key: each region's name and size, with its colour.
        note: below.
        sides: whether the patient's sides are known.
    """

    title: tuple[str, str]
    panels: tuple[Panel, ...]
    ratio: float
    grey: slices.Window
    colours: tuple[str, ...]
    key: tuple[tuple[str, str], ...]
    note: str
    sides: bool


def draw_preview(prediction: Prediction, volume: Volume, path: Path) -> Path:
    """Draws the sequence that shows oedema best, without the outline above and with it below.

    The slices are spread over the tumour and contain its largest one. If there is no tumour they
    are spread over the volume, and the picture says so.

    Args:
        prediction: of ``volume``.
        volume: the examination.
        path: the file, ``.png``; its folder is made if it is missing.
    """
    return draw(preview_of(prediction, volume)).save(path)


def preview_of(prediction: Prediction, volume: Volume) -> Preview:
    """Content of the preview of a prediction."""
    name, image, masks, pixel = _crop(prediction, volume)
    chosen = choose_slices(masks.any(axis=0).sum(axis=(1, 2)), _COLUMNS)
    suffix = "" if prediction.mask.any() else ": no tumour found"
    return Preview(
        title=(
            f"{prediction.case}{suffix}",
            f"{SEQUENCE_TITLES[name]}, segmented by {prediction.model}",
        ),
        panels=tuple(
            Panel(f"slice {number + 1} of {len(image)}", image[number], masks[:, number])
            for number in chosen
        ),
        ratio=slices.proportion(image, pixel),
        grey=slices.window(image),
        colours=tuple(REGIONS[region].colour for region in prediction.regions),
        key=tuple(_sizes(prediction)),
        note=" · ".join(part for part in ("; ".join(prediction.notes), RESEARCH_USE_ONLY) if part),
        sides=prediction.has_world,
    )


def draw(preview: Preview) -> Canvas:
    """The preview as a picture."""
    count = len(preview.panels)
    width = max(_NARROWEST, 2 * _MARGIN + count * _PANEL + (count - 1) * _GAP)
    height = round(_PANEL * preview.ratio)
    notes = _wrapped(preview.note, width - 2 * _MARGIN)
    top = round(_MARGIN + 2 * _TITLE * _LINE + _LABEL * _LINE + _GAP)
    below = top + 2 * height + _GAP
    foot = below + _GAP + _LABEL * _LINE + len(notes) * _NOTE * _LINE
    canvas = Canvas(width, round(foot + _MARGIN))
    for line, words in enumerate(preview.title):
        place = width / 2, _MARGIN + (line + 0.5) * _TITLE * _LINE
        canvas.text(place, words, _TITLE, colours.INK)
    left = (width - count * _PANEL - (count - 1) * _GAP) / 2
    for column, panel in enumerate(preview.panels):
        x = round(left) + column * (_PANEL + _GAP)
        canvas.text((x + _PANEL / 2, top - _LABEL * 0.7), panel.title, _LABEL, colours.INK)
        for outlined, y in ((False, top), (True, top + height + _GAP)):
            _draw_panel(canvas, (x, y), height, preview, panel if outlined else _bare(panel))
    _draw_key(canvas, below + _GAP + _LABEL * 0.4, preview.key)
    for line, words in enumerate(notes):
        place = width / 2, foot - (len(notes) - line - 0.5) * _NOTE * _LINE
        canvas.text(place, words, _NOTE, colours.FAINT)
    return canvas


def choose_slices(area: npt.NDArray[np.integer], count: int) -> list[int]:
    """At most ``count`` slices spread over those with tumour, the largest among them.

    Args:
        area: tumour pixels of each slice; all slices are chosen from if there are none.
        count: at least 1.
    """
    slices = np.flatnonzero(area) if area.any() else np.arange(area.size)
    # Among those that are marked: a speck far from the tumour must not spread them over nothing.
    spread = slices[np.linspace(0, slices.size - 1, count + 2)[1:-1].round().astype(int)]
    if area.any():
        largest = int(np.argmax(area))
        spread[np.argmin(np.abs(spread - largest))] = largest
    return sorted(set(spread.tolist()))


def _draw_panel(
    canvas: Canvas, place: tuple[int, int], height: int, preview: Preview, panel: Panel
) -> None:
    size = _PANEL, height
    canvas.slice(place, size, panel.image, preview.grey)
    for mask, colour in zip(panel.masks, preview.colours, strict=False):
        canvas.outline(place, size, mask, colour)
    for letter, x, y in _SIDES if preview.sides else ():
        canvas.text((place[0] + x * _PANEL, place[1] + y * height), letter, _SIDE, "white")


def _bare(panel: Panel) -> Panel:
    """The slice without its masks."""
    return Panel(panel.title, panel.image, panel.masks[:0])


def _draw_key(canvas: Canvas, y: float, key: tuple[tuple[str, str], ...]) -> None:
    patch, space = 1.8 * _LABEL, 0.5 * _LABEL
    widths = [patch + space + text_width(words, _LABEL) for words, _ in key]
    left = (canvas.size[0] - sum(widths) - 2 * _GAP * (len(key) - 1)) / 2
    for (words, colour), width in zip(key, widths, strict=True):
        canvas.bar((left, y - 0.3 * _LABEL), (patch, 0.6 * _LABEL), colour)
        canvas.text((left + patch + space, y), words, _LABEL, colours.INK, "lm")
        left += width + 2 * _GAP


def _wrapped(note: str, width: float) -> list[str]:
    """The note in lines that fit a width; a longer word has a separate line."""
    lines = [""]
    for word in note.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, _NOTE) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _crop(
    prediction: Prediction, volume: Volume
) -> tuple[str, slices.SliceImage, slices.Mask, slices.Pixel]:
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


def _sizes(prediction: Prediction) -> Iterator[tuple[str, str]]:
    """Each region's name and size, and its colour."""
    volumes = prediction.volumes_ml
    for region, voxels in prediction.voxels.items():
        size = f"{voxels} voxels" if volumes is None else f"{volumes[region]:.1f} ml"
        yield f"{REGIONS[region].title} {size}", REGIONS[region].colour
