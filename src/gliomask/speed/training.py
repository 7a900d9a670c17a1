"""Training speed: real training steps on synthetic slices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from gliomask.config import load_recipe
from gliomask.learning.trial import TrialStep
from gliomask.nets.cards import ModelCard
from gliomask.nets.u2net import build_model
from gliomask.speed.slices import DeviceName
from gliomask.speed.timing import ReadClock, RunTimes, time_runs

BATCH: Final = 8
SIZE: Final = 128
EPOCH_SLICES: Final = 1000
PASSES: Final = 3
"""A step costs about three times the arithmetic of looking: forward, and back for the maps and for
the weights."""
_STEPS: Final = {"cpu": 1, "cuda": 16}
"""In a run; a GPU is waited for only at its end, as in a training."""


@dataclass(frozen=True)
class TrainingSpeed:
    """Speed of a training.

    Attributes:
        model: the measured model.
        device: device of the training.
        size: pixels a side.
        batch: slices in a step.
        slices_per_s: slices a second.
        epoch_s: seconds for an epoch of 1,000 slices, without the validation after it.
        precision: as Fabric calls it, e.g. ``32-true``.
        timing: of a step.
    """

    model: str
    device: DeviceName
    size: int
    batch: int
    slices_per_s: float
    epoch_s: float
    precision: str
    timing: RunTimes


def measure_training(
    name: str, card: ModelCard, device: DeviceName, share: float, clock: ReadClock
) -> TrainingSpeed:
    """Trains a new network like that of the card for some steps, with the default recipe.

    Args:
        name: for the result.
        card: card with the network and channels.
        device: device to train on.
        share: seconds for it.
        clock: clock of the measurement.

    Raises:
        MachineError: there is no such device.
    """
    recipe = load_recipe("default", (f"batch_size={BATCH}", f"input.size={SIZE}"))
    regions = len(card.regions)
    network = build_model(card.network, in_channels=card.in_channels, out_channels=regions)
    step, steps = TrialStep(network, recipe, device), _STEPS[device]
    run = time_runs(partial(step.run, steps), share, clock)
    timing = RunTimes(run.median / steps, run.best / steps, run.n, run.warm)
    speed = BATCH / timing.median
    precision = str(step.fabric.strategy.precision.precision)
    return TrainingSpeed(name, device, SIZE, BATCH, speed, EPOCH_SLICES / speed, precision, timing)
