"""Slices of three planes: cut as if the head lay otherwise, and combined on the axial grid."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gliomask.core.geometry import Plane
from gliomask.core.slices import to_slices
from gliomask.core.volume import FloatArray, Volume
from gliomask.inference.passes import Passes
from gliomask.inference.planes import VOXEL_MM, CrossingView, PlaneView, views_of
from tests.brains import SIDES, brain
from tests.fakes import BrightEngine, fake_card

THREE: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
TURNS = {
    "coronal": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
}
"""Rotations of the world after which the slices of a plane are the axial ones."""


def volume(mm: float = 1.0, turn: tuple[tuple[int, ...], ...] | None = None) -> Volume:
    affine = np.diag([mm, mm, mm, 1.0])
    if turn is not None:
        affine[:3, :3] = turn @ affine[:3, :3]
    return Volume(brain(), affine, ("t1", "flair"))


def card(**changes: Any) -> Any:
    return fake_card(**{"slice_smoothing_mm": 1.5, "planes": THREE, "size": 64, **changes})


@pytest.mark.parametrize("plane", ["coronal", "sagittal"])
def test_slices_are_those_of_a_head_turned_so_that_they_are_axial(plane: Plane) -> None:
    view = views_of(to_slices(volume()), card(planes=(plane,)))[0]
    turned = to_slices(volume(turn=TURNS[plane]))
    # The mean over the head is summed in another order.
    np.testing.assert_allclose(crop_of(view.stack.array), crop_of(turned.array), atol=0.002)
    assert view.stack.record.pixel_mm == turned.record.pixel_mm


def crop_of(array: FloatArray) -> FloatArray:
    """The slices without their margin of air."""
    inside = np.argwhere(array[:, 0] > array.min())
    low, high = inside.min(axis=0), inside.max(axis=0) + 1
    return array[low[0] : high[0], :, low[1] : high[1], low[2] : high[2]]


def test_maps_of_three_planes_mark_the_same_box() -> None:
    """Brightness decides, so every plane marks it; only its edges are interpolated."""
    seen = to_slices(volume())
    one = Passes(BrightEngine(), card(planes=("axial",))).plain(seen, seen.sequences) >= 0.5
    three = Passes(BrightEngine(), card()).plain(seen, seen.sequences) >= 0.5
    assert 2 * (one & three).sum() / (one.sum() + three.sum()) > 0.97


def test_three_planes_cost_as_many_slices_as_one() -> None:
    seen = to_slices(volume())
    shown = []
    for planes in (("axial",), THREE):
        engine = BrightEngine()
        Passes(engine, card(planes=planes)).plain(seen, seen.sequences)
        shown.append(slices_of(engine))
    assert shown[1] <= shown[0]


def test_crossing_slices_far_from_the_tumour_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those on which the axial slices show none, and the mask is the same without them."""
    seen = to_slices(volume())
    left_out = BrightEngine()
    mask = Passes(left_out, card()).plain(seen, seen.sequences) >= 0.5
    monkeypatch.setattr(CrossingView, "near_tumour", PlaneView.near_tumour)
    everywhere = BrightEngine()
    whole = Passes(everywhere, card()).plain(seen, seen.sequences) >= 0.5
    assert slices_of(left_out) < 0.75 * slices_of(everywhere)
    np.testing.assert_array_equal(mask, whole)


def test_a_brain_without_tumour_is_segmented_in_the_first_plane_only() -> None:
    seen = to_slices(volume())
    plain = replace(seen, array=np.minimum(seen.array, 1.0))
    engine, axial = BrightEngine(), BrightEngine()
    maps = Passes(engine, card()).plain(plain, plain.sequences)
    Passes(axial, card(planes=("axial",))).plain(plain, plain.sequences)
    assert maps.max() < 0.5
    assert slices_of(engine) == math.ceil(slices_of(axial) / len(THREE))


def slices_of(engine: BrightEngine) -> int:
    return sum(shape[0] for shape in engine.shapes)


def test_both_passes_have_the_same_map() -> None:
    seen = to_slices(volume())
    passes = Passes(BrightEngine(apart=3.0), card(temperature=1.5))
    opinions = passes.thorough(seen, seen.sequences, disagreement=True)
    np.testing.assert_array_equal(opinions.probabilities, passes.plain(seen, seen.sequences))
    assert opinions.plain.tolist() == [passes.masks(opinions.probabilities).sum()]
    assert opinions.disagreement is not None
    assert opinions.disagreement.max() > 0


def test_the_volume_of_another_map_is_counted_in_all_planes() -> None:
    """Side maps that are equal to the fused one have its volume, but for the smoothing."""
    seen = to_slices(volume())
    opinions = Passes(BrightEngine(), card()).thorough(seen, seen.sequences)
    assert opinions.voxels[:, 0] / opinions.plain[0] == pytest.approx(1.0, abs=0.05)
    assert opinions.dice.tolist() == [[1.0]] * len(opinions.names)


@pytest.mark.parametrize(
    ("mm", "changes"),
    [(VOXEL_MM + 0.1, {}), (1.5, {"slice_smoothing_mm": 0.0}), (1.5, {"planes": ("axial",)})],
)
def test_others_are_cut_in_one_plane(mm: float, changes: dict[str, Any]) -> None:
    views = views_of(to_slices(volume(mm)), card(**changes))
    assert len(views) == 1
    assert not isinstance(views[0], CrossingView)


def test_whole_heads_are_cut_in_one_plane() -> None:
    """The trainings had them in axial slices only."""
    head = volume(1.2)
    noise = np.random.default_rng(1).normal(0, 15, head.array.shape).astype(np.float32)
    seen = to_slices(replace(head, array=head.array + np.abs(noise)))
    assert len(views_of(seen, card())) == 1


def test_an_empty_part_of_the_head_is_not_shown() -> None:
    """Slices without the head, and what is above it in the other planes, are left out."""
    air = np.pad(brain(), ((0, 0), (0, 0), (0, 0), (30, 10)))
    seen = to_slices(Volume(air, np.eye(4), ("t1", "flair")))
    coronal = views_of(seen, card())[1].stack.array
    assert coronal.shape[2] < SIDES[2] + 10
