"""Pictures drawn with Pillow."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from gliomask.report.drawing import Canvas, text_width
from gliomask.report.package_files import FONT, package_bytes, package_text


def pixels(canvas: Canvas, path: Path) -> npt.NDArray[np.uint8]:
    with Image.open(canvas.save(path)) as picture:
        return np.asarray(picture.convert("RGB"))


def test_grey_levels_and_place_of_a_slice(tmp_path: Path) -> None:
    canvas = Canvas(40, 30)
    canvas.slice((10, 5), (20, 20), np.array([[0.0, 10.0], [20.0, 99.0]]), (0.0, 20.0))
    shown = pixels(canvas, tmp_path / "a.png")
    assert shown.shape == (30, 40, 3)
    assert shown[6, 11].tolist() == [0, 0, 0]
    assert shown[23, 28].tolist() == [255] * 3  # beyond the window is white
    assert shown[4, 11].tolist() == shown[6, 9].tolist() == [255] * 3  # the paper around


def test_an_outline_runs_half_way_between_the_pixels(tmp_path: Path) -> None:
    """A mask of columns 1 and 2 of 4, eight pixels each: its border lies at 8 and 24."""
    canvas = Canvas(32, 32)
    mask = np.zeros((4, 4), bool)
    mask[:, 1:3] = True
    canvas.outline((0, 0), (32, 32), mask, "#ff0000")
    row = pixels(canvas, tmp_path / "a.png")[16]
    red = np.flatnonzero(row[:, 1] < 128)
    assert red.min() in (7, 8)
    assert red.max() in (23, 24)
    assert not any(12 < at < 20 for at in red)


def test_an_empty_and_a_full_mask_have_no_outline(tmp_path: Path) -> None:
    canvas = Canvas(20, 20)
    for mask in (np.zeros((3, 3), bool), np.ones((3, 3), bool)):
        canvas.outline((0, 0), (20, 20), mask, "#ff0000")
    assert (pixels(canvas, tmp_path / "a.png") == 255).all()


def test_text_is_as_wide_as_it_says(tmp_path: Path) -> None:
    canvas = Canvas(400, 60)
    canvas.text((10, 30), "größer als 2 ml", 20, "black", "lm")
    columns = np.flatnonzero((pixels(canvas, tmp_path / "a.png")[..., 0] < 128).any(axis=0))
    assert 9 <= columns.min() <= 13
    assert abs(columns.max() - 10 - text_width("größer als 2 ml", 20)) < 4


def test_the_font_is_the_one_that_its_note_describes() -> None:
    digest = hashlib.sha256(package_bytes(FONT)).hexdigest()
    assert re.findall(r"`([0-9a-f]{64})`", package_text("vendor/dejavu/README.md")) == [digest]
