"""One case of a batch, in a worker process that keeps the model loaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gliomask.config import build
from gliomask.config.predict import PredictOptions
from gliomask.errors import GliomaskError, MachineError, ModelError, StoppedError
from gliomask.formats.archive import unpacked
from gliomask.formats.case_record import existing_record
from gliomask.jobs.control import Control
from gliomask.jobs.dispatch import Report
from gliomask.machine.memory_limit import memory_limit
from gliomask.results.batch.manifest import Entry, read_entry, unpacked_case
from gliomask.results.prediction.outcome import record_path
from gliomask.segmentation.case_task import CaseTask
from gliomask.segmentation.folder import PredictionFolder

_READ_AHEAD_BYTES = 2**28


def open_folder(options: dict[str, Any], manifest: Path) -> Callable[[CaseTask, Control], Report]:
    """Loads the model and returns the work of a worker.

    Args:
        options: of the prediction, as plain values.
        manifest: of the batch.

    Raises:
        ConfigError, ModelError, MachineError: see ``PredictionFolder``.
    """
    folder = PredictionFolder(build(PredictOptions, options, "batch"))

    def work(task: CaseTask, control: Control) -> Report:
        return _predict(folder, manifest, task, control)

    return work


def _predict(folder: PredictionFolder, manifest: Path, task: CaseTask, control: Control) -> Report:
    try:
        entry = read_entry(manifest, task.offset)
        if task.ahead is not None:
            _read_ahead(read_entry(manifest, task.ahead))
        with memory_limit(folder.segmenter.limit):
            entry.check_unchanged()
            return Report("done", _one(folder, entry, control))
    except StoppedError:
        raise
    except MachineError as problem:
        return Report("machine", str(problem))
    except ModelError as problem:
        return Report("machine", str(problem))
    except GliomaskError as problem:
        return Report("failed", str(problem))
    except MemoryError:
        return Report("failed", f"{task.id}: needs more memory than this process may have")


def _one(folder: PredictionFolder, entry: Entry, control: Control) -> str:
    """The key of the result."""
    if entry.archive is None:
        folder.one(entry.case, {}, control)
    else:
        with unpacked(entry.archive) as place:
            folder.one(unpacked_case(entry, place), {place: str(entry.archive)}, control)
    record = existing_record(record_path(folder.options.out, entry.case))
    if record is None:
        raise MachineError("what was written is gone", path=folder.options.out)
    return record.key


def _read_ahead(entry: Entry) -> None:
    """Asks the system to read a later case's files, while the network is busy with this one."""
    budget = _READ_AHEAD_BYTES
    if not hasattr(os, "posix_fadvise"):
        return
    for path in entry.files:
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY)
            try:
                budget -= os.fstat(handle).st_size
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(handle)
        if budget < 0:
            return
