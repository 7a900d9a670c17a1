"""``predict`` of a folder into which studies arrive, each segmented when it is whole.

A study counts as whole when nothing in it has changed for two looks in a row, so half-copied
folders and archives are left alone until they are done. What has been done stays done: a restart
goes on where it was, by the records in the output folder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from gliomask.config.predict import PredictOptions
from gliomask.config.watch import WatchOptions as WatchOptions
from gliomask.datasets.folders import entries
from gliomask.errors import (
    GliomaskError,
    InputError,
    MachineError,
    ModelError,
    StoppedError,
    option,
)
from gliomask.jobs.control import SILENT, Control
from gliomask.results.prediction.summary import PredictResult
from gliomask.segmentation.folder import PredictionFolder

_State = tuple[tuple[str, int, int], ...]


def watch(options: WatchOptions, control: Control = SILENT) -> Iterator[PredictResult]:
    """Segments what lies in a folder, and what arrives in it, until it is stopped.

    Yields:
        of each study the examinations done, and those that can't be used.

    Raises:
        StoppedError: a stop was requested; a study that was being segmented is not done.
        InputError: ``folder`` is no folder, or is the output folder, or has it deeper than
            directly in it; inputs were named too.
        ModelError, MachineError: nothing more can be done.
    """
    _check(options.folder, options.predict)
    out = options.predict.out.resolve()
    folder = PredictionFolder(options.predict)
    states: dict[Path, _State] = {}
    done: dict[Path, _State] = {}
    results: dict[Path, PredictResult] = {}
    looks = options.looks
    while looks is None or looks > 0:
        for entry in entries(options.folder):
            control.check()
            if entry.resolve() == out:
                continue
            state = _state(entry)
            if state and states.get(entry) == state and done.get(entry) != state:
                results[entry] = _study(folder, entry, control)
                _write_table(folder, results.values())
                done[entry] = state
                yield results[entry]
            states[entry] = state
        looks = None if looks is None else looks - 1
        if looks != 0:
            control.wait(options.every_s)


def _check(folder: Path, options: PredictOptions) -> None:
    """Raises InputError, see ``watch``: what it writes must not look like what arrives."""
    if not folder.is_dir():
        raise InputError("no such folder", path=folder, option="watch")
    if options.inputs or options.sequences:
        hint = f"leave out {option('watch')} or the inputs"
        raise InputError("either inputs or a folder to watch, not both", hint=hint)
    out, watched = options.out.resolve(), folder.resolve()
    if out == watched or watched in out.parent.parents:
        hint = "write to a folder beside it, or directly in it"
        raise InputError("the watched folder contains the output folder", path=folder, hint=hint)


def _write_table(folder: PredictionFolder, results: Collection[PredictResult]) -> None:
    """``cases.csv`` of all that was seen since the start, once a mask is there."""
    if any(result.cases for result in results):
        folder.write_table(results)


def _study(folder: PredictionFolder, entry: Path, control: Control) -> PredictResult:
    """A study that can't be used never stops the others."""
    try:
        return folder.add((entry,), control)
    except (MachineError, ModelError, StoppedError):
        raise
    except GliomaskError as problem:
        return folder.failed(entry.name, problem)


def _state(entry: Path) -> _State:
    """Names, sizes and times of all that lies in an entry; what vanishes meanwhile is not there."""
    entries = []
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
        entries.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(entries)
