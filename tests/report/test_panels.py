"""The six panels of a slice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gliomask.report import style
from gliomask.report.panels import SliceView, draw_panels

GREEN, RED, SKY = (0, 158, 115), (213, 94, 0), (86, 180, 233)


@pytest.fixture
def view() -> SliceView:
    reference, predicted = np.zeros((2, 40, 30), bool)
    reference[10:20, 10:20] = True
    predicted[10:20, 15:25] = True
    image = np.random.default_rng(0).random((40, 30))
    return SliceView(
        image=image,
        reference=reference,
        predicted=predicted,
        pixel_mm=(1.0, 1.0),
        has_world=True,
        case="patient-7",
        number=12,
        region="whole",
        slice_dice=0.5,
        case_dice=None,
        synthetic=True,
    )


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All texts of the figures that are saved."""
    found: list[str] = []
    save = style.save

    def spy(figure: Figure, stem: Path) -> list[Path]:
        axes = [text.get_text() for one in figure.axes for text in (*one.texts, one.title)]
        found.extend([*axes, *(text.get_text() for text in figure.texts)])
        found.extend([figure.get_suptitle(), *(_legend(figure))])
        return save(figure, stem)

    monkeypatch.setattr(style, "save", spy)
    return found


def _legend(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_six_panels_and_what_they_say(view: SliceView, texts: list[str], tmp_path: Path) -> None:
    path = draw_panels(view, tmp_path / "figures" / "7.png")
    with Image.open(path) as picture:
        assert picture.width == 1440
    assert "patient-7, slice 12, whole tumour" in texts[-4]
    assert "Dice 0.500 in this slice, none (both empty) in the case" in texts[-4]
    assert "synthetic data · For research use only" in texts
    assert texts.count("R") == texts.count("A") == 4
    assert {"True mask", "Predicted mask", "Difference", "Image"} <= set(texts)
    assert texts[-3:] == ["both", "only predicted", "only true"]


def test_pictures_have_no_sides(view: SliceView, texts: list[str], tmp_path: Path) -> None:
    draw_panels(replace(view, has_world=False, synthetic=False), tmp_path / "7.png")
    assert "R" not in texts
    assert "For research use only" in texts


def test_proportions_follow_the_spacing(view: SliceView, tmp_path: Path) -> None:
    square = draw_panels(view, tmp_path / "a.png")
    tall = draw_panels(replace(view, pixel_mm=(2.0, 1.0)), tmp_path / "b.png")
    with Image.open(square) as one, Image.open(tall) as other:
        assert other.height > 1.7 * one.height - 300
        assert other.width == one.width


def test_empty_masks_are_drawn(view: SliceView, tmp_path: Path) -> None:
    nothing = np.zeros_like(view.reference)
    path = draw_panels(replace(view, reference=nothing, predicted=nothing), tmp_path / "7.png")
    assert path.stat().st_size > 1000
