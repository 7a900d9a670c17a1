"""Test network with fixed weights, to check engines without a model.

The weights are drawn from a seed, and in such a way that a correct output differs from a wrong
one. Convolutions keep the variance of what flows through them (He et al., ICCV 2015): with the
defaults of PyTorch an untrained network magnifies the rounding of an engine a thousand times. Batch
norms are not the identity, since engines fold them away. The last layer is scaled so that the
probabilities spread between 0 and 1, otherwise an engine that always returns 0.5 would pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from gliomask.core.slices import VERSION
from gliomask.core.volume import FloatArray
from gliomask.errors import GliomaskError
from gliomask.inference.engines.choice import EngineName, EngineStatus, open_engine
from gliomask.inference.engines.engine import Engine
from gliomask.nets.cards import ModelCard
from gliomask.nets.u2net import U2Net, build_model
from gliomask.nets.weights import load_model, save_model

TOLERANCE: Final = 2e-3
"""Of a probability. Engines add up in another order, and convolutions by Winograd's method round
more; no mask that means anything hangs on the third digit."""
GPU_TOLERANCE: Final = 2e-2
"""The same on a GPU, whose convolutions multiply in TF32: ten bits after the point, not 23."""
_SEED: Final = 20260101
_SPREAD: Final = 3.0
"""Standard deviation of the logits: probabilities from 0.05 to 0.95 for two thirds of pixels."""
_SPREAD_SIZE: Final = 64


@dataclass(frozen=True)
class Proof:
    """Result of the check of an engine.

    Attributes:
        name: as it is requested.
        version: of its package, None if that is absent.
        problem: reason why it can't be used or trusted; empty if it can.
        difference: largest difference of its probabilities from the reference; None if it gave
            no answer.
    """

    name: EngineName
    version: str | None
    problem: str
    difference: float | None = None

    @property
    def works(self) -> bool:
        """Return True if the output was correct."""
        return not self.problem


def trial_card(network: str, size: int) -> ModelCard:
    """The card of a network of three sequences and one region that is not trained.

    Args:
        network: its name.
        size: side of its input in pixels.
    """
    return ModelCard(
        name=f"trial {network}",
        network=network,
        in_channels=3,
        regions=("whole",),
        sequences=("t1", "t1ce", "flair"),
        size=size,
        preprocess={"version": VERSION},
        synthetic=True,
        trained_on="nothing: random weights from a fixed seed",
        licence="CC0-1.0",
    )


def write_trial(folder: Path, card: ModelCard) -> None:
    """Writes a model with the weights described above, for a card of ``trial_card``."""
    save_model(folder, _drawn(card), card)


def trial_inputs(count: int, channels: int, size: int) -> FloatArray:
    """(count, channels, size, size) float32: smooth noise in a disc, as z-scored as a head is."""
    noise = np.random.default_rng(_SEED).standard_normal((count, channels, size, size))
    smooth = gaussian_filter(noise, (0, 0, size / 32, size / 32))
    rows, columns = np.ogrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    inside = rows**2 + columns**2 < 0.8
    return np.where(inside, smooth / smooth.std(), 0.0).astype(np.float32)


def difference(logits: FloatArray, truth: FloatArray) -> float:
    """The largest difference of probability; infinite for NaN or another shape."""
    if logits.shape != truth.shape or not np.isfinite(logits).all():
        return float("inf")
    return float(np.abs(_probability(logits) - _probability(truth)).max())


def too_far(difference: float, allowed: float) -> str:
    """Description of a wrong output with this difference; empty if the output is correct."""
    return (
        ""
        if difference <= allowed
        else f"its output differs by {difference:.2g}, allowed {allowed:g}"
    )


@dataclass(frozen=True, eq=False)
class Trial:
    """A model with its correct output.

    Attributes:
        folder: of the model.
        inputs: (N, C, size, size).
        truth: (N, R, size, size) logits.
    """

    folder: Path
    inputs: FloatArray
    truth: FloatArray

    def prove(self, status: EngineStatus) -> Proof:
        """Runs the model through an engine on the processor, if it claims to be there."""
        if status.problem:
            return Proof(status.name, status.version, status.problem)
        try:
            engine = open_engine(self.folder, status.name, "cpu").engine
            difference = self.difference(engine)
        except GliomaskError as problem:
            return Proof(status.name, status.version, str(problem))
        except Exception as problem:  # errors of a foreign library are reported, not handled
            return Proof(status.name, status.version, f"{type(problem).__name__}: {problem}")
        return Proof(status.name, status.version, too_far(difference, TOLERANCE), difference)

    def difference(self, engine: Engine) -> float:
        """The largest difference of its probabilities; infinite for NaN or another shape."""
        return difference(engine.logits(self.inputs), self.truth)


def make_trial(folder: Path, count: int, size: int) -> Trial:
    """A trial of any model, with the plain network in double precision as the reference.

    Args:
        folder: of the model.
        count: inputs to try it with.
        size: their side.

    Raises:
        ModelError: no such folder, or a damaged card or weights.
    """
    network, card = load_model(folder)
    inputs = trial_inputs(count, card.in_channels, size)
    with torch.inference_mode():
        logits = network.double()(torch.from_numpy(inputs).double())[0]
    return Trial(folder, inputs, logits.float().numpy())


def _drawn(card: ModelCard) -> U2Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        network = build_model(card.network, in_channels=card.in_channels, out_channels=1)
        for module in network.modules():
            _draw(module)
    _spread(network.eval(), torch.from_numpy(trial_inputs(1, card.in_channels, _SPREAD_SIZE)))
    return network


@torch.no_grad()
def _draw(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    if isinstance(module, nn.BatchNorm2d):
        module.get_buffer("running_mean").normal_(0, 0.1)
        module.get_buffer("running_var").uniform_(0.8, 1.25)
        module.weight.uniform_(0.8, 1.25)
        module.bias.normal_(0, 0.1)


@torch.inference_mode()
def _spread(network: U2Net, inputs: torch.Tensor) -> None:
    """Shifts and scales the last layer so that the logits of these inputs have mean 0."""
    logits = network(inputs)[0]
    scale = _SPREAD / logits.std()
    network.outconv.weight.mul_(scale)
    network.outconv.get_parameter("bias").sub_(logits.mean()).mul_(scale)


def _probability(logits: FloatArray) -> FloatArray:
    probabilities: FloatArray = (1 / (1 + np.exp(-np.clip(logits, -60, 60)))).astype(np.float32)
    return probabilities
