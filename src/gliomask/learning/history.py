"""Training history: tables of numbers, and TensorBoard events.

A table only grows. Its length is part of each checkpoint, and a resume cuts it back to that, so
that whatever was written after the checkpoint is not in it twice.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lightning_fabric.loggers.tensorboard import TensorBoardLogger

from gliomask.core.atomic import writing
from gliomask.errors import ConfigError, option

HistoryCell = str | int | float


class HistoryFile:
    """A CSV file that rows are added to.

    Args:
        path: of the file; it appears with the first rows.
        columns: its header.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, tuple(columns)

    @property
    def length(self) -> int:
        """In bytes."""
        return self.path.stat().st_size if self.path.exists() else 0

    def add(self, rows: Iterable[Sequence[HistoryCell]]) -> None:
        """Adds rows; they are on the disk when this returns. A NaN is an empty cell."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self.length:
            writer.writerow(self.columns)
        writer.writerows([_text(cell) for cell in row] for row in rows)
        with writing(self.path), self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())

    def cut(self, length: int) -> None:
        """Cuts the file back to a length that it had.

        Raises:
            ConfigError: it is shorter than that, so rows are lost.
        """
        if self.length < length:
            raise ConfigError(
                "the table lost rows since the checkpoint",
                path=self.path,
                field="bytes",
                found=self.length,
                allowed=f"{length} or more",
                hint=f"restore it, or train into another folder, {option('out')}",
            )
        if self.path.exists():
            os.truncate(self.path, length)


class Events:
    """TensorBoard's event files; they appear with the first values.

    Args:
        folder: where they are written.

    Raises:
        ConfigError: TensorBoard can't write there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            str(folder).encode()
        except UnicodeEncodeError:
            what = "TensorBoard can't write to a folder whose name is no UTF-8"
            raise ConfigError(
                what, path=folder, hint=f"name another folder by {option('out')}"
            ) from None
        self._folder = folder
        self._logger = TensorBoardLogger(folder, name="", version="")

    def cut(self, step: int) -> None:
        """Makes void what was written of later steps; nothing may have been added yet."""
        self._logger = TensorBoardLogger(self._folder, name="", version="", purge_step=step + 1)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Adds values of one step by name."""
        self._logger.log_metrics(values, step)

    def close(self) -> None:
        """Writes what is left."""
        self._logger.finalize("")


def _text(cell: HistoryCell) -> str:
    if isinstance(cell, float):
        return "" if math.isnan(cell) else f"{cell:.6g}"
    return str(cell)
