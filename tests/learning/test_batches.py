"""What a step gets depends on the recipe, the epoch and the step, and not on who prepares it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gliomask.config import AugmentOptions, InputOptions, Recipe
from gliomask.learning.augment import draw_change
from gliomask.learning.batches import Batch, TrainingBatches, Worker, ahead
from gliomask.learning.catalogue import list_slices
from gliomask.learning.dataset import StoreSlices
from tests.learning.stores import SEQUENCES, write_store

CPU = torch.device("cpu")
RECIPE = Recipe.model_validate(
    {
        "input": {"size": 16, "dropout": 0.3},
        "augment": {"flip_horizontal": 0.5, "affine": 0.5, "noise": 0.5, "elastic": 0.5},
        "batch_size": 4,
    }
)


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> StoreSlices:
    store = write_store(tmp_path_factory.mktemp("store"), train=2, validation=1, lacking=[1])
    catalogue = list_slices(store, ("case0", "case1"), SEQUENCES, all_needed=False)
    return StoreSlices(store, catalogue, 16, ("whole",))


def batches(slices: StoreSlices, recipe: Recipe = RECIPE, **worker: int) -> TrainingBatches:
    return TrainingBatches(slices, slices.catalogue, recipe, Worker(CPU, **worker))


def same(left: Iterator[Batch], right: Iterator[Batch]) -> bool:
    return all(
        torch.equal(a.images, b.images) and torch.equal(a.target, b.target)
        for a, b in zip(left, right, strict=True)
    )


def test_shapes_and_steps(slices: StoreSlices) -> None:
    ours = batches(slices)
    assert ours.steps == 3  # 10 slices in batches of 4, the last one filled up
    found = list(ours.epoch(0))
    assert len(found) == 3
    assert found[0].images.shape == (4, 2, 16, 16)
    assert found[0].images.dtype == torch.float32
    assert found[0].target.shape == (4, 1, 16, 16)


def test_threads_change_nothing(slices: StoreSlices) -> None:
    assert same(batches(slices).epoch(2), batches(slices, threads=3).epoch(2))


def test_epochs_differ_and_may_be_entered_in_the_middle(slices: StoreSlices) -> None:
    ours = batches(slices)
    first = list(ours.epoch(0))
    assert not same(iter(first), ours.epoch(1))
    assert same(iter(first[1:]), ours.epoch(0, first=1))
    assert list(ours.epoch(0, first=3)) == []


def test_two_workers_share_the_batch_of_one(slices: StoreSlices) -> None:
    whole = next(batches(slices).epoch(0))
    for rank in (0, 1):
        part = next(batches(slices, rank=rank, world=2).epoch(0))
        torch.testing.assert_close(part.images, whole.images[rank::2], rtol=1e-6, atol=1e-6)
        assert torch.equal(part.target, whole.target[rank::2])


def test_each_sequence_can_be_a_sample(slices: StoreSlices) -> None:
    keys = {"input": {"size": 16, "mode": "each"}, "batch_size": 5}
    ours = batches(slices, Recipe.model_validate(keys))
    assert ours.steps == 3  # 5 slices of two sequences and 5 of one
    found = list(ours.epoch(0))
    assert found[0].images.shape == (5, 1, 16, 16)
    images, _ = slices.fetch(np.arange(10))
    present = {image.tobytes() for image in images[:5].flatten(0, 1).float().numpy()}
    present |= {image.tobytes() for image in images[5:, 0].float().numpy()}
    assert {image.numpy().tobytes() for batch in found for image in batch.images[:, 0]} == present


def test_a_thick_slice_holds_its_neighbours(slices: StoreSlices) -> None:
    plain = RECIPE.model_copy(update={"augment": AugmentOptions(), "input": InputOptions(size=16)})
    thick = plain.model_copy(update={"augment": AugmentOptions(thick=1)})
    catalogue = slices.catalogue
    both = zip(batches(slices, thick).epoch(0), batches(slices, plain).epoch(0), strict=True)
    for step, (seen, own) in enumerate(both):
        assert torch.equal(seen.target, own.target)
        for k, name in enumerate(batches(slices, plain).names(0, step)):
            row = next(row for row in range(len(catalogue)) if catalogue.name(row) == name)
            first = 5 * (row // 5)
            rows = np.clip([row - 1, row, row + 1], first, first + 4)
            below, itself, above = slices.fetch(rows)[0].float()
            share = draw_change(thick.augment, 0, np.ones(2, bool), (0, 0, 4 * step + k)).thick
            assert share is not None
            due = (1 - 2 * share) * itself + share * below + share * above
            torch.testing.assert_close(seen.images[k], due, atol=2e-3, rtol=1e-3)


def test_the_slices_of_a_step_have_names(slices: StoreSlices) -> None:
    names = [name for step in range(3) for name in batches(slices).names(0, step)]
    assert len(names) == 12
    assert set(names) == {f"case{case} slice {k}" for case in (0, 1) for k in range(1, 6)}


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_ahead_keeps_the_order_and_passes_errors_on(threads: int) -> None:
    def make(number: int) -> int:
        if number == 7:
            raise KeyError("seven")
        return number * number

    assert list(ahead(make, range(7), threads)) == [0, 1, 4, 9, 16, 25, 36]
    with pytest.raises(KeyError, match="seven"):
        list(ahead(make, range(9), threads))


def test_threads_end_with_the_one_who_asked() -> None:
    before = threading.active_count()
    made = ahead(lambda number: number, range(100), 2)
    assert next(made) == 0
    del made
    assert threading.active_count() == before


def test_a_batch_says_which_regions_each_sample_labels(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1, parts=True, whole_only=[1])
    catalogue = list_slices(store, ("case0", "case1"), SEQUENCES, all_needed=False)
    regions = ("whole", "core", "enhancing")
    recipe = RECIPE.model_copy(update={"regions": regions})
    slices = StoreSlices(store, catalogue, 16, regions)
    ours = TrainingBatches(slices, catalogue, recipe, Worker(CPU))
    batch = next(ours.epoch(0))
    of_case = {"case0": [1.0, 1.0, 1.0], "case1": [1.0, 0.0, 0.0]}
    expected = [of_case[name.split()[0]] for name in ours.names(0, 0)]
    assert batch.labelled.tolist() == expected
    assert {tuple(row) for row in expected} == {(1.0, 1.0, 1.0), (1.0, 0.0, 0.0)}
