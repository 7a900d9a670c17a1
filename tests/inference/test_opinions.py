"""Counts of other maps against the plain one, worked out by hand on a grid of 16 x 16 pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gliomask.core.slices import SliceStack, to_slices
from gliomask.core.volume import FloatArray, Volume
from gliomask.inference.opinions import Opinions, OtherMaps, Tally, disagreement
from tests.fakes import fake_card

AFFINE = np.eye(4)


def stack() -> SliceStack:
    """Slices of 32 x 16 pixels: a pixel of the grid is 2 x 2 of them, and half of it is padding."""
    image = np.random.default_rng(0).normal(100, 1, (2, 16, 32, 4)).astype(np.float32)
    return to_slices(Volume(image, AFFINE, ("t1", "flair")))


def maps(*marked: tuple[int, int]) -> FloatArray:
    """(2, 1, 16, 16) probability 0.9 in these (row, column) of both slices, 0.1 elsewhere."""
    found = np.full((2, 1, 16, 16), 0.1, np.float32)
    for row, column in marked:
        found[:, :, row, column] = 0.9
    return found


def tally(others: OtherMaps, mirrored: int = 0, **changes: Any) -> Opinions:
    seen = stack()
    height, width = seen.array.shape[-2:]
    assert (height, width) == (32, 16)
    plain = np.array([8])
    counted = Tally(fake_card(size=16, **changes), len(others.sides), mirrored)
    counted.add(seen, maps((0, 4), (1, 4)), others)
    names = ("",) * (len(others.sides) + mirrored)
    return counted.opinions(np.zeros((1, 2, 32, 16), np.float32), None, plain, names)


def sides(*found: FloatArray) -> OtherMaps:
    return OtherMaps(found, np.arange(0), ())


def test_dice_and_voxels_by_hand() -> None:
    """Columns 4 to 11 of the grid lie within the slice; a pixel is 2 x 2 voxels."""
    found = tally(sides(maps((0, 4), (1, 4)), maps((1, 4), (2, 4)), maps(), maps((0, 4), (0, 3))))
    assert found.plain.tolist() == [8]
    assert found.voxels[:, 0].tolist() == [16, 16, 0, 8]
    assert found.dice[:, 0].tolist() == [1.0, 0.5, 0.0, pytest.approx(2 / 3)]
    assert disagreement(found, 0) == pytest.approx(1 - (1 + 0.5 + 2 / 3) / 4)


def test_mirrored_maps_are_scaled_up_from_their_sample() -> None:
    """One of two slices: it has 2 pixels more, so the two have 4 more, which are 16 voxels."""
    more = maps((0, 4), (1, 4), (2, 4), (3, 4))[:1]
    found = tally(OtherMaps((), np.array([0]), (more,)), mirrored=1)
    assert found.dice[0, 0] == pytest.approx(2 * 2 / 6)
    assert found.voxels.tolist() == [[32]]


def test_the_level_goes_with_the_temperature() -> None:
    """Maps come before the temperature: 0.9 is 0.75 after 2, and 0.76 would be 0.64."""
    hot: dict[str, Any] = {"temperature": 2.0, "threshold": 0.7}
    weak = maps((0, 4)) - np.float32(0.14)
    assert tally(sides(weak), **hot).voxels[0, 0] == 0
    assert tally(sides(weak), temperature=2.0, threshold=0.6).voxels[0, 0] == 8


def test_empty_masks_agree() -> None:
    counted = Tally(fake_card(size=16), 1, 1)
    empty = np.zeros((1, 2, 32, 16), np.float32)
    found = counted.opinions(empty, None, np.zeros(1, np.int64), ("", ""))
    assert found.dice.tolist() == [[1.0], [1.0]]
    assert found.voxels.tolist() == [[0], [0]]
    assert disagreement(found, 0) == 0.0
