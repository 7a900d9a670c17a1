"""``watch``: segmentation of new studies in a folder.

A study is complete if nothing in it has changed between two scans, so partly copied folders and
archives are not read. A restart continues by the records in the output folder.
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
    """Segment existing and new studies in a folder, until it is stopped.

    A DICOM study whose name another study has in the output folder gets a number after its name.

    Yields:
        for each study, the completed examinations and the failures.

    Raises:
        StoppedError: a stop was requested; the current study is not completed. InputError:
            ``folder`` is not a folder, or is the output folder, or contains it deeper than
            directly; inputs are also given. ModelError, MachineError: no study can be segmented.
    """
    _check(options.folder, options.predict)
    out = options.predict.out.resolve()
    folder = PredictionFolder(options.predict, distinct=True)
    states: dict[Path, _State] = {}
    done: dict[Path, _State] = {}
    results: dict[Path, PredictResult] = {}
    scans = options.scans
    while scans is None or scans > 0:
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
        scans = None if scans is None else scans - 1
        if scans != 0:
            control.wait(options.every_s)


def _check(folder: Path, options: PredictOptions) -> None:
    """Raise InputError, see ``watch``: output files must not be taken for new studies."""
    if not folder.is_dir():
        raise InputError("no such folder", path=folder)
    if options.inputs or options.sequences:
        hint = f"leave out {option('watch')} or the inputs"
        raise InputError("either inputs or a folder to watch, not both", hint=hint)
    out, watched = options.out.resolve(), folder.resolve()
    if out == watched or watched in out.parent.parents:
        hint = "write to a folder next to it, or directly in it"
        raise InputError("the watched folder contains the output folder", path=folder, hint=hint)


def _write_table(folder: PredictionFolder, results: Collection[PredictResult]) -> None:
    """Write ``cases.csv`` of all studies since the start, after the first mask."""
    if any(result.cases for result in results):
        folder.write_table(results)


def _study(folder: PredictionFolder, entry: Path, control: Control) -> PredictResult:
    """Segment a study; an unusable one does not stop the others."""
    try:
        return folder.add((entry,), control)
    except (MachineError, ModelError, StoppedError):
        raise
    except GliomaskError as problem:
        return folder.failed(entry.name, problem)


def _state(entry: Path) -> _State:
    """Names, sizes and times of all files of a study; files that vanish are omitted."""
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
