"""Networks with weights that a training could have left, and what they answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from gliomask.nets.foreign.weights import ForeignWeights
from gliomask.nets.u2net import U2Net, build_model

Numbers = npt.NDArray[Any]


def trained(
    name: str = "u2net-tiny", channels: int = 2, regions: int = 1, epsilon: float = 1e-5
) -> U2Net:
    """A network none of whose numbers is a first value; the same each time."""
    torch.manual_seed(7)
    model = build_model(name, in_channels=channels, out_channels=regions, epsilon=epsilon)
    for key, value in model.state_dict().items():
        if key.endswith("running_var"):
            value.uniform_(0.001, 0.5)
        elif key.endswith("bn_s1.weight"):
            value.uniform_(0.7, 1.3)
        elif value.dtype is torch.float32 and value.ndim == 1:
            value.normal_(0, 0.1)
    return model.eval()


def arrays_of(model: U2Net) -> dict[str, Numbers]:
    """Its weights by name."""
    return {name: value.numpy() for name, value in model.state_dict().items()}


def rebuilt(found: ForeignWeights) -> U2Net:
    """The network that weights were read for, with them in it."""
    kind = found.kind
    model = build_model(
        kind.spec.name,
        in_channels=kind.in_channels,
        out_channels=kind.regions,
        epsilon=found.epsilon,
    )
    model.load_state_dict({name: torch.from_numpy(a) for name, a in found.arrays.items()})
    return model.eval()


@torch.inference_mode()
def answers(model: U2Net, image: Numbers) -> Numbers:
    """The seven maps (7, N, R, H, W) of logits for (N, C, H, W)."""
    return torch.stack(model(torch.from_numpy(image))).numpy()


def image(channels: int = 2, side: int = 64) -> Numbers:
    """(2, channels, side, side) float32 noise."""
    return np.random.default_rng(1).normal(0, 1, (2, channels, side, side)).astype(np.float32)


def one_line(error: Exception, path: Path) -> str:
    """The text behind the path."""
    text = str(error)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")
