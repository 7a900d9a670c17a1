"""Slices of three planes: cut as if the head lay otherwise, and combined on the axial grid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gliomask.core.geometry import Plane
from gliomask.core.slices import SliceStack, to_slices
from gliomask.core.volume import FloatArray, Volume
from gliomask.inference.passes import Passes
from gliomask.inference.planes import POSSIBLE, VOXEL_MM, CrossingView, PlaneView, views_of
from gliomask.inference.slice_batch import shows_something
from gliomask.jobs.control import Control
from tests.brains import SIDES, brain
from tests.fakes import BrightEngine, fake_card
from tests.heard import Heard

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


def test_three_planes_cost_no_more_slices_than_one() -> None:
    seen = to_slices(volume())
    shown = []
    for planes in (("axial",), THREE):
        engine = BrightEngine()
        Passes(engine, card(planes=planes)).plain(seen, seen.sequences)
        shown.append(slices_of(engine))
    assert shown[1] <= shown[0]


def test_crossing_slices_far_from_the_tumour_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The axial slices show no tumour near them, and the mask is the same without them."""
    seen = to_slices(volume())
    left_out = BrightEngine()
    mask = Passes(left_out, card()).plain(seen, seen.sequences) >= 0.5
    monkeypatch.setattr(CrossingView, "near_tumour", PlaneView.near_tumour)
    everywhere = BrightEngine()
    whole = Passes(everywhere, card()).plain(seen, seen.sequences) >= 0.5
    assert slices_of(left_out) < 0.75 * slices_of(everywhere)
    np.testing.assert_array_equal(mask, whole)


@pytest.mark.parametrize("plane", [1, 2])
@pytest.mark.parametrize("mm", [1.0, 1.5])
def test_slices_near_possible_tumour_in_the_earlier_planes_are_segmented(
    plane: int, mm: float
) -> None:
    """Two voxels of the same slice of the plane: only one reaches the limit in the mean of the
    earlier planes, each of which has a third of the sum."""
    seen = to_slices(volume(mm))
    view = views_of(seen, card())[plane]
    assert isinstance(view, CrossingView)
    total = np.zeros((1, *seen.array[:, 0].shape), np.float32)
    cut = view.cut(total)
    limit, middle = POSSIBLE * plane / 3, cut.shape[1] // 2
    cut[0, middle, 10, 10] = 0.99 * limit
    assert not view.near_tumour(total).any()
    cut[0, middle, 10, 10] = 1.01 * limit
    reach = {1.0: 5, 1.5: 3}[mm]  # three standard deviations of 1.5 mm
    near = [k for k in range(0, cut.shape[1], 3) if abs(k - middle) <= reach]
    assert (3 * np.flatnonzero(view.near_tumour(total))).tolist() == near


def test_tumour_in_the_first_or_last_slice_has_neighbours_on_one_side() -> None:
    seen = to_slices(volume())
    view = views_of(seen, card())[1]
    assert isinstance(view, CrossingView)
    for end in (0, -1):
        total = np.zeros((1, *seen.array[:, 0].shape), np.float32)
        view.cut(total)[0, end] = 1.0
        near = view.near_tumour(total)
        assert near[end]
        assert near.sum() == 2


def test_where_no_tumour_is_possible_the_map_is_that_of_the_first_plane() -> None:
    """Its probabilities count in full, so that an empty mask shows how near tumour was."""
    seen, engine = doubtful(), BrightEngine()
    maps = Passes(engine, card()).plain(seen, seen.sequences)
    axial = views_of(seen, card())[0].stack
    assert slices_of(engine) == shows_something(axial, (0, 1)).sum()
    assert 0.15 < maps.max() < POSSIBLE


def test_volumes_of_side_maps_count_in_full_where_one_plane_was_segmented() -> None:
    """The fused map shows no possible tumour, side maps do: about as much as the box has voxels."""
    seen = doubtful()
    opinions = Passes(BrightEngine(apart=-2.0), card()).thorough(seen, seen.sequences)
    box = 12 * 12 * 18
    assert opinions.plain.tolist() == [0]
    assert opinions.voxels[1:6, 0] == pytest.approx(box, rel=0.2)


def test_neither_temperature_nor_threshold_changes_which_slices_are_segmented() -> None:
    seen = doubtful()
    counts = set()
    for changes in ({}, {"temperature": 3.0}, {"threshold": 0.05}):
        engine = BrightEngine()
        Passes(engine, card(**changes)).plain(seen, seen.sequences)
        counts.add(slices_of(engine))
    assert len(counts) == 1


def test_progress_covers_the_slices_that_are_left_out() -> None:
    seen, heard = to_slices(volume()), Heard()
    Passes(BrightEngine(), card()).plain(seen, seen.sequences, Control(heard))
    assert sum(heard.steps) == heard.started[0][0]


def doubtful() -> SliceStack:
    """The brain with a tumour that gets a probability of 0.21: its logit is 10 x (1.87 - 2)."""
    seen = to_slices(volume())
    return replace(seen, array=np.minimum(seen.array, 1.87))


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
