"""Turns of the contestants of ``network_speed``: slices in, probabilities out.

Each function here is called in the contestant's own process and gives the function of its turns.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.peers.networks import (
    authors_with_our_weights,
    first_map,
    monai_network,
    nnunet_network,
)
from gliomask.core.volume import FloatArray
from gliomask.inference.engines.choice import EngineName, open_engine

Forward = Callable[[FloatArray], FloatArray]
"""(N, C, size, size) float32 to probabilities (N, R, size, size)."""


ENGINES: tuple[EngineName, ...] = tuple(n for n in get_args(EngineName) if n != "auto")


def ours(model: Path, engine: EngineName, threads: int) -> Forward:
    """A run folder through one of our engines.

    Raises:
        MachineError: the engine can't be used.
    """
    run = open_engine(model, engine, "cpu", threads).engine

    def turn(images: FloatArray) -> FloatArray:
        return _sigmoid(run.logits(images))

    return turn


def authors(checkout: Path, model: Path) -> Forward:
    """Their code with our weights, slice by slice and with gradients recorded, as their test
    script leaves it."""
    network = authors_with_our_weights(checkout, model)
    return _one_by_one(lambda image: network(image)[0].detach())


def nnunet(channels: int, regions: int, size: int) -> Forward:
    """nnU-Net's network, in inference mode as nnU-Net runs it."""
    return _peer(nnunet_network(channels, regions, size))


def monai(channels: int, regions: int) -> Forward:
    """MONAI's network, likewise."""
    return _peer(monai_network(channels, regions))


def sgemm(side: int) -> Callable[[], None]:
    """A product of two square matrices: what the processor can do at most."""
    left, right = torch.rand(side, side), torch.rand(side, side)
    out = torch.empty(side, side)

    def turn() -> None:
        torch.mm(left, right, out=out)

    return turn


def _peer(network: nn.Module) -> Forward:
    network.eval()

    @torch.inference_mode()
    def run(image: Tensor) -> Tensor:
        return first_map(network(image))

    return _one_by_one(run)


def _one_by_one(run: Callable[[Tensor], Tensor]) -> Forward:
    """PyTorch's convolutions are quicker so on a processor than with several slices at once."""

    def turn(images: FloatArray) -> FloatArray:
        return np.concatenate([run(torch.from_numpy(image[None])).numpy() for image in images])

    return turn


def _sigmoid(logits: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        probabilities: FloatArray = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return probabilities
