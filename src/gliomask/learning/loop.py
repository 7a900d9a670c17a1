"""The training loop: an epoch of steps, a validation, a row of history, a checkpoint; and again.

Everything random comes from ``randomness``, so a resume, in the middle of an epoch too, continues
bit for bit on the same processor.
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
from gliomask.errors import GliomaskError, StoppedError, same_with
from gliomask.jobs.control import Control
from gliomask.learning import reduce as across
from gliomask.learning.batches import Batch, TrainingBatches
from gliomask.learning.checkpoint import State
from gliomask.learning.ema import MovingAverage
from gliomask.learning.execution import Execution, set_up
from gliomask.learning.optimiser import learning_rate, set_learning_rate
from gliomask.learning.record import EpochRow, Iteration, RunWriter
from gliomask.learning.state import CALM, Learner, Position, capture, restore
from gliomask.learning.validation import Validation, ValidationScore, unjudged
from gliomask.nets.u2net import U2Net

_SAVE_EVERY_S: Final = 600.0
"""A long epoch is saved on its way as often as this."""
_LOOK_EVERY: Final = {"cpu": 1, "cuda": 16}
"""Steps between looks at the losses. A look waits for a GPU to finish what it was given."""


@dataclass(frozen=True, eq=False)
class TrainingParts:
    """Components of a training.

    Attributes:
        network: with its first weights.
        teacher: of it, where the recipe has a share for one.
        batches: training; validation: without one the last epoch's network is kept.
        record: writes into the run folder; None but in the first process.
        keep: called in the first process with the network that is the best yet and its epoch.
        control: reports slices; stops between steps.
        execution: how steps are carried out.
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
    """One training run.

    Args:
        fabric: launched.
        recipe: what to do.
        parts: what to do it with.
        identity: of recipe and data; goes into the checkpoints.
        state: to resume from; None starts anew.
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
        """Trains to the last epoch.

        Raises:
            StoppedError: a stop was requested; the checkpoint to resume from is written.
            GliomaskError: the loss is no longer finite; the last checkpoint is from before that.
            MachineError: the disk is full.
        """
        self.parts.control.progress.start(self._slices_left(), f"training {self.recipe.network}")
        if self.position == Position():
            self._save()  # a disk that is too small is found out now, not after the first epoch
        self._stop_if_asked()
        while self.position.epoch < self.recipe.epochs:
            self._train()
            started = time.monotonic()
            judgement = self._judge()
            self._finish(judgement, self.position.seconds + time.monotonic() - started)
        return self.position

    def _train(self) -> None:
        """The steps of this epoch that are not done yet."""
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
        """One step of the optimiser; gives (loss, Dice loss) of the whole batch."""
        options, count = self.recipe.optimiser, self._steps_done()
        rate = learning_rate(options, count, self.parts.batches.steps, self.recipe.epochs)
        set_learning_rate(self.optimiser, rate)
        value = self.stepper.step(batch.images, batch.target, batch.labelled)
        if self.average is not None:
            self.average.follow(count)
        return value

    def _look(self) -> None:
        """Reads the losses since the last look; a good moment to report, save and stop."""
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
        self._stop_if_asked()
        if time.monotonic() - self._saved > _SAVE_EVERY_S:
            self._save()

    def _judge(self) -> ValidationScore:
        """The validation of the network that would be kept."""
        across.copy_buffers(self.parts.network, self._kept())
        if self.parts.validation is None:
            return unjudged(len(self.recipe.regions))
        with self.fabric.autocast():
            judgement = self.parts.validation.judge(
                self._kept().eval(), across.sum_over_processes, self._judged_some
            )
        if not math.isfinite(judgement.loss):
            raise GliomaskError(f"the validation loss is {judgement.loss}", hint=CALM)
        return judgement

    def _judged_some(self, slices: int) -> None:
        self.parts.control.progress.advance(slices * self.fabric.world_size)
        self._stop_if_asked()

    def _finish(self, judgement: ValidationScore, seconds: float) -> None:
        """Writes the epoch's row, keeps the network if it is the best yet, saves."""
        before, row = self.position, self._row(judgement, seconds)
        for number, values in enumerate(judgement.batches, start=before.judged + 1):
            self._note(Iteration("validation", row.epoch, number, *values))
        judged = before.judged + len(judgement.batches)
        any_is = self.parts.validation is None or self.recipe.keep == "last"
        better = any_is or row.mean_dice > before.best
        best = (row.mean_dice, row.epoch) if better else (before.best, before.best_epoch)
        self.position = Position(row.epoch, judged=judged, best=best[0], best_epoch=best[1])
        if self.parts.record is not None:
            if better:
                self.parts.keep(self._kept(), row)
            self.parts.record.finish_epoch(row, self._steps_done())
        self._save(best=better)

    def _row(self, judgement: ValidationScore, seconds: float) -> EpochRow:
        position, steps = self.position, self.parts.batches.steps
        return EpochRow(
            epoch=position.epoch + 1,
            lr=float(self.optimiser.param_groups[0]["lr"]),
            train=(position.loss / steps, position.dice_loss / steps),
            validation=(judgement.loss, judgement.dice_loss),
            mean_dice=judgement.mean_dice,
            dice=judgement.dice,
            slices_per_s=self._speed(),
            seconds=seconds,
        )

    def _stop_if_asked(self) -> None:
        """All devices stop together, wherever the request came."""
        if across.largest(int(self.parts.control.stop_requested()), self.fabric.device):
            self._save()
            where = f"epoch {self.position.epoch + 1} after step {self.position.step}"
            raise StoppedError(f"stopped in {where}; resume it: {same_with(('resume', True))}")

    def _save(self, *, best: bool = False) -> None:
        if self.parts.record is not None:
            state = {"identity": self.identity, **capture(self.learner, self.position)}
            self.parts.record.save(state, self._steps_done(), best=best)
        self._saved = time.monotonic()

    def _diverged(self, number: int, loss: float) -> GliomaskError:
        """The error for a loss of NaN or infinity; its cause often is in the slices it names."""
        epoch, step = divmod(number, self.parts.batches.steps)
        names = ", ".join(self.parts.batches.names(epoch, step))
        where = f"in epoch {epoch + 1}, step {step + 1}"
        return GliomaskError(f"the loss is {loss} {where}, on {names}", hint=CALM)

    def _kept(self) -> U2Net:
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
