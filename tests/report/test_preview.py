"""The look at a prediction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from gliomask.core.prediction import Prediction
from gliomask.core.regions import REGIONS
from gliomask.core.volume import Volume
from gliomask.report.preview import choose_slices, draw_preview, preview_of
from tests.fakes import head_labels, head_volume


def prediction(volume: Volume, found: bool = True) -> Prediction:
    mask = head_labels() * np.uint8(found)
    return Prediction(
        case="patient-7",
        mask=mask,
        regions=("whole",),
        probability_maps=None,
        affine=volume.affine,
        has_world=volume.has_world,
        voxels={"whole": int(mask.sum())},
        used=volume.sequences,
        missing=(),
        model="a model",
        notes=("a note",),
    )


def colours(path: Path, rows: slice) -> set[tuple[int, ...]]:
    """The colours of some rows of a picture that are no grey."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))[rows].reshape(-1, 3)
    return {tuple(map(int, pixel)) for pixel in pixels if np.ptp(pixel) > 40}


def test_says_volume_and_purpose() -> None:
    volume = head_volume()
    said = preview_of(prediction(volume), volume)
    assert said.key == (("whole tumour 0.3 ml", REGIONS["whole"].colour),)  # 90 voxels of 3.6 mm³
    assert said.note == "a note · For research use only"
    assert said.title == ("patient-7", "FLAIR, segmented by a model")
    assert [panel.title for panel in said.panels] == [f"slice {n} of 8" for n in (5, 6, 7)]
    assert said.sides


def test_nothing_found() -> None:
    volume = head_volume()
    said = preview_of(prediction(volume, found=False), volume)
    assert said.title[0] == "patient-7: no tumour found"
    assert said.key[0][0] == "whole tumour 0.0 ml"
    assert not any(panel.masks.any() for panel in said.panels)


def test_pictures_have_voxels_and_no_sides() -> None:
    volume = replace(head_volume(), has_world=False)
    said = preview_of(prediction(volume), volume)
    assert said.key[0][0] == "whole tumour 90 voxels"
    assert not said.sides


def test_the_outline_is_in_the_lower_row_only(tmp_path: Path) -> None:
    volume = head_volume()
    path = draw_preview(prediction(volume), volume, tmp_path / "new" / "7.png")
    with Image.open(path) as picture:
        width, height = picture.size
    assert min(width, height) > 600
    shown = preview_of(prediction(volume), volume)
    first_row = slice(0, 120 + round(320 * shown.ratio))
    assert colours(path, first_row) == set()
    assert (0xE6, 0x9F, 0x00) in colours(path, slice(first_row.stop, height))


def test_the_same_prediction_gives_the_same_bytes(tmp_path: Path) -> None:
    volume = head_volume()
    first, second = (
        draw_preview(prediction(volume), volume, tmp_path / name).read_bytes() for name in "ab"
    )
    assert first == second


def test_a_long_note_is_broken_into_lines(tmp_path: Path) -> None:
    volume = head_volume()
    long = replace(prediction(volume), notes=("word " * 200, "x" * 400))
    with (
        Image.open(draw_preview(prediction(volume), volume, tmp_path / "a.png")) as short_one,
        Image.open(draw_preview(long, volume, tmp_path / "b.png")) as long_one,
    ):
        assert long_one.width == short_one.width
        assert long_one.height > short_one.height + 100


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
