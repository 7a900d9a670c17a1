"""The loss against numbers computed by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gliomask.config import LossOptions
from gliomask.learning.losses import SegmentationLoss

HALF = torch.zeros(1, 1, 2, 2)  # logit 0: probability 1/2 everywhere
ONE_OF_FOUR = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])


def loss(maps: list[Tensor], target: Tensor, **options: object) -> tuple[float, float]:
    function = SegmentationLoss(LossOptions.model_validate(options))
    total, dice_loss = function.value(function.sums(maps, target, known(target))).tolist()
    return total, dice_loss


def known(target: Tensor) -> Tensor:
    return torch.ones(target.shape[:2])


def test_dice_and_cross_entropy_of_one_map() -> None:
    # Overlap 1/2, areas 2 + 1: Dice (2 * 1/2 + 1) / (3 + 1) = 1/2. Entropy ln 2 at each pixel.
    total, dice_loss = loss([HALF], ONE_OF_FOUR)
    assert dice_loss == pytest.approx(0.5)
    assert total == pytest.approx(0.5 + math.log(2))


def test_the_weights_of_the_terms() -> None:
    assert loss([HALF], ONE_OF_FOUR, dice=2, bce=0)[0] == pytest.approx(1.0)
    assert loss([HALF], ONE_OF_FOUR, dice=0, bce=3)[0] == pytest.approx(3 * math.log(2))
    assert loss([HALF], ONE_OF_FOUR, dice=0, bce=3)[1] == pytest.approx(0.5)


def test_side_maps_weigh_as_told_and_do_not_count_as_dice() -> None:
    sure = 50.0 * (2 * ONE_OF_FOUR - 1)
    total, dice_loss = loss([sure, HALF, HALF], ONE_OF_FOUR, bce=0, sides=0.25)
    assert dice_loss == pytest.approx(0.0, abs=1e-6)
    assert total == pytest.approx((0 + 0.25 * 0.5 + 0.25 * 0.5) / 1.5)


def test_batch_and_sample_dice_differ() -> None:
    # The second sample is empty and half filled by the prediction: Dice 1 / (2 + 1).
    maps, target = HALF.repeat(2, 1, 1, 1), torch.cat([ONE_OF_FOUR, torch.zeros(1, 1, 2, 2)])
    each = (0.5 + (1 - 1 / 3)) / 2
    assert loss([maps], target, bce=0, dice_over="sample")[0] == pytest.approx(each)
    # Together: overlap 1/2, areas 4 + 1.
    assert loss([maps], target, bce=0, dice_over="batch")[0] == pytest.approx(1 - 2 / 6)


def test_missed_tumour_may_weigh_more_than_false_tumour() -> None:
    # Overlap 1/2, predicted 2, true 1: (2 * 1/2 + 1) / (2 * (0.3 * 2 + 0.7 * 1) + 1).
    total, dice_loss = loss([HALF], ONE_OF_FOUR, bce=0, missed=0.7)
    assert total == pytest.approx(1 - 2 / (0.6 * 2 + 1.4 * 1 + 1))
    assert dice_loss == pytest.approx(0.5)  # what is told stays Dice
    each, dice_loss = loss([HALF], ONE_OF_FOUR, bce=0, missed=0.7, dice_over="sample")
    assert each == pytest.approx(total)
    assert dice_loss == pytest.approx(0.5)


def test_the_focus_is_an_exponent() -> None:
    assert loss([HALF], ONE_OF_FOUR, bce=0, focus=0.75)[0] == pytest.approx(0.5**0.75)


def test_a_perfect_mask_has_a_finite_gradient_under_a_root() -> None:
    sure = torch.full((1, 1, 2, 2), -200.0, requires_grad=True)  # probability 0: Dice is exactly 1
    function = SegmentationLoss(LossOptions(bce=0, focus=0.75))
    total = function.value(function.sums([sure], torch.zeros(1, 1, 2, 2), torch.ones(1, 1)))[0]
    (slope,) = torch.autograd.grad(total, sure)
    assert bool(torch.isfinite(slope).all())


def test_regions_are_channels_of_their_own() -> None:
    maps = torch.cat([HALF, HALF], dim=1)
    target = torch.cat([ONE_OF_FOUR, torch.zeros(1, 1, 2, 2)], dim=1)
    # Region one 1/2, region two 1 - 1 / (2 + 1).
    assert loss([maps], target, bce=0)[1] == pytest.approx((1 / 2 + 2 / 3) / 2)


@pytest.mark.parametrize("over", ["batch", "sample"])
def test_sums_of_two_halves_are_those_of_the_whole(over: str) -> None:
    generator = torch.Generator().manual_seed(0)
    maps = [torch.randn(4, 2, 8, 8, generator=generator) for _ in range(3)]
    target = (torch.rand(4, 2, 8, 8, generator=generator) > 0.7).float()
    function = SegmentationLoss(LossOptions.model_validate({"dice_over": over}))
    labelled = known(target)
    parts = [
        function.sums([m[half] for m in maps], target[half], labelled[half])
        for half in ([0, 2], [1, 3])
    ]
    whole = function.value(function.sums(maps, target, labelled))
    torch.testing.assert_close(function.value(parts[0] + parts[1]), whole)


def test_sure_and_wrong_stays_finite() -> None:
    total, _ = loss([torch.full((1, 1, 2, 2), -1e4)], ONE_OF_FOUR)
    assert math.isfinite(total)


def test_a_region_that_a_sample_does_not_label_is_left_out() -> None:
    # Two samples, two regions; the second sample's mask does not label the second region, whose
    # target there is wrong on purpose. Region 0: overlap 1/2 + 0, areas 3 + 2. Region 1: 1/2, 3.
    maps = [torch.zeros(2, 2, 2, 2, requires_grad=True)]
    first = ONE_OF_FOUR[0, 0]
    target = torch.stack([torch.stack([first, first]), torch.stack([0 * first, first + 1])])
    labelled = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    function = SegmentationLoss(LossOptions(bce=0))
    total, dice_loss = function.value(function.sums(maps, target, labelled))
    expected = ((1 - 2 / 6) + (1 - 2 / 4)) / 2
    assert total.item() == pytest.approx(expected)
    assert dice_loss.item() == pytest.approx(expected)
    total.backward()
    assert maps[0].grad is not None
    assert maps[0].grad[1, 1].abs().max() == 0
    assert maps[0].grad[0, 1].abs().max() > 0


def test_a_region_that_no_sample_labels_does_not_count() -> None:
    maps = [torch.zeros(1, 2, 2, 2, requires_grad=True)]
    target = ONE_OF_FOUR.repeat(1, 2, 1, 1)
    function = SegmentationLoss(LossOptions(focus=0.75))
    whole_only = function.value(function.sums(maps, target, torch.tensor([[1.0, 0.0]])))
    alone = function.value(function.sums([maps[0][:, :1]], ONE_OF_FOUR, torch.ones(1, 1)))
    torch.testing.assert_close(whole_only, alone)
    nothing = function.value(function.sums(maps, target, torch.zeros(1, 2)))
    assert nothing.tolist() == [0.0, 0.0]
