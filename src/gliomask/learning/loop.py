"""Training loop: for each epoch the steps, a validation, a row of history, and a checkpoint.

All random numbers come from ``randomness``, so a resume, also within an epoch, is bit-identical on
the same processor.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import torch
from lightning_fabric import Fabric
from torch import Tensor

from gliomask.config import Recipe
from gliomask.errors import ConfigError, StoppedError, same_with
from gliomask.jobs.control import Control
from gliomask.learning import reduce as across
from gliomask.learning.batches import Batch, TrainingBatches
from gliomask.learning.checkpoint import State
from gliomask.learning.ema import MovingAverage
from gliomask.learning.execution import Execution, set_up
from gliomask.learning.optimiser import learning_rate, set_learning_rate
from gliomask.learning.record import EpochRow, Iteration, RunWriter
from gliomask.learning.state import CALM, Learner, Position, capture, restore
from gliomask.learning.validation import Validation, ValidationScore, no_score
from gliomask.nets.u2net import U2Net

_SAVE_EVERY_S: Final = 600.0
"""Seconds between checkpoints within an epoch."""
_LOOK_EVERY: Final = {"cpu": 1, "cuda": 16}
"""Number of steps between reads of the losses. A read waits for the GPU."""


@dataclass(frozen=True, eq=False)
class TrainingParts:
    """Components of a training.

    Attributes:
        network: network with initial weights.
        teacher: its teacher, if the recipe has one.
        batches: training batches.
        validation: if None, the network of the last epoch is kept.
        record: writer of the run folder; None except in the first process.
        keep: called in the first process with the best network so far and its epoch.
        control: receives progress in slices; stops between steps.
        execution: execution mode of the steps.
    """

    network: U2Net
    teacher: U2Net | None
    batches: TrainingBatches
    validation: Validation | None
    record: RunWriter | None
    keep: Callable[[U2Net, EpochRow], None]
    control: Control
    execution: Execution


class Training:
    """A training run.

    Args:
        fabric: launched Fabric.
        recipe: the recipe.
        parts: the components.
        identity: identity of recipe and data, stored in checkpoints.
        state: state to resume from; None for a new training.
    """

    def __init__(
        self,
        fabric: Fabric,
        recipe: Recipe,
        parts: TrainingParts,
        identity: State,
        state: State | None,
    ) -> None:
        self.fabric, self.recipe, self.parts, self.identity = fabric, recipe, parts, identity
        self.stepper = set_up(fabric, parts.network, recipe, parts.execution, parts.teacher)
        self.optimiser = self.stepper.optimiser
        self.average = MovingAverage(parts.network, recipe.ema) if recipe.ema else None
        self.learner = Learner(parts.network, self.average, self.optimiser, fabric)
        self.position = restore(self.learner, state) if state else Position()
        self._pending: list[Tensor] = []
        self._saved = time.monotonic()

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for users on the execution of the steps."""
        return self.stepper.notes

    def run(self) -> Position:
        """Train to the last epoch.

        Raises:
            StoppedError: a stop was requested; a checkpoint was written.
            GliomaskError: the loss is not finite; the last checkpoint is older.
            MachineError: the disk is full.
        """
        self.parts.control.progress.start(self._slices_left(), f"training {self.recipe.network}")
        if self.position == Position():
            self._save()  # detects a full disk now, not after the first epoch
        self._stop_if_requested()
        while self.position.epoch < self.recipe.epochs:
            self._train()
            started = time.monotonic()
            score = self._validate()
            self._finish(score, self.position.seconds + time.monotonic() - started)
        return self.position

    def _train(self) -> None:
        """Do the remaining steps of this epoch."""
        epoch, steps = self.position.epoch, self.parts.batches.steps
        started = time.monotonic() - self.position.seconds
        self.stepper.model.train()
        for batch in self.parts.batches.epoch(epoch, first=self.position.step):
            self._pending.append(self._step(batch))
            step, seconds = self.position.step + 1, time.monotonic() - started
            self.position = replace(self.position, step=step, seconds=seconds)
            if step % _LOOK_EVERY[self.fabric.device.type] == 0 or step == steps:
                self._look()

    def _step(self, batch: Batch) -> Tensor:
        """Do an optimiser step; return (loss, Dice loss) of the whole batch."""
        options, count = self.recipe.optimiser, self._steps_done()
        rate = learning_rate(options, count, self.parts.batches.steps, self.recipe.epochs)
        set_learning_rate(self.optimiser, rate)
        value = self.stepper.step(batch.images, batch.target, batch.labelled)
        if self.average is not None:
            self.average.follow(count)
        return value

    def _look(self) -> None:
        """Read the losses since the last read; then report, save, and stop if requested."""
        values: list[list[float]] = torch.stack(self._pending).tolist()
        self._pending.clear()
        before = self._steps_done() - len(values)
        for number, (loss, dice_loss) in enumerate(values, start=before):
            if not math.isfinite(loss):
                raise self._diverged(number, loss)
            total = (self.position.loss + loss, self.position.dice_loss + dice_loss)
            self.position = replace(self.position, loss=total[0], dice_loss=total[1])
            self._note(Iteration("train", self.position.epoch + 1, number + 1, loss, dice_loss))
        self.parts.control.progress.advance(len(values) * self.recipe.batch_size, self._news())
        self._stop_if_requested()
        if time.monotonic() - self._saved > _SAVE_EVERY_S:
            self._save()

    def _validate(self) -> ValidationScore:
        """Validate the network that would be saved."""
        across.copy_buffers(self.parts.network, self._network_to_keep())
        if self.parts.validation is None:
            return no_score(len(self.recipe.regions))
        with self.fabric.autocast():
            score = self.parts.validation.evaluate(
                self._network_to_keep().eval(), across.sum_over_processes, self._advance_validation
            )
        if not math.isfinite(score.loss):
            raise ConfigError(f"the validation loss is {score.loss}", hint=CALM)
        return score

    def _advance_validation(self, slices: int) -> None:
        self.parts.control.progress.advance(slices * self.fabric.world_size)
        self._stop_if_requested()

    def _finish(self, score: ValidationScore, seconds: float) -> None:
        """Write the row of the epoch, keep the network if it is the best so far, and save."""
        before, row = self.position, self._row(score, seconds)
        for number, values in enumerate(score.batches, start=before.validation_batches + 1):
            self._note(Iteration("validation", row.epoch, number, *values))
        validation_batches = before.validation_batches + len(score.batches)
        any_is = self.parts.validation is None or self.recipe.keep == "last"
        better = any_is or row.mean_dice > before.best
        best = (row.mean_dice, row.epoch) if better else (before.best, before.best_epoch)
        self.position = Position(
            row.epoch, validation_batches=validation_batches, best=best[0], best_epoch=best[1]
        )
        if self.parts.record is not None:
            if better:
                self.parts.keep(self._network_to_keep(), row)
            self.parts.record.finish_epoch(row, self._steps_done())
        self._save(best=better)

    def _row(self, score: ValidationScore, seconds: float) -> EpochRow:
        position, steps = self.position, self.parts.batches.steps
        return EpochRow(
            epoch=position.epoch + 1,
            lr=float(self.optimiser.param_groups[0]["lr"]),
            train=(position.loss / steps, position.dice_loss / steps),
            validation=(score.loss, score.dice_loss),
            mean_dice=score.mean_dice,
            dice=score.dice,
            slices_per_s=self._speed(),
            seconds=seconds,
        )

    def _stop_if_requested(self) -> None:
        """Stop on all devices together if any process received a request."""
        if across.largest(int(self.parts.control.stop_requested()), self.fabric.device):
            self._save()
            where = f"epoch {self.position.epoch + 1} after step {self.position.step}"
            raise StoppedError(f"stopped in {where}; resume it: {same_with(('resume', True))}")

    def _save(self, *, best: bool = False) -> None:
        if self.parts.record is not None:
            state = {"identity": self.identity, **capture(self.learner, self.position)}
            self.parts.record.save(state, self._steps_done(), best=best)
        self._saved = time.monotonic()

    def _diverged(self, number: int, loss: float) -> ConfigError:
        """Error for a NaN or infinite loss, with the names of the slices."""
        epoch, step = divmod(number, self.parts.batches.steps)
        names = ", ".join(self.parts.batches.names(epoch, step))
        where = f"in epoch {epoch + 1}, step {step + 1}"
        return ConfigError(f"the loss is {loss} {where}, on {names}", hint=CALM)

    def _network_to_keep(self) -> U2Net:
        return self.parts.network if self.average is None else self.average.network

    def _note(self, iteration: Iteration) -> None:
        if self.parts.record is not None:
            self.parts.record.note(iteration)

    def _steps_done(self) -> int:
        return self.position.epoch * self.parts.batches.steps + self.position.step

    def _speed(self) -> float:
        return self.position.step * self.recipe.batch_size / max(self.position.seconds, 1e-9)

    def _news(self) -> str:
        position, steps = self.position, max(self.position.step, 1)
        best = f", best Dice {position.best:.3f}" if math.isfinite(position.best) else ""
        return (
            f"epoch {position.epoch + 1}/{self.recipe.epochs}, loss {position.loss / steps:.3f}, "
            f"Dice {1 - position.dice_loss / steps:.3f}{best}, {self._speed():.1f} slices/s"
        )

    def _slices_left(self) -> int:
        trained = self.parts.batches.steps * self.recipe.batch_size
        validation = self.parts.validation
        each = trained + (len(validation.catalogue) if validation is not None else 0)
        done = self.position.step * self.recipe.batch_size
        return (self.recipe.epochs - self.position.epoch) * each - done
