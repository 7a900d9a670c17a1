"""Six panels of a slice, as in the original project: true mask, predicted mask, their difference,
both as overlays on the image, and the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.core.regions import REGIONS
from gliomask.report import colours, slices, style
from gliomask.report.colours import AGREEMENT

_KEY = (
    ("both", AGREEMENT.both),
    ("only predicted", AGREEMENT.only_predicted),
    ("only true", AGREEMENT.only_reference),
)
_TITLES = ("Difference", "Image and true mask", "Image and predicted mask", "Image")


@dataclass(frozen=True, eq=False)
class SliceView:
    """One evaluated slice, in the reading frame.

    Attributes:
        image: (H, W) of one sequence, any intensities.
        reference: (H, W) bool, what was drawn.
        predicted: (H, W) bool.
        pixel_mm: (row, column) spacing, (1, 1) where it is not known.
        has_world: whether the patient's sides are known.
        case: its id.
        number: of the slice counted from the feet, from 1.
        region: region of the masks.
        slice_dice: of this slice; None where the policy gives none.
        case_dice: of the whole case.
        synthetic: the image is of a phantom.
    """

    image: npt.NDArray[np.floating]
    reference: npt.NDArray[np.bool_]
    predicted: npt.NDArray[np.bool_]
    pixel_mm: tuple[float, float]
    has_world: bool
    case: str
    number: int
    region: str
    slice_dice: float | None
    case_dice: float | None
    synthetic: bool


def draw_panels(view: SliceView, path: Path) -> Path:
    """Draws the six panels as a PNG.

    Args:
        view: the slice to show.
        path: the file, ``.png``; its folder is made if it is missing.
    """
    pixel, grey = view.pixel_mm, slices.window(view.image)
    figure = style.new_figure(9.6, 6.4 * slices.proportion(view.image, pixel) + 1.7)
    figure.suptitle(_title(view), fontsize=12, color=colours.INK, parse_math=False)
    grid = figure.subplots(2, 3).ravel()
    slices.show_mask(grid[0], view.reference, pixel, "True mask")
    slices.show_mask(grid[1], view.predicted, pixel, "Predicted mask")
    for axes, title in zip(grid[2:], _TITLES, strict=True):
        slices.show(axes, view.image, grey, pixel, title)
        if view.has_world:
            slices.letters(axes)
    slices.tint(grid[2], view.reference & view.predicted, AGREEMENT.both, pixel)
    added, missed = view.predicted & ~view.reference, view.reference & ~view.predicted
    slices.tint(grid[2], added, AGREEMENT.only_predicted, pixel, alpha=0.8)
    slices.tint(grid[2], missed, AGREEMENT.only_reference, pixel, alpha=0.8)
    slices.tint(grid[3], view.reference, REGIONS[view.region].colour, pixel)
    slices.tint(grid[4], view.predicted, REGIONS[view.region].colour, pixel)
    style.foot(figure, "synthetic data" if view.synthetic else "", _KEY)
    (written,) = style.save(figure, path.with_suffix(""))
    return written


def _title(view: SliceView) -> str:
    scores = f"Dice {_text(view.slice_dice)} in this slice, {_text(view.case_dice)} in the case"
    return f"{view.case}, slice {view.number}, {REGIONS[view.region].title}\n{scores}"


def _text(score: float | None) -> str:
    return "none (both empty)" if score is None else f"{score:.3f}"
