"""Two processes with half of a batch each get the gradient of the whole batch."""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from gliomask.config import LossOptions
from gliomask.learning import reduce as across
from gliomask.learning.losses import SegmentationLoss

CPU = torch.device("cpu")


def network() -> nn.Module:
    """Without batch norm, which is the one thing that sees only its half."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 2, 1))


def batch() -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(4, 1, 8, 8), (torch.rand(4, 2, 8, 8) > 0.6).float()


def loss_of(model: nn.Module, images: Tensor, target: Tensor) -> Tensor:
    loss = SegmentationLoss(LossOptions(dice_over="batch"))
    sums = loss.sums([model(images)], target, torch.ones(target.shape[:2]))
    return loss.value(across.total_with_gradient(sums))[0]


def work(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    model = DistributedDataParallel(network())
    images, target = batch()
    loss = loss_of(model, images[rank::2], target[rank::2])
    torch.autograd.backward(loss * 2)  # DDP takes the mean of both
    norm = nn.BatchNorm2d(1)
    norm.get_buffer("running_mean").fill_(rank + 5)
    across.copy_buffers(norm)
    found = {
        "loss": loss.detach(),
        "gradients": [p.grad for p in model.parameters()],
        "largest": torch.tensor(across.largest(15 * rank, CPU)),
        "total": across.sum_over_processes(torch.tensor([1.0 + rank])),
        "mean": norm.get_buffer("running_mean"),
    }
    torch.save(found, folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_halves_make_a_whole(tmp_path: Path) -> None:
    context = get_context("spawn")
    processes = [context.Process(target=work, args=(rank, tmp_path)) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    model = network()
    loss = loss_of(model, *batch())
    torch.autograd.backward(loss)
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        torch.testing.assert_close(found["loss"], loss.detach())
        for ours, theirs in zip(found["gradients"], model.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs.grad)
        assert int(found["largest"]) == 15
        assert float(found["total"]) == 3.0
        assert float(found["mean"]) == 5.0


def test_alone_nothing_is_changed() -> None:
    tensor = torch.ones(2, requires_grad=True)
    assert across.sum_over_processes(tensor) is tensor
    assert across.total_with_gradient(tensor) is tensor
    assert across.largest(7, CPU) == 7
