"""What a device can do, and what it is asked for."""

from __future__ import annotations

import pytest
import torch

from gliomask.config import Recipe
from gliomask.errors import ConfigError
from gliomask.learning.batches import channels_last
from gliomask.learning.devices import Machines, start_fabric
from gliomask.learning.execution import Execution, ExecutionMode, choose_execution, set_up
from gliomask.learning.graphed import GraphedStep
from gliomask.nets.u2net import build_model


@pytest.mark.parametrize("wanted", ["auto", "eager"])
def test_a_processor_takes_step_after_step(wanted: ExecutionMode) -> None:
    fabric = start_fabric(Machines("cpu"), Recipe())
    assert choose_execution(wanted, fabric) == Execution()


@pytest.mark.parametrize("wanted", ["graph", "compiled"])
def test_a_processor_neither_records_nor_compiles(wanted: ExecutionMode) -> None:
    fabric = start_fabric(Machines("cpu"), Recipe())
    with pytest.raises(ConfigError, match=f"`execution`={wanted}, allowed auto, eager"):
        choose_execution(wanted, fabric)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_lie_side_by_side_all_the_way(channels: int) -> None:

    fabric = start_fabric(Machines("cpu"), Recipe())
    network = build_model("u2net-tiny", in_channels=channels, out_channels=1)
    stepper = set_up(fabric, network, Recipe(), Execution())
    seen: list[bool] = []
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.register_forward_hook(
                lambda _layer, _inputs, found: seen.append(
                    found.is_contiguous(memory_format=torch.channels_last)
                )
            )
    stepper.step(
        channels_last(torch.randn(2, channels, 64, 64)), torch.zeros(2, 1, 64, 64), torch.ones(2, 1)
    )
    assert len(seen) == 112
    assert all(seen)


@pytest.mark.gpu
def test_one_gpu_records_by_itself() -> None:
    fabric = start_fabric(Machines("cuda"), Recipe())
    how = choose_execution("auto", fabric)
    assert how == Execution(graph=True)
    network = build_model("u2net-tiny", in_channels=1, out_channels=1)
    assert isinstance(set_up(fabric, network, Recipe(), how).step, GraphedStep)
