"""Masks find the images they lie on, in all 48 ways that axes may run."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gliomask.core.regions import REGIONS
from gliomask.errors import CaseError
from gliomask.formats.dicom_out.referenced_series import ReferencedSeries, read_referenced_series
from gliomask.formats.dicom_out.segments import DrawnSegments
from gliomask.formats.dicom_out.series_grid import onto_series, pixel_place
from tests.formats.dicom_series import AXIAL, OBLIQUE, SAGITTAL, Grid, turned, write_series

CUBE = Grid((5, 5, 5), spacing=(1.0, 1.0, 1.0))
ALL_WAYS = [
    (axes, flips)
    for axes in itertools.permutations(range(3))
    for flips in itertools.product((False, True), repeat=3)
]


@pytest.fixture(scope="module", params=[AXIAL, SAGITTAL, OBLIQUE], ids=["axial", "sag", "oblique"])
def placed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Grid, ReferencedSeries]:
    grid = replace(CUBE, orientation=request.param)
    return grid, read_referenced_series(write_series(tmp_path_factory.mktemp("s"), grid))


@pytest.mark.parametrize(("axes", "flips"), ALL_WAYS)
def test_every_way_is_undone(
    placed: tuple[Grid, ReferencedSeries],
    axes: tuple[int, int, int],
    flips: tuple[bool, bool, bool],
) -> None:
    """A cube, so that only the affine can tell how it was turned."""
    grid, series = placed
    masks = np.random.default_rng(1).random((2, *grid.shape)) > 0.5
    moved, affine = turned(masks, grid.affine(), axes, flips)
    drawn = DrawnSegments(moved, (REGIONS["whole"], REGIONS["core"]), affine)
    found = onto_series(drawn, series)
    order = [  # of the planes, by the position that the test wrote down itself
        next(n for n in range(5) if np.allclose(grid.position(n), plane.position))
        for plane in series.planes
    ]
    assert np.array_equal(found, masks.transpose(1, 2, 3, 0)[order])


def test_the_place_of_a_pixel(tmp_path: Path) -> None:
    """(row 2, column 3) of 0.9 x 1.1 mm pixels: x grows along columns, y along rows."""
    series = read_referenced_series(write_series(tmp_path, Grid()))
    assert pixel_place(series.planes[0], 2, 3) == pytest.approx([-98.2, 89.05, -40.125])


@pytest.mark.parametrize("factor", [0.97, 1.05])
def test_other_spacing_is_refused(placed: tuple[Grid, ReferencedSeries], factor: float) -> None:
    grid, series = placed
    affine = grid.affine()
    affine[:3, 1] *= factor
    with pytest.raises(CaseError, match="a corner of the mask lies"):
        onto_series(_full(grid, affine), series)


def test_a_mask_between_the_images_is_refused(placed: tuple[Grid, ReferencedSeries]) -> None:
    grid, series = placed
    affine = grid.affine()
    affine[:3, 3] += 0.4 * affine[:3, 0]
    with pytest.raises(CaseError, match=r"lies 0\.4 mm off"):
        onto_series(_full(grid, affine), series)


def test_a_shift_within_thick_slices_is_refused(tmp_path: Path) -> None:
    """0.3 mm are little beside slices of 6 mm, but more than half of a pixel."""
    grid = replace(CUBE, spacing=(6.0, 0.43, 0.43))
    series = read_referenced_series(write_series(tmp_path, grid))
    affine = grid.affine()
    affine[0, 3] += 0.3
    with pytest.raises(CaseError, match=r"a corner of the mask lies 0\.3 mm off"):
        onto_series(_full(grid, affine), series)


def test_a_mask_one_image_further_is_refused(placed: tuple[Grid, ReferencedSeries]) -> None:
    grid, series = placed
    affine = grid.affine()
    affine[:3, 3] += affine[:3, 0]
    with pytest.raises(CaseError, match="images don't lie one on each slice"):
        onto_series(_full(grid, affine), series)


def test_an_affine_that_is_none_is_refused(placed: tuple[Grid, ReferencedSeries]) -> None:
    grid, series = placed
    for value in (0.0, np.nan):
        affine = grid.affine()
        affine[:3, 0] = value
        with pytest.raises(CaseError, match="singular or not finite"):
            onto_series(_full(grid, affine), series)


def test_rounding_of_positions_is_borne(placed: tuple[Grid, ReferencedSeries]) -> None:
    grid, series = placed
    affine = grid.affine() + np.random.default_rng(0).uniform(-0.005, 0.005, (4, 4))
    affine[3] = (0, 0, 0, 1)
    assert onto_series(_full(grid, affine), series).all()


def test_a_turned_mask_is_refused(placed: tuple[Grid, ReferencedSeries]) -> None:
    grid, series = placed
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]]
    with pytest.raises(CaseError, match="not on the grid"):
        onto_series(_full(grid, turn @ grid.affine()), series)


def _full(grid: Grid, affine: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> DrawnSegments:
    return DrawnSegments(np.ones((1, *grid.shape), np.bool_), (REGIONS["whole"],), affine)
