"""Random model for speed measurements, whose weights behave like trained ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from gliomask.core.slices import VERSION
from gliomask.core.volume import FloatArray
from gliomask.nets.cards import ModelCard
from gliomask.nets.u2net import U2Net, build_model
from gliomask.nets.weights import save_model

SEQUENCES = ("t1", "t1ce", "flair")
_TUMOUR_SHARE = 0.02
"""Share of the pixels. The time of the steps after the network grows with the tumour."""


def random_model(
    folder: Path, network: str, images: FloatArray, sequences: tuple[str, ...] = SEQUENCES
) -> Path:
    """Writes a run folder with weights of seed 0.

    The statistics of batch norm are those of ``images``: with fresh ones the maps grow from layer
    to layer, and neither differences nor denormal numbers would be as in use. About one pixel in
    fifty of ``images`` is tumour.

    Args:
        folder: to write.
        network: its name.
        images: (N, C, size, size) float32, a channel for each sequence.
        sequences: C names.
    """
    torch.manual_seed(0)
    model = build_model(network, in_channels=images.shape[1], out_channels=1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        for batch in torch.split(torch.from_numpy(images), 8):
            if len(batch) > 1:
                model.train()(batch)
    _shift(model.eval(), torch.from_numpy(images))
    card = ModelCard(
        name=f"{network}-random",
        network=network,
        in_channels=images.shape[1],
        regions=("whole",),
        sequences=sequences,
        size=images.shape[-1],
        preprocess={"version": VERSION},
        synthetic=True,
        trained_on="nothing: random weights for a benchmark",
        licence="Apache-2.0",
    )
    save_model(folder, model, card)
    return folder


@torch.no_grad()
def _shift(model: U2Net, images: torch.Tensor) -> None:
    """Moves the fused map so that so few pixels of the images are tumour as in a head."""
    logits = torch.cat([model(batch)[0] for batch in torch.split(images, 8)])
    highest = np.quantile(logits.numpy(), 1 - _TUMOUR_SHARE)
    model.get_submodule("outconv").get_parameter("bias").sub_(float(highest))
