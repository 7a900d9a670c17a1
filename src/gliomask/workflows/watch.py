"""``predict --watch``: a folder into which studies arrive, each segmented when it is whole.

A study counts as whole when nothing in it has changed for two looks in a row, so half-copied
folders and archives are left alone until they are done. What has been done stays done: a restart
goes on where it was, by the records in the output folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from gliomask.core.progress import SILENT, Progress
from gliomask.datasets.folders import entries
from gliomask.errors import (
    BatchError,
    CasesError,
    Failure,
    GliomaskError,
    InputError,
    MachineError,
    ModelError,
    StoppedError,
)
from gliomask.workflows.predict import PredictedCase, PredictOptions, Segmenter

_State = tuple[tuple[str, int, int], ...]
Told = Callable[[tuple[PredictedCase, ...], tuple[Failure, ...]], None]
"""Is told of the cases of each study, and of what failed in it."""


def watch(
    folder: Path,
    options: PredictOptions,
    tell: Told,
    *,
    every_s: float = 10.0,
    looks: int | None = None,
    progress: Progress = SILENT,
) -> None:
    """Segments what lies in a folder, and what arrives in it, until it is stopped (Ctrl-C).

    Args:
        folder: each file, archive or folder directly in it is a study, or several.
        options: of the command; its ``inputs`` are not looked at.
        tell: called after each study.
        every_s: seconds between looks.
        looks: to stop after; without end if it is not given.
        progress: is told of the cases of a study.

    Raises:
        InputError: ``folder`` is no folder, or holds the output folder.
        ModelError, MachineError: nothing more can be done.
    """
    if not folder.is_dir():
        raise InputError("no such folder", path=folder, field="--watch")
    out = options.out.resolve()
    segmenter = Segmenter(options)
    seen: dict[Path, _State] = {}
    done: dict[Path, _State] = {}
    while looks is None or looks > 0:
        for entry in entries(folder):
            if entry.resolve() == out:
                continue
            state = _state(entry)
            if seen.get(entry) == state and done.get(entry) != state:
                tell(*_study(segmenter, entry, progress))
                done[entry] = state
            seen[entry] = state
        looks = None if looks is None else looks - 1
        if looks != 0:
            time.sleep(every_s)


def _study(
    segmenter: Segmenter, entry: Path, progress: Progress
) -> tuple[tuple[PredictedCase, ...], tuple[Failure, ...]]:
    """A study that can't be used never stops the others."""
    try:
        return segmenter.run((entry,), progress).cases, ()
    except BatchError as problem:
        return (), tuple(problem.failures)
    except CasesError as problem:
        return (), tuple(problem.problems)
    except (MachineError, ModelError, StoppedError):
        raise
    except GliomaskError as problem:
        return (), ((entry.name, str(problem)),)


def _state(entry: Path) -> _State:
    """Names, sizes and times of all that lies in an entry; what vanishes meanwhile is not there."""
    paths = sorted(entry.rglob("*")) if entry.is_dir() else [entry]
    found = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue
        found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)
