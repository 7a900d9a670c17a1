"""The preview of a prediction as a figure of matplotlib, for further processing."""

from __future__ import annotations

from matplotlib.figure import Figure

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.report import colours, slices, style
from gliomask.report.preview import Preview

_WIDTH = 2.4
"""Of a slice, in inches."""


def preview_figure(preview: Preview) -> Figure:
    """Draws the slices of a preview, without the outline above and with it below."""
    count, side = len(preview.panels), _WIDTH * preview.ratio
    figure = style.new_figure(max(6.0, _WIDTH * count), 2 * side + 1.6)
    figure.suptitle("\n".join(preview.title), fontsize=12, color=colours.INK, parse_math=False)
    grid = figure.subplots(2, count, squeeze=False)
    for (upper, lower), panel in zip(grid.T, preview.panels, strict=True):
        rows, columns = panel.image.shape
        pixel = preview.ratio * columns / rows, 1.0
        slices.show(upper, panel.image, preview.grey, pixel, panel.title)
        slices.show(lower, panel.image, preview.grey, pixel)
        for colour, mask in zip(preview.colours, panel.masks, strict=True):
            slices.outline(lower, mask, colour)
        if preview.sides:
            slices.letters(upper)
            slices.letters(lower)
    note = preview.note.removesuffix(RESEARCH_USE_ONLY).removesuffix(" · ")
    style.foot(figure, note, preview.key)  # which reports it itself
    return figure
