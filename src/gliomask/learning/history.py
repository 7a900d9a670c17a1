"""Training history: tables of numbers, and TensorBoard events.

Tables are append-only. Their length is part of each checkpoint, and a resume truncates them to it,
so rows are never duplicated.
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
    """Append-only CSV file.

    Args:
        path: path of the file, which is created with the first rows.
        columns: its header.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, tuple(columns)

    @property
    def length(self) -> int:
        """Length in bytes."""
        return self.path.stat().st_size if self.path.exists() else 0

    def add(self, rows: Iterable[Sequence[HistoryCell]]) -> None:
        """Append rows and flush them to the disk. A NaN is an empty cell."""
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
        """Truncate the file to an earlier length.

        Raises:
            ConfigError: it is shorter, so rows are lost.
        """
        if self.length < length:
            raise ConfigError(
                "the table lost rows since the checkpoint",
                path=self.path,
                field="bytes",
                found=self.length,
                allowed=f"{length} or more",
                hint=f"restore it, or train into another folder: {option('out')}",
            )
        if self.path.exists():
            os.truncate(self.path, length)


class Events:
    """TensorBoard event files, created with the first values.

    Args:
        folder: their folder.

    Raises:
        ConfigError: TensorBoard can't write there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            str(folder).encode()
        except UnicodeEncodeError:
            what = "TensorBoard can't write to a folder whose name is not UTF-8"
            raise ConfigError(
                what, path=folder, hint=f"use another folder: {option('out')}"
            ) from None
        self._folder = folder
        self._logger = TensorBoardLogger(folder, name="", version="")

    def cut(self, step: int) -> None:
        """Purge values of later steps; must be called before adding values."""
        self._logger = TensorBoardLogger(self._folder, name="", version="", purge_step=step + 1)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add values of a step by name."""
        self._logger.log_metrics(values, step)

    def close(self) -> None:
        """Write the remaining values."""
        self._logger.finalize("")


def _text(cell: HistoryCell) -> str:
    if isinstance(cell, float):
        return "" if math.isnan(cell) else f"{cell:.6g}"
    return str(cell)
