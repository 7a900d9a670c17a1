"""Stacks: columns, rows, slices; one size and type throughout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from gliomask.errors import FormatError
from gliomask.formats.mask_pictures import read_mask_pictures
from gliomask.formats.pictures import read_stack, stack_shape, write_picture
from tests.finding import read_pictures


def stack_of(folder: Path, slices: int = 3, suffix: str = ".tif") -> list[Path]:
    """Pictures of 5 rows and 4 columns, each pixel 100 * slice + 10 * row + column."""
    rows, columns = np.mgrid[:5, :4]
    paths = [folder / f"{k}{suffix}" for k in range(slices)]
    for k, path in enumerate(paths):
        write_picture(path, (60 * k + 10 * rows + columns).astype(np.uint8))
    return paths


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_axes_are_columns_rows_slices(tmp_path: Path, suffix: str) -> None:
    image = read_pictures(stack_of(tmp_path, suffix=suffix))
    assert image.shape == (4, 5, 3)
    assert image.dtype == np.float32
    assert image[3, 1, 2] == 60 * 2 + 10 * 1 + 3


def test_the_order_is_the_order_given(tmp_path: Path) -> None:
    paths = stack_of(tmp_path)
    assert read_pictures(paths[::-1])[0, 0].tolist() == [120, 60, 0]


def test_channels(tmp_path: Path) -> None:
    colour = np.zeros((5, 4, 3), np.uint8) + np.array([1, 2, 3], np.uint8)
    path = tmp_path / "a.tif"
    write_picture(path, colour)
    assert read_stack([path]).shape == (4, 5, 1, 3)
    for channel in range(3):
        assert (read_pictures([path], channel) == channel + 1).all()
    with pytest.raises(FormatError, match="colour picture instead of a grey one"):
        read_pictures([path])
    with pytest.raises(FormatError, match="channel=3, allowed 0 to 2"):
        read_pictures([path], 3)
    write_picture(path, np.full((5, 4, 3), 7, np.uint8))
    assert (read_pictures([path]) == 7).all()


def test_pages_of_one_file_are_slices(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:5, :4]
    pages = np.stack([60 * k + 10 * rows + columns for k in range(3)]).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    assert np.array_equal(read_pictures([tmp_path / "a.tif"]), read_pictures(stack_of(tmp_path)))
    assert stack_shape([tmp_path / "a.tif"]) == stack_shape(stack_of(tmp_path)) == (4, 5, 3)


def test_shades_that_are_no_numbers(tmp_path: Path) -> None:
    array = np.ones((5, 4), np.float32)
    array[3, 1] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack")
    with pytest.raises(FormatError, match=r"1 voxels are not finite, the first at \(1, 3, 0\)"):
        read_pictures([tmp_path / "a.tif"])


@pytest.mark.parametrize("odd", [np.zeros((5, 5), np.uint8), np.zeros((5, 4, 3), np.uint8)])
def test_a_slice_that_does_not_fit_is_named(tmp_path: Path, odd: np.ndarray) -> None:
    paths = stack_of(tmp_path)
    write_picture(paths[1], odd)
    with pytest.raises(FormatError, match=r"1\.tif: does not fit its stack .*4 x 5 x 1 uint8"):
        read_pictures(paths)


def test_no_stack_and_too_large_a_stack(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="pictures=0"):
        read_pictures([])
    with pytest.raises(FormatError, match="pictures=5000"):
        read_pictures([tmp_path / "a.tif"] * 5000)
    write_picture(tmp_path / "a.tif", np.zeros((1000, 1000, 3), np.uint8))
    with pytest.raises(FormatError, match="too large a stack"):
        read_pictures([tmp_path / "a.tif"] * 100, 0)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("a.jpg", np.zeros((5, 4), np.uint8)),
        ("a.tif", np.zeros((5, 4), np.uint16)),
        ("a.tif", np.zeros((5, 4, 4), np.uint8)),
        ("a.tif", np.zeros(5, np.uint8)),
    ],
)
def test_what_is_not_written(tmp_path: Path, name: str, array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"end in|is not a picture"):
        write_picture(tmp_path / name, array)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_picture_carries_its_note(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mask{suffix}"
    write_picture(path, np.eye(4, dtype=np.uint8), "For research use only")
    with Image.open(path) as picture:
        told = (*picture.info.values(), *dict(picture.getexif()).values())
        texts = [str(value) for value in told]
    assert "For research use only" in texts
    np.testing.assert_array_equal(read_mask_pictures([path])[:, :, 0], np.eye(4))
