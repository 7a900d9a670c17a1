"""Files that a training writes into its run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.learning.checkpoint import Checkpoints, State
from gliomask.learning.history import Events, HistoryCell, HistoryFile
from gliomask.provenance.run_files import HISTORY, ITERATIONS

_HISTORY = (
    "epoch",
    "lr",
    "train_loss",
    "train_dice_loss",
    "validation_loss",
    "validation_dice_loss",
    "validation_dice",
)
_TIMES = ("slices_per_s", "seconds")
_ITERATIONS = ("part", "epoch", "iteration", "loss", "dice_loss")


@dataclass(frozen=True)
class Iteration:
    """Result of a training batch.

    Attributes:
        part: ``train`` or ``validation``.
        epoch: from 1.
        iteration: number of the batch in its part, from 1.
        loss, dice_loss: of the batch.
    """

    part: str
    epoch: int
    iteration: int
    loss: float
    dice_loss: float


@dataclass(frozen=True)
class EpochRow:
    """Result of an epoch, as in ``history.csv``.

    Attributes:
        epoch: from 1.
        lr: of its last step.
        train, validation: (loss, Dice loss), means over the epoch's batches and samples.
        dice: validation Dice of each region, mean_dice: their mean; NaN if undefined.
        slices_per_s: training speed.
        seconds: duration of the epoch, including validation.
    """

    epoch: int
    lr: float
    train: tuple[float, float]
    validation: tuple[float, float]
    mean_dice: float
    dice: tuple[float, ...]
    slices_per_s: float
    seconds: float

    @property
    def cells(self) -> tuple[HistoryCell, ...]:
        """Values in the order of the table's columns."""
        scores = (*self.train, *self.validation, self.mean_dice, *self.dice)
        return (self.epoch, self.lr, *scores, self.slices_per_s, self.seconds)


class RunWriter:
    """Writer of the tables, events and checkpoints of a run, in the first process only.

    Args:
        run: the run folder.
        regions: the columns of the validation Dice.
    """

    def __init__(self, run: Path, regions: Sequence[str]) -> None:
        columns = (*_HISTORY, *(f"validation_dice_{region}" for region in regions), *_TIMES)
        self._history = HistoryFile(run / HISTORY, columns)
        self._iterations = HistoryFile(run / ITERATIONS, _ITERATIONS)
        self._checkpoints = Checkpoints(run)
        self._events = Events(run / "tensorboard")
        self._waiting: list[Iteration] = []

    def resume(self) -> tuple[State, tuple[str, ...]]:
        """Load the state to resume from, and notes. Call ``cut_back`` before writing.

        Raises:
            ConfigError: there is no valid checkpoint.
        """
        return self._checkpoints.load()

    def cut_back(self, state: State) -> None:
        """Truncate tables and events to a saved state.

        Raises:
            ConfigError: a table lost rows.
        """
        self._history.cut(state["lengths"]["history"])
        self._iterations.cut(state["lengths"]["iterations"])
        self._events.cut(state["lengths"]["steps"])

    def note(self, iteration: Iteration) -> None:
        """Buffer the values of a batch; they are written with the next checkpoint."""
        self._waiting.append(iteration)

    def finish_epoch(self, row: EpochRow, step: int) -> None:
        """Write the row of an epoch; ``step`` is the number of training steps so far."""
        self._history.add([row.cells])
        named = zip(self._history.columns[1:], row.cells[1:], strict=True)
        self._events.add(step, {f"epoch/{name}": float(cell) for name, cell in named})

    def save(self, state: State, step: int, *, best: bool = False) -> None:
        """Write buffered values and a checkpoint.

        Args:
            state: state of the training.
            step: training steps so far.
            best: see ``Checkpoints.save``.

        Raises:
            MachineError: it does not fit on the disk.
        """
        self._iterations.add(
            (
                iteration.part,
                iteration.epoch,
                iteration.iteration,
                iteration.loss,
                iteration.dice_loss,
            )
            for iteration in self._waiting
        )
        for iteration in self._waiting:
            # Events share one axis of steps; validation is in them once an epoch.
            if iteration.part == "train":
                values = {
                    "iteration/loss": iteration.loss,
                    "iteration/dice_loss": iteration.dice_loss,
                }
                self._events.add(iteration.iteration, values)
        self._waiting.clear()
        lengths = {
            "history": self._history.length,
            "iterations": self._iterations.length,
            "steps": step,
        }
        self._checkpoints.save({**state, "lengths": lengths}, best=best)

    def close(self) -> None:
        """Close the TensorBoard events."""
        self._events.close()
