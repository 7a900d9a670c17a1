"""Several looks at one stack, with an engine whose side maps and mirrored maps are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gliomask.core.slices import SliceStack, to_slices
from gliomask.core.volume import FloatArray
from gliomask.inference.opinions import disagreement
from gliomask.inference.passes import NEARLY, SAMPLE, Passes
from gliomask.inference.slice_batch import shows_something
from tests.fakes import BrightEngine, fake_card, head_volume

BOTH = ("t1", "flair")
FLIPS: dict[str, Any] = {"augment": {"flip_horizontal": 0.5, "flip_vertical": 0.5}}


class LeftEngine(BrightEngine):
    """Marks what is bright in the left half of what it is shown only."""

    elsewhere = -20.0

    def logits(self, inputs: FloatArray) -> FloatArray:
        found = super().logits(inputs)
        found[..., : found.shape[-1] // 2] = self.elsewhere
        return found


class HesitantEngine(LeftEngine):
    """Comes near the threshold in the other half, on every slice."""

    elsewhere = -0.5


@pytest.fixture(scope="module")
def stack() -> SliceStack:
    return to_slices(head_volume())


@pytest.mark.parametrize(
    ("recipe", "axes"),
    [
        ({}, ()),
        ({"augment": {"flip_horizontal": 0.0}}, ()),
        ({"augment": {"flip_horizontal": 0.5, "flip_vertical": 0.0}}, (-1,)),
        (FLIPS, (-1, -2)),
        ({"augment": "unknown"}, ()),
    ],
)
def test_only_flips_of_the_training_are_made(recipe: dict[str, Any], axes: tuple[int]) -> None:
    assert fake_card(recipe=recipe).flips == axes


def test_the_plain_map_is_the_same_in_both(stack: SliceStack) -> None:
    passes = Passes(BrightEngine(apart=3.0), fake_card(recipe=FLIPS, temperature=1.5))
    found = passes.thorough(stack, BOTH)
    np.testing.assert_array_equal(found.probabilities, passes.plain(stack, BOTH))
    assert found.plain.tolist() == [int(passes.masks(found.probabilities).sum())]
    assert found.disagreement is None
    assert found.names[:2] == ("side 1", "side 2")
    assert found.names[5:] == ("side 6", "left-right", "front-back")


def test_equal_maps_do_not_disagree(stack: SliceStack) -> None:
    """A network that looks at each pixel alone says the same of mirrored slices."""
    passes = Passes(BrightEngine(), fake_card(recipe=FLIPS))
    found = passes.thorough(stack, BOTH, disagreement=True)
    assert found.disagreement is not None
    assert found.disagreement.max() < 1e-5
    assert found.dice.tolist() == [[1.0]] * 8
    assert len(set(found.voxels[:, 0].tolist())) == 1
    assert found.voxels[0, 0] == pytest.approx(int(found.plain[0]), rel=0.15)  # another grid
    assert disagreement(found, 0) == pytest.approx(0.0, abs=1e-12)


def test_side_maps_that_see_less_disagree(stack: SliceStack) -> None:
    passes = Passes(BrightEngine(apart=3.0), fake_card())
    found = passes.thorough(stack, BOTH, disagreement=True)
    sizes = found.voxels[:, 0].tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert found.plain[0] > sizes[0] > sizes[-1]
    assert np.diff(found.dice[:, 0]).max() < 0
    assert found.disagreement is not None
    assert found.disagreement.shape == found.probabilities.shape
    assert found.disagreement.max() > 0.1
    assert disagreement(found, 0) > 0.1


class SplitEngine(BrightEngine):
    """Side maps of which three say one probability and three another, everywhere."""

    def maps(self, inputs: FloatArray) -> FloatArray:
        found = super().maps(inputs)
        found[:, 1:4], found[:, 4:] = 0.0, np.log(9.0)
        return found


@pytest.mark.parametrize(("temperature", "deviation"), [(1.0, 0.2), (2.0, 0.125)])
def test_the_disagreement_is_the_deviation_of_the_side_maps(
    stack: SliceStack, temperature: float, deviation: float
) -> None:
    """0.5 and 0.9 at temperature 1; 0.5 and 0.75 at 2, which takes the root of the odds."""
    card = fake_card(recipe=FLIPS, temperature=temperature)
    found = Passes(SplitEngine(), card).thorough(stack, BOTH, disagreement=True)
    assert found.disagreement is not None
    np.testing.assert_allclose(found.disagreement, deviation, rtol=1e-5)


def test_mirrored_maps_are_mirrored_back(stack: SliceStack) -> None:
    """An engine that sees one half only sees the other half of mirrored slices."""
    recipe = {"augment": {"flip_horizontal": 1.0}}
    everything = Passes(BrightEngine(), fake_card()).thorough(stack, BOTH)
    found = Passes(HesitantEngine(), fake_card(recipe=recipe)).thorough(stack, BOTH)
    assert found.names[6] == "left-right"
    both = int(found.voxels[6, 0]) + int(found.plain[0])
    assert both == pytest.approx(int(everything.voxels[0, 0]), rel=0.1)
    assert found.dice[6, 0] < 0.1  # but for the seam


def test_the_mean_with_mirror_images(stack: SliceStack) -> None:
    """An engine that sees one half only sees each half in one look of two; side maps stay."""
    flip: dict[str, Any] = {"recipe": {"augment": {"flip_horizontal": 0.5}}}
    alone, mean = (fake_card(mirrored=mirrored, **flip) for mirrored in (False, True))
    everything = Passes(BrightEngine(), alone).plain(stack, BOTH)
    both = Passes(LeftEngine(), mean).plain(stack, BOTH)
    assert everything.max() > 0.3
    seam = slice(11, 13)
    np.testing.assert_allclose(
        np.delete(both, seam, axis=-1), np.delete(everything, seam, axis=-1) / 2, atol=1e-5
    )
    found, before = (Passes(LeftEngine(), card).thorough(stack, BOTH) for card in (mean, alone))
    np.testing.assert_array_equal(found.probabilities, both)
    assert found.names == before.names
    assert found.voxels.tolist() == before.voxels.tolist()


def test_single_sequences_are_averaged(stack: SliceStack) -> None:
    card = fake_card(input_mode="each", in_channels=1)
    passes = Passes(BrightEngine(batch=5), card)
    found = passes.thorough(stack, BOTH)
    np.testing.assert_array_equal(found.probabilities, passes.plain(stack, BOTH))


def test_slices_that_show_nothing_are_not_asked_about(stack: SliceStack) -> None:
    array = stack.array.copy()
    array[:2] = -1.5  # above a skull-stripped head everything is one value
    array[2, 0], array[3, 1] = 0.25, 0.25  # one of the two sequences still shows something
    bare = replace(stack, array=array)
    engine = BrightEngine()
    passes = Passes(engine, fake_card())
    maps = passes.plain(bare, BOTH)
    assert sum(shape[0] for shape in engine.shapes) == len(array) - 2
    assert (maps[:, :2] == 0).all()
    np.testing.assert_allclose(maps[:, 4:], passes.plain(stack, BOTH)[:, 4:], atol=1e-6)
    said = passes.thorough(bare, BOTH)
    np.testing.assert_allclose(said.probabilities, maps, atol=1e-6)
    assert shows_something(bare, (0, 1)).tolist() == [False] * 2 + [True] * (len(array) - 2)
    assert not shows_something(bare, (0,))[2]


def test_slices_without_tumour_in_any_map_are_not_mirrored(stack: SliceStack) -> None:
    """Tumour lies in some slices only; the others pass the network once, and nothing changes."""
    engine = BrightEngine(apart=3.0)
    card = fake_card(recipe={"augment": {"flip_horizontal": 0.5}})
    found = Passes(engine, card).thorough(stack, BOTH)
    marked = int((found.probabilities >= NEARLY * card.threshold).any(axis=(0, 2, 3)).sum())
    asked = sum(shape[0] for shape in engine.shapes)
    assert 0 < marked < len(stack.array)
    assert len(stack.array) + marked <= asked < 2 * len(stack.array)
    # A network that looks at each pixel alone marks the same in the mirror.
    assert found.dice[6, 0] == 1.0


def test_where_no_map_comes_near_the_threshold_nothing_is_mirrored(stack: SliceStack) -> None:
    engine = BrightEngine(level=50.0)
    card = fake_card(recipe={"augment": {"flip_horizontal": 0.5}})
    found = Passes(engine, card).thorough(stack, BOTH)
    assert sum(shape[0] for shape in engine.shapes) == len(stack.array)
    assert found.names[-1] == "left-right"
    assert found.voxels.tolist() == [[0]] * 7


def test_of_many_slices_with_tumour_a_sample_is_mirrored(stack: SliceStack) -> None:
    """All slices show the same tumour: one in five is mirrored, and stands for the others."""
    marked = replace(stack, array=np.repeat(stack.array[5:6], 5 * SAMPLE, axis=0))
    engine = BrightEngine(apart=3.0)
    card = fake_card(recipe={"augment": {"flip_horizontal": 0.5}})
    found = Passes(engine, card).thorough(marked, BOTH)
    assert found.plain[0] > 0
    assert sum(shape[0] for shape in engine.shapes) == 5 * SAMPLE + SAMPLE
    # A network that looks at each pixel alone marks the same in the mirror.
    assert found.dice[6, 0] == 1.0
    plain = Passes(BrightEngine(), fake_card()).thorough(marked, BOTH).voxels[0]
    assert found.voxels[6].tolist() == plain.tolist()
