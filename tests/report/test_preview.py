"""The look at a prediction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gliomask.core.prediction import Prediction
from gliomask.core.volume import Volume
from gliomask.report import style
from gliomask.report.preview import choose_slices, draw_preview
from tests.fakes import head_labels, head_volume


def prediction(volume: Volume, found: bool = True) -> Prediction:
    mask = head_labels() * np.uint8(found)
    return Prediction(
        case="patient-7",
        mask=mask,
        regions=("whole",),
        probabilities=None,
        affine=volume.affine,
        has_world=volume.has_world,
        voxels={"whole": int(mask.sum())},
        used=volume.sequences,
        missing=(),
        model="a model",
        notes=("a note",),
    )


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    found: list[Figure] = []
    save = style.save

    def spy(figure: Figure, stem: Path) -> list[Path]:
        found.append(figure)
        return save(figure, stem)

    monkeypatch.setattr(style, "save", spy)
    return found


def texts(figure: Figure) -> list[str]:
    inside = [text.get_text() for axes in figure.axes for text in (*axes.texts, axes.title)]
    legend = [text.get_text() for one in figure.legends for text in one.get_texts()]
    return [*inside, *legend, *(text.get_text() for text in figure.texts), figure.get_suptitle()]


def test_says_volume_and_purpose(figures: list[Figure], tmp_path: Path) -> None:
    volume = head_volume()
    path = draw_preview(prediction(volume), volume, tmp_path / "7.png")
    with Image.open(path) as picture:
        assert min(picture.size) > 600
    said = texts(figures[0])
    assert "whole tumour 0.3 ml" in said  # 90 voxels of 3.6 mm³
    assert "a note · For research use only" in said
    assert "patient-7\nflair, segmented by a model" in said
    assert [text for text in said if text.startswith("slice")] == [
        f"slice {n} of 8" for n in (5, 6, 7)
    ]
    assert said.count("R") == 6


def test_nothing_found(figures: list[Figure], tmp_path: Path) -> None:
    volume = head_volume()
    draw_preview(prediction(volume, found=False), volume, tmp_path / "7.png")
    said = texts(figures[0])
    assert "patient-7: no tumour found\nflair, segmented by a model" in said
    assert "whole tumour 0.0 ml" in said


def test_pictures_have_voxels_and_no_sides(figures: list[Figure], tmp_path: Path) -> None:
    volume = replace(head_volume(), has_world=False)
    draw_preview(prediction(volume), volume, tmp_path / "7.png")
    said = texts(figures[0])
    assert "whole tumour 90 voxels" in said
    assert "R" not in said


def test_slices_by_hand() -> None:
    area = np.zeros(100, int)
    area[40:61] = 5
    area[42] = 9
    # 40 to 60 in six steps, and the nearest to the largest slice becomes it.
    assert choose_slices(area, 5) == [42, 47, 50, 53, 57]
    assert choose_slices(np.zeros(13, int), 5) == [2, 4, 6, 8, 10]
    assert choose_slices(np.array([0, 3, 0]), 5) == [1]
    speck = np.array([1, *[0] * 40, *range(1, 10)])
    assert choose_slices(speck, 3) == [42, 44, 49]  # marked, and the largest among them
    assert choose_slices(np.zeros(1, int), 5) == [0]
