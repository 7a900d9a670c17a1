"""State of a training, and its conversion to and from a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from gliomask.core.counted import listed
from gliomask.errors import ConfigError, GliomaskError, option
from gliomask.learning.checkpoint import State
from gliomask.learning.ema import MovingAverage
from gliomask.learning.optimiser import load_optimiser

CALM = (
    f"lower the learning rate, {option('changes', 'optimiser.lr=0.0003')}, "
    f"or bound the gradient, {option('changes', 'optimiser.clip=1')}"
)
"""Hint for a training that diverges."""


@dataclass(frozen=True)
class Position:
    """Position of a training in its schedule.

    Attributes:
        epoch: current epoch, from 0.
        step: number of its completed steps.
        loss, dice_loss: sums over those steps.
        seconds: time of those steps.
        validation_batches: their number so far.
        best: highest validation Dice so far.
        best_epoch: its epoch, from 1 (0: none yet).
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    dice_loss: float = 0.0
    seconds: float = 0.0
    validation_batches: int = 0
    best: float = -math.inf
    best_epoch: int = 0


@dataclass(frozen=True, eq=False)
class Learner:
    """State that a step changes.

    Attributes:
        network: the network.
        average: moving average of its weights, if the recipe has one.
        optimiser: torch's optimiser or Fabric's wrapper.
        fabric: has the loss scale of half precision.
    """

    network: nn.Module
    average: MovingAverage | None
    optimiser: torch.optim.Optimizer
    fabric: Fabric


def capture(learner: Learner, position: Position) -> State:
    """The state as tensors and plain values.

    Raises:
        GliomaskError: a weight is not finite.
    """
    weights = learner.network.state_dict()
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise GliomaskError("the weights are not finite", hint=CALM)
    average = learner.average
    return {
        "torch": str(torch.__version__),
        "position": asdict(position),
        "network": weights,
        "average": None if average is None else average.network.state_dict(),
        "optimiser": learner.optimiser.state_dict(),
        "scaler": learner.fabric.strategy.precision.state_dict(),
    }


def restore(learner: Learner, state: State) -> Position:
    """Restore a captured state; the recipe must be the same."""
    learner.network.load_state_dict(state["network"])
    if learner.average is not None:
        learner.average.network.load_state_dict(state["average"])
    load_optimiser(learner.optimiser, state["optimiser"])
    learner.fabric.strategy.precision.load_state_dict(state["scaler"])
    position = dict(state["position"])
    if "judged" in position:  # a checkpoint of an earlier version
        position["validation_batches"] = position.pop("judged")
    return Position(**position)


def check_identity(saved: Mapping[str, Any], recipe_keys: Mapping[str, Any]) -> None:
    """Refuse to resume with another recipe or other data.

    Args:
        saved: values of the checkpoint, as nested plain values.
        recipe_keys: values of this run, likewise.

    Raises:
        ConfigError: they differ; the message names the first key and the number of others.
    """
    left, right = _flat(saved), _flat(recipe_keys)
    differ = [key for key in {**left, **right} if left.get(key) != right.get(key)]
    if differ:
        key = differ[0]
        raise ConfigError(
            f"the checkpoint was made with another {listed(differ, 1)}",
            field=key,
            found=right.get(key),
            allowed=str(left.get(key)),
            hint=f"use the original value, or train into another folder: {option('out')}",
        )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
