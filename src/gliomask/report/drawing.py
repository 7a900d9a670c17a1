"""Pictures drawn with Pillow: grey slices, outlines of masks and text.

Prediction draws with this module rather than with matplotlib, which takes a second to load and
75 MB to install. Everything is drawn at twice the size and then reduced, so that lines are smooth.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from gliomask.core.atomic import atomic_path
from gliomask.report.package_files import FONT, package_bytes
from gliomask.report.slices import Mask, SliceImage, Window

FINER: Final = 2
"""Oversampling factor."""
Anchor = Literal["mm", "lm"]
"""Pillow's: the point of a text that is put in place, its middle or that of its left side."""
Place = tuple[float, float]
"""(x, y) in pixels of the finished picture, from its upper left corner."""


class Canvas:
    """A white picture to draw on.

    Args:
        width, height: of the finished picture in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.size = width, height
        self._picture = Pictures.new("RGB", (width * FINER, height * FINER), "white")
        self._pen = ImageDraw.Draw(self._picture)

    def text(
        self, place: Place, words: str, size: float, colour: str, anchor: Anchor = "mm"
    ) -> None:
        """Writes one line; letters that the font lacks are boxes."""
        self._pen.text(_finer(place), words, colour, _font(size), anchor)

    def bar(self, place: Place, size: Place, colour: str) -> None:
        """Fills a rectangle."""
        corner = place[0] + size[0], place[1] + size[1]
        self._pen.rectangle((*_finer(place), *_finer(corner)), colour)

    def slice(self, place: Place, size: tuple[int, int], image: SliceImage, grey: Window) -> None:
        """Shows a slice (H, W) of grey levels, scaled to a size."""
        low, high = grey
        levels = np.clip((image - low) / (high - low) * 255, 0, 255).round().astype(np.uint8)
        drawn = Pictures.fromarray(levels).resize(
            (size[0] * FINER, size[1] * FINER), Pictures.Resampling.BICUBIC
        )
        x, y = _finer(place)
        self._picture.paste(drawn, (round(x), round(y)))

    def outline(self, place: Place, size: tuple[int, int], mask: Mask, colour: str) -> None:
        """Draws the border of a mask (H, W) over the slice that is shown at this place."""
        import contourpy

        if not mask.any() or mask.all():
            return
        scale = np.array(size) / np.array(mask.shape[::-1])
        tracer = contourpy.contour_generator(z=mask.astype(np.float32), name="serial")
        for line in tracer.lines(0.5):
            # Pixel centres are at whole numbers there, at halves here.
            points = (np.asarray(line) + 0.5) * scale + np.array(place)
            self._pen.line([_finer((x, y)) for x, y in points], colour, 2 * FINER, "curve")

    def save(self, path: Path) -> Path:
        """Write a PNG atomically, with reproducible bytes."""
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.png())
        return path

    def png(self) -> bytes:
        """The picture as a PNG, the same bytes every time.

        Higher levels of compression take twice as long and more, for the same size.
        """
        out = io.BytesIO()
        picture = self._picture.reduce(FINER)
        picture.save(out, format="png", compress_level=3)
        return out.getvalue()


def text_width(words: str, size: float) -> float:
    """The width of a line of text in pixels of the finished picture."""
    return _font(size).getlength(words) / FINER


def _finer(place: Place) -> Place:
    return place[0] * FINER, place[1] * FINER


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(package_bytes(FONT)), size * FINER)
