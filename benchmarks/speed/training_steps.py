"""Turns of the contestants of ``training_speed``: some training steps.

Each function here is called in the contestant's own process and gives the function of its turns.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.peers.networks import (
    authors_loader,
    authors_network,
    first_map,
    monai_network,
    nnunet_network,
)
from gliomask.jobs.control import SILENT

Steps = Callable[[], float]
"""Runs training steps and returns the last loss, to check that it decreases."""
_BORDER = 8 / 9
"""The authors' recipe crops 288 of 320 pixels; at other sizes in the same proportion."""


@dataclass(frozen=True)
class Task:
    """Task of all contestants.

    Attributes:
        network: the U²-Net's name.
        size: of the slices; batch: slices in a step; steps: in a turn.
    """

    network: str
    size: int
    batch: int
    steps: int


def ours(task: Task, store: Path, run: Path) -> Steps:
    """``gliomask train`` as the command does it: its loader, augmentation, loss, step.

    Args:
        task: what to train on.
        store: store with at least one training patient and one validation patient.
        run: a folder for the run that is never finished.
    """
    from gliomask.workflows.train import TrainOptions, training_job, training_of

    changes = (
        f"network={task.network}",
        f"input.size={task.size}",
        f"batch_size={task.batch}",
        f"sampling.slices={task.batch * task.steps}",
        "epochs=1000",
    )
    options = TrainOptions(store=store, out=run, changes=changes, device="cpu")
    training, _ = training_of(training_job(options, SILENT), None)

    def turn() -> float:
        training._train()  # an epoch of just these steps
        loss = training.position.loss / task.steps
        training.position = replace(
            training.position, epoch=training.position.epoch + 1, step=0, loss=0.0, dice_loss=0.0
        )
        return loss

    return turn


def authors(task: Task, checkout: Path, pictures: Path) -> Steps:
    """The authors' loop: their loader and network, seven cross-entropies, Adam, grad mode.

    Their loader runs in this process, so that its work falls into its own turns.

    Args:
        task: what to train on.
        checkout: of their repository.
        pictures: a folder with ``images`` and ``masks`` of the same names, all with tumour: their
            loader fails on most masks that are empty.
    """
    network = authors_network(checkout, task.network, 3, 1).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.001, weight_decay=0)
    batches = _endless(_authors_batches(task, checkout, pictures))

    def turn() -> float:
        loss = float("nan")
        for _ in range(task.steps):
            data = next(batches)
            images, masks = data["image"].float(), data["label"].float()
            optimiser.zero_grad()
            losses = [F.binary_cross_entropy(output, masks) for output in network(images)]
            total = torch.stack(losses).sum()
            torch.autograd.backward(total)
            optimiser.step()
            loss = [output.item() for output in (*losses, total)][-1]  # they print each of them
        return loss

    return turn


def peer(task: Task, name: str, arrays: Path) -> Steps:
    """nnU-Net's or MONAI's network in a plain loop: cross-entropy, Adam, batches from memory.

    Args:
        task: what to train on.
        name: ``nnunet`` or ``monai``.
        arrays: an ``.npz`` with ``images`` (N, C, size, size) and ``masks`` (N, size, size).
    """
    stored = np.load(arrays)
    images = torch.from_numpy(stored["images"])
    masks = torch.from_numpy(stored["masks"])
    channels = images.shape[1]
    nnunet = name == "nnunet"
    network = nnunet_network(channels, 1, task.size) if nnunet else monai_network(channels, 1)
    loss_of = _cross_entropy if nnunet else _binary_cross_entropy
    optimiser = torch.optim.Adam(network.train().parameters(), lr=0.001)
    chance = torch.Generator().manual_seed(0)

    def turn() -> float:
        loss = torch.zeros(())
        for _ in range(task.steps):
            at = torch.randint(len(images), (task.batch,), generator=chance)
            optimiser.zero_grad()
            loss = loss_of(network, images[at], masks[at])
            torch.autograd.backward(loss)
            optimiser.step()
        return loss.item()

    return turn


def _authors_batches(task: Task, checkout: Path, pictures: Path) -> DataLoader[Any]:
    loader = authors_loader(checkout)
    names = sorted(path.name for path in (pictures / "images").iterdir())
    rescale = loader.RescaleT(round(task.size / _BORDER))
    steps = (rescale, loader.RandomCrop(task.size), loader.ToTensorLab(flag=0))

    def transform(sample: Any) -> Any:
        for step in steps:
            sample = step(sample)
        return sample

    data = loader.SalObjDataset(
        img_name_list=[os.fspath(pictures / "images" / name) for name in names],
        lbl_name_list=[os.fspath(pictures / "masks" / name) for name in names],
        transform=transform,
    )
    return DataLoader(data, batch_size=task.batch, shuffle=True, drop_last=True)


def _endless(loader: DataLoader[Any]) -> Iterator[dict[str, Tensor]]:
    while True:
        yield from loader


def _cross_entropy(network: nn.Module, images: Tensor, masks: Tensor) -> Tensor:
    return F.cross_entropy(first_map(network(images)), masks.long())


def _binary_cross_entropy(network: nn.Module, images: Tensor, masks: Tensor) -> Tensor:
    logits = first_map(network(images))
    return F.binary_cross_entropy_with_logits(logits, masks.float().unsqueeze(1))
