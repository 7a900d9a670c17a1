"""The validation against numbers computed by hand, with a network that is told what to say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gliomask.config import Recipe
from gliomask.errors import StoreError
from gliomask.learning.batches import Worker
from gliomask.learning.catalogue import Catalogue, list_slices
from gliomask.learning.dataset import KeptSlices
from gliomask.learning.validation import Validation, ValidationScore
from tests.learning.stores import SEQUENCES, write_store

CPU = torch.device("cpu")
SIZE = 4


class Echo(nn.Module):
    """Says tumour wherever the first channel is above 0.5."""

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return ((images[:, :1] - 0.5) * 100,)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    store = write_store(tmp_path, train=2, validation=1, lacking=[1])
    return list_slices(store, ("case0", "case1"), SEQUENCES, all_needed=False)


def validation(
    catalogue: Catalogue, said: Tensor, truth: Tensor, mode: str = "stacked", **worker: int
) -> Validation:
    """``said`` (10, 2, 4, 4) is what Echo sees, ``truth`` (10, 4, 4) the mask."""
    keys = {"input": {"size": 16, "mode": mode}, "batch_size": 4}
    slices = KeptSlices(said.half(), truth.to(torch.uint8))
    recipe = Recipe.model_validate(keys)
    return Validation(slices, catalogue, recipe, Worker(CPU, **worker))


def judge(one: Validation) -> ValidationScore:
    return one.evaluate(Echo(), lambda tensor: tensor, lambda slices: None)


def scene() -> tuple[Tensor, Tensor]:
    """Case 0: 8 pixels of 12 found, and 4 too many. Case 1: found to the pixel."""
    said, truth = torch.zeros(10, 2, SIZE, SIZE), torch.zeros(10, SIZE, SIZE)
    truth[0, :2] = 1  # 8
    truth[1, 0] = 1  # 4
    said[0, 0, :3] = 1  # the 8, and 4 that are not there
    truth[7, 1:3, 1:3] = 1
    said[7, 0, 1:3, 1:3] = 1
    return said, truth


def test_dice_is_that_of_patients_not_of_slices(catalogue: Catalogue) -> None:
    found = judge(validation(catalogue, *scene()))
    assert list(found.dice) == pytest.approx([(2 * 8 / (12 + 12) + 1) / 2])
    assert found.mean_dice == found.dice[0]
    assert len(found.batches) == 3


def test_losses_are_means_over_samples(catalogue: Catalogue) -> None:
    one = validation(catalogue, *scene())
    found, weights = judge(one), [4, 4, 2]
    assert sorted(np.concatenate(one.rows)) == list(range(10))
    for kind, mean in ((0, found.loss), (1, found.dice_loss)):
        values = [batch[kind] for batch in found.batches]
        assert mean == pytest.approx(np.average(values, weights=weights))
    for rows, (_, dice_loss) in zip(one.rows, found.batches, strict=True):
        # Of each slice that says something: overlap, sum of both areas.
        slices = {0: (8, 20), 1: (0, 4), 7: (4, 8)}
        overlap, areas = np.sum([slices.get(int(row), (0, 0)) for row in rows], axis=0)
        assert dice_loss == pytest.approx(1 - (2 * overlap + 1) / (areas + 1), abs=1e-5)


def test_single_sequences_are_judged_by_their_mean(catalogue: Catalogue) -> None:
    said, truth = scene()
    said[0, 1] = said[0, 0]
    said[0, 1, 2] = 0  # one sequence says so, one not: the mean is 1/2, which is tumour
    said[0, 0, 3] = 0.49  # one hardly, one not at all: less
    found = judge(validation(catalogue, said, truth, "each"))
    assert found.dice[0] == pytest.approx((2 * 8 / (12 + 12) + 1) / 2)
    # 5 slices of two sequences and 5 of one: 15 samples; in batch 1 all four have two.
    assert len(found.batches) == 3


def test_a_patient_without_tumour_counts_only_if_some_is_found(catalogue: Catalogue) -> None:
    said, truth = scene()
    truth[7], said[7] = 0, 0
    assert judge(validation(catalogue, said, truth)).mean_dice == pytest.approx(16 / 24)
    said[9, 0, 0, 0] = 1
    assert judge(validation(catalogue, said, truth)).mean_dice == pytest.approx(16 / 24 / 2)


def test_no_tumour_at_all_is_refused(catalogue: Catalogue) -> None:
    said, truth = scene()
    with pytest.raises(StoreError, match="no validation patient has whole"):
        judge(validation(catalogue, said, truth * 0))


def test_shares_add_up_to_the_whole(catalogue: Catalogue) -> None:
    parts: list[list[Tensor]] = []
    for rank in (0, 1):
        seen: list[Tensor] = []

        def note(tensor: Tensor, seen: list[Tensor] = seen) -> Tensor:
            seen.append(tensor)
            return tensor + 1e-9  # so that no part looks empty

        calls: list[int] = []
        one = validation(catalogue, *scene(), rank=rank, world=2)
        one.evaluate(Echo(), note, calls.append)
        assert len(calls) == one.rounds == 2  # equally often, or the others would wait
        parts.append(seen)
    whole: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        whole.append(tensor)
        return tensor

    validation(catalogue, *scene()).evaluate(Echo(), keep, lambda slices: None)
    for first, second, both in zip(*parts, whole, strict=True):
        torch.testing.assert_close(first + second, both)
    assert not math.isnan(float(whole[1].sum()))


def test_a_region_that_a_patient_does_not_label_gives_no_dice(tmp_path: Path) -> None:
    store = write_store(tmp_path, train=2, validation=1, parts=True, whole_only=[1])
    catalogue = list_slices(store, ("case0", "case1"), SEQUENCES, all_needed=False)
    recipe = Recipe.model_validate(
        {"regions": ["whole", "core"], "input": {"size": 16}, "batch_size": 4}
    )
    said, bits = torch.zeros(10, 2, SIZE, SIZE), torch.zeros(10, SIZE, SIZE, dtype=torch.uint8)
    bits[0, :2] = 3  # case 0: whole and core
    bits[7, :2] = 1  # case 1: whole, and its core is not labelled
    said[0, 0, :3] = 1  # 12 marked for the 8 of each region
    said[7, 0, :2] = 1
    one = Validation(KeptSlices(said.half(), bits), catalogue, recipe, Worker(CPU))

    class Both(nn.Module):
        def forward(self, images: Tensor) -> tuple[Tensor, ...]:
            return ((images[:, :1] - 0.5).repeat(1, 2, 1, 1) * 100,)

    found = one.evaluate(Both(), lambda tensor: tensor, lambda slices: None)
    assert found.dice == pytest.approx(((16 / 20 + 1) / 2, 16 / 20))
