"""Mask pictures: two levels are a mask, more are numbers or shades, and somebody must say which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from gliomask.errors import FormatError
from gliomask.formats.mask_pictures import read_mask_pictures


def saved(path: Path, array: npt.NDArray[Any]) -> list[Path]:
    Image.fromarray(array).save(path)
    return [path]


@pytest.mark.parametrize("level", [1, 9, 128, 255])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_two_levels_are_a_mask(tmp_path: Path, level: int, dtype: str) -> None:
    array = np.zeros((5, 4), dtype)
    array[1, 2] = array[3, 0] = level
    mask = read_mask_pictures(saved(tmp_path / "m.png", array))
    assert mask.dtype == np.uint8
    assert np.argwhere(mask).tolist() == [[0, 3, 0], [2, 1, 0]]
    assert mask.max() == (level if level < 16 else 1)


def test_two_levels_through_the_whole_stack(tmp_path: Path) -> None:
    """Levels are those of all slices: one of them may be empty or full, all must agree."""
    paths = [tmp_path / f"{k}.png" for k in range(3)]
    for k, path in enumerate(paths):
        saved(path, np.full((5, 4), (0, 255, 254)[k], np.uint8))
    assert read_mask_pictures(paths[:2]).sum(axis=(0, 1)).tolist() == [0, 20]
    with pytest.raises(FormatError, match="grey levels=3"):
        read_mask_pictures(paths)
    with pytest.raises(FormatError, match="grey levels=2"):
        read_mask_pictures(paths[1:])


def test_one_bit(tmp_path: Path) -> None:
    array = np.eye(5, dtype=bool)
    assert np.array_equal(read_mask_pictures(saved(tmp_path / "m.png", array))[..., 0], array)


def test_a_mask_in_one_colour(tmp_path: Path) -> None:
    array = np.zeros((5, 4, 3), np.uint8)
    array[1, 2] = array[3, 0] = (200, 0, 7)
    mask = read_mask_pictures(saved(tmp_path / "m.png", array))
    assert np.argwhere(mask).tolist() == [[0, 3, 0], [2, 1, 0]]
    array[3, 0, 0] = 199
    with pytest.raises(FormatError, match="colours=2, allowed 1 besides black"):
        read_mask_pictures(saved(tmp_path / "m.png", array))


def soft_circle() -> npt.NDArray[np.uint8]:
    """A circle of radius 12 whose edge falls from 255 to 0 as a network's map does."""
    y, x = np.mgrid[:64, :64]
    r = np.hypot(y - 30, x - 25)
    shades: npt.NDArray[np.uint8] = np.rint(255 / (1 + np.exp((r - 12) / 1.5))).astype(np.uint8)
    return shades


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_shades_are_refused_or_cut(tmp_path: Path, suffix: str) -> None:
    paths, map_ = [tmp_path / f"m.{suffix}"], soft_circle()
    if suffix == "jpg":  # a crisp mask, but lossy
        map_ = (map_ > 127).astype(np.uint8) * 255
    saved(paths[0], map_)
    for numbered in (False, True):
        with pytest.raises(FormatError, match=r"many grey levels.*allowed 2.*threshold") as refusal:
            read_mask_pictures(paths, numbered=numbered)
        assert "\n" not in str(refusal.value)
    cut = read_mask_pictures(paths, threshold=128)[..., 0]
    assert np.array_equal(cut, map_.T > 127)


def test_a_dark_map_is_no_mask_of_labels(tmp_path: Path) -> None:
    """Where nothing was found a map has few, low levels: they are labels only if somebody says."""
    paths = saved(tmp_path / "m.png", soft_circle() // 64)
    with pytest.raises(FormatError, match="grey levels=4"):
        read_mask_pictures(paths)
    assert not read_mask_pictures(paths, threshold=128).any()
    assert np.unique(read_mask_pictures(paths, numbered=True)).tolist() == [0, 1, 2, 3]


def test_numbers_are_not_collapsed(tmp_path: Path) -> None:
    array = np.zeros((5, 4), np.uint8)
    array[1, 2], array[3, 0], array[4, 1] = 1, 2, 4
    read = read_mask_pictures(saved(tmp_path / "m.png", array), numbered=True)
    assert np.array_equal(read[..., 0], array.T)
