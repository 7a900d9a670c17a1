"""Recording a step: every batch is learned from once, before, at and after the recording."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor

from gliomask.config import Recipe
from gliomask.learning.devices import Machines, start_fabric
from gliomask.learning.execution import Execution, set_up
from gliomask.learning.graphed import WARM_UP, GraphedStep
from gliomask.learning.optimiser import set_learning_rate
from gliomask.nets.u2net import build_model


class Tape:
    """A recorder without a device: it does the recorded work again, with the same tensors."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken, self.calls = broken, list[str]()

    def warm(self, work: Callable[[], Tensor]) -> Tensor:
        self.calls.append("warm")
        return work()

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        self.calls.append("record")
        if self.broken:
            raise RuntimeError("operation not permitted\nwhen stream is capturing")
        result = torch.zeros(2)

        def replay() -> None:
            self.calls.append("replay")
            result.copy_(work())

        return replay, result


class Adder:
    """Learns the sums of the batches that it is shown."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def __call__(self, images: Tensor, target: Tensor, labelled: Tensor) -> Tensor:
        self.seen.append(float(images.sum() + target.sum() + labelled.sum()))
        return torch.stack([images.sum(), target.sum()])


def batches(count: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    return [
        (torch.full((2,), float(k)), torch.full((3,), float(k)), torch.full((1,), float(k)))
        for k in range(count)
    ]


@pytest.mark.parametrize("broken", [False, True])
def test_every_batch_is_learned_from_once_in_its_turn(broken: bool) -> None:
    tape, learn = Tape(broken=broken), Adder()
    step = GraphedStep(learn, tape)
    values = [step(*batch) for batch in batches(WARM_UP + 3)]
    assert learn.seen == [6.0 * k for k in range(WARM_UP + 3)]
    assert [value.tolist() for value in values] == [[2.0 * k, 3.0 * k] for k in range(WARM_UP + 3)]
    replays = [] if broken else ["replay"] * 3
    assert tape.calls == ["warm"] * WARM_UP + ["record"] + replays


def test_what_can_not_be_recorded_is_told() -> None:
    step = GraphedStep(Adder(), Tape(broken=True))
    for batch in batches(WARM_UP + 1):
        assert step.note == ""
        step(*batch)
    assert step.note.endswith("is slower: operation not permitted")


def train(fabric: Fabric, how: Execution, steps: int) -> tuple[list[Tensor], list[Tensor]]:
    """Losses and weights of some steps of a small network with a falling rate."""
    torch.manual_seed(0)
    network = build_model("u2net-tiny", in_channels=2, out_channels=1).train()
    recipe = Recipe.model_validate({"optimiser": {"clip": 1.0}, "precision": "32-true"})
    stepper = set_up(fabric, network, recipe, how)
    losses, generator = [], torch.Generator().manual_seed(1)
    for k in range(steps):
        images = torch.randn(4, 2, 32, 32, generator=generator)
        target = (images[:, :1] > 1).float()
        set_learning_rate(stepper.optimiser, 1e-3 / (1 + k))
        device = fabric.device
        losses.append(
            stepper.step(
                images.to(device), target.to(device), torch.ones(4, 1, device=device)
            ).cpu()
        )
    assert stepper.notes == ()
    return losses, [value.detach().cpu() for value in network.parameters()]


def test_the_same_steps_give_the_same_weights() -> None:
    fabric = start_fabric(Machines("cpu"), Recipe())
    first, second = (train(fabric, Execution(), 3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first[1], second[1], strict=True))
    assert float(first[0][2][0]) < float(first[0][0][0])


@pytest.mark.gpu
def test_a_recorded_training_is_that_of_single_steps() -> None:
    fabric = start_fabric(Machines("cuda"), Recipe(precision="32-true"))
    plain, recorded = (
        train(fabric, Execution(graph=graph), WARM_UP + 5) for graph in (False, True)
    )
    for one, other in zip(plain[0], recorded[0], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)


@pytest.mark.gpu
def test_a_recorded_step_waits_for_nothing() -> None:
    fabric = start_fabric(Machines("cuda"), Recipe())
    network = build_model("u2net-tiny", in_channels=2, out_channels=1).train()
    recipe = Recipe.model_validate({"optimiser": {"clip": 1.0}})
    stepper = set_up(fabric, network, recipe, Execution(graph=True))
    images = torch.randn(4, 2, 32, 32, device=fabric.device)
    target = (images[:, :1] > 1).float()
    labelled = torch.ones(4, 1, device=fabric.device)
    for _ in range(WARM_UP + 1):
        stepper.step(images, target, labelled)
    torch.cuda.set_sync_debug_mode("error")
    try:
        set_learning_rate(stepper.optimiser, 1e-4)
        stepper.step(images, target, labelled)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert stepper.notes == ()
