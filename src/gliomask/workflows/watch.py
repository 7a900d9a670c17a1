"""``predict --watch``: a folder into which studies arrive, each segmented when it is whole.

A study counts as whole when nothing in it has changed for two looks in a row, so half-copied
folders and archives are left alone until they are done. What has been done stays done: a restart
goes on where it was, by the records in the output folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

from gliomask.core.progress import SILENT, Progress
from gliomask.datasets.folders import entries
from gliomask.errors import (
    Failure,
    GliomaskError,
    InputError,
    MachineError,
    ModelError,
    StoppedError,
)
from gliomask.results.prediction.summary import Attempt, PredictedCase
from gliomask.workflows.predict import PredictOptions, Segmenter

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
        options: of the command, without ``inputs`` and ``sequences``.
        tell: called after each study.
        every_s: seconds between looks.
        looks: to stop after; without end if it is not given.
        progress: is told of the cases of a study.

    Raises:
        InputError: ``folder`` is no folder, or is the output folder, or has it deeper than
            directly in it; inputs were named too.
        ModelError, MachineError: nothing more can be done.
    """
    _check(folder, options)
    out = options.out.resolve()
    segmenter = Segmenter(options)
    seen: dict[Path, _State] = {}
    done: dict[Path, _State] = {}
    results: dict[Path, Attempt] = {}
    while looks is None or looks > 0:
        for entry in entries(folder):
            if entry.resolve() == out:
                continue
            state = _state(entry)
            if state and seen.get(entry) == state and done.get(entry) != state:
                results[entry] = cases, failures = _study(segmenter, entry, progress)
                _write_table(segmenter, results.values())
                tell(tuple(cases), tuple(failures))
                done[entry] = state
            seen[entry] = state
        looks = None if looks is None else looks - 1
        if looks != 0:
            time.sleep(every_s)


def _check(folder: Path, options: PredictOptions) -> None:
    """Raises InputError, see ``watch``: what it writes must not look like what arrives."""
    if not folder.is_dir():
        raise InputError("no such folder", path=folder, field="--watch")
    if options.inputs or options.sequences:
        raise InputError("either inputs or a folder to watch, not both", field="--watch")
    out, watched = options.out.resolve(), folder.resolve()
    if out == watched or watched in out.parent.parents:
        hint = "write to a folder beside it, or directly in it"
        raise InputError("the watched folder holds the output folder", path=folder, hint=hint)


def _write_table(segmenter: Segmenter, results: Collection[Attempt]) -> None:
    """``cases.csv`` of all that was seen since the start, once a mask is there."""
    done = [case for cases, _ in results for case in cases]
    if done:
        segmenter.write_table(done, [failure for _, told in results for failure in told])


def _study(segmenter: Segmenter, entry: Path, progress: Progress) -> Attempt:
    """A study that can't be used never stops the others."""
    try:
        return segmenter.attempt((entry,), progress)
    except (MachineError, ModelError, StoppedError):
        raise
    except GliomaskError as problem:
        return [], [(entry.name, str(problem))]


def _state(entry: Path) -> _State:
    """Names, sizes and times of all that lies in an entry; what vanishes meanwhile is not there."""
    found = []
    try:
        paths = sorted(path for path in entry.rglob("*") if path.is_file())
    except OSError:
        return ()
    paths = paths if entry.is_dir() else [entry]
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue
        found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)
