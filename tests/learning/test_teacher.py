"""What a teacher says goes into the target, and the pupil comes to say the same."""

from __future__ import annotations

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gliomask.config import Recipe
from gliomask.learning.devices import Machines, start_fabric
from gliomask.learning.execution import Execution, set_up
from gliomask.learning.teacher import Teacher
from gliomask.nets.u2net import build_model

RECIPE = Recipe.model_validate(
    {"precision": "32-true", "loss": {"teacher": 1.0, "sides": 0}, "optimiser": {"lr": 0.01}}
)


class Known(nn.Module):
    """Says the logit that it is shown."""

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return (images, torch.full_like(images, 9.0))


@pytest.fixture
def fabric() -> Fabric:
    return start_fabric(Machines("cpu"), RECIPE)


def test_the_target_lies_between_truth_and_teacher(fabric: Fabric) -> None:
    logits = torch.tensor([0.0, 0.0, 1.0986123]).view(3, 1, 1, 1)  # a half, a half, 3 to 1
    truth = torch.tensor([0.0, 1.0, 1.0]).view(3, 1, 1, 1)
    found = Teacher(Known(), 0.2).soften(logits, truth, fabric)
    torch.testing.assert_close(found.flatten(), torch.tensor([0.1, 0.9, 0.95]))


@pytest.mark.slow
def test_a_pupil_of_nothing_but_a_teacher_comes_to_say_what_it_says(fabric: Fabric) -> None:
    torch.manual_seed(3)
    images = torch.randn(4, 1, 32, 32)
    teacher = build_model("u2net-tiny", in_channels=1, out_channels=1).eval()
    with torch.no_grad():
        # It marks what is bright, whatever the network is.
        teacher.register_forward_hook(lambda _net, seen, _maps: (8 * seen[0],))
    pupil = build_model("u2net-tiny", in_channels=1, out_channels=1).train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    stepper = set_up(fabric, pupil, RECIPE, Execution(), teacher)
    contrary = (images < 0).float()  # the truth says the opposite, and nobody asks it
    for _ in range(60):
        stepper.step(images, contrary, torch.ones(4, 1))
    with torch.no_grad():
        says = pupil.eval()(images)[0]
    assert says[images > 0.5].mean() > says[images < -0.5].mean() + 1
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
