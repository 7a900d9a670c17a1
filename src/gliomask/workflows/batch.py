"""``batch``: the results of ``predict`` for thousands of cases, each exactly once, also after
crashes.

    inputs --survey, hash--> manifest --[k::n]--> workers --> files of each case
                                                     |
                                         a journal of one writer (jobs.dispatch)

The files of a case are written atomically by ``predict``. This module assigns cases to workers, and
recovers after the loss of a process, a run or a machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gliomask.config.batch import BatchOptions as BatchOptions
from gliomask.config.predict import PredictOptions
from gliomask.core.case import Case
from gliomask.core.output_folder import check_folder
from gliomask.errors import CaseError, ConfigError, Failure, InputError, MachineError
from gliomask.formats.archive import all_unpacked
from gliomask.inference.engines.engine import usable_threads
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.dispatch import Dispatch, Ledger
from gliomask.jobs.failures import raise_failures
from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.nets.licence_notice import announce_licence
from gliomask.provenance.record import software
from gliomask.results.batch.manifest import (
    Entry,
    Listed,
    Manifest,
    entry_of,
    known_content,
    moved,
    read_manifest,
    write_manifest,
)
from gliomask.results.batch.overview import PAGE, write_overview
from gliomask.results.batch.places import BatchFolder, Claim, Shard
from gliomask.results.batch.status import is_there, present, status_of
from gliomask.segmentation.batch_pool import case_pool
from gliomask.segmentation.case_task import CaseTask
from gliomask.studies.find import survey

_OF_A_RUN: Final = {"inputs", "out", "sequences", "again", "limit_memory"}
"""Options that may differ between the runs of a batch."""


@dataclass(frozen=True)
class BatchResult:
    """Result of a run of ``batch``.

    Attributes:
        out: the folder.
        model: its name.
        done: completed cases of this shard.
        failed: (case, reason) of failed cases.
        page: page of all cases; None while other shards are running.
    """

    out: Path
    model: str
    done: tuple[str, ...]
    failed: tuple[Failure, ...]
    page: Path | None


def batch(options: BatchOptions, control: Control = SILENT) -> BatchResult:
    """Segment the remaining cases of a shard, with worker processes or Ray actors.

    Raises:
        InputError: the inputs; ``out`` is a file; or another run has taken over. BatchError: some
            cases failed; its ``result`` is the result. ModelError: the model. MachineError: a
            problem of the machine; completed cases are kept. StoppedError: a stop was requested;
            completed cases are kept.
    """
    shard, folder = Shard.parse(options.shard), BatchFolder(options.predict.out)
    manifest, card = _open(options, control)
    announce_licence(_model(manifest), card)
    claim = folder.take_over(shard)
    folder.clear_leftovers(claim)
    _work(options, manifest, _guarded(folder, claim, control))
    return _finish(folder, manifest, card, shard)


def make_manifest(options: BatchOptions, control: Control = SILENT) -> Manifest:
    """Manifest of the run: a new one for the inputs, or the existing one in the folder.

    A shard of several uses the existing one, like the other shards.

    Raises:
        InputError: no inputs and no manifest; ``out`` is a file; or other options than in the
            manifest.
    """
    return _open(options, control)[0]


def _open(options: BatchOptions, control: Control) -> tuple[Manifest, ModelCard]:
    """The manifest, and the card of its model."""
    folder, predict_options = BatchFolder(options.predict.out), options.predict
    check_folder(folder.out)
    if predict_options.sequences:
        raise InputError("a batch takes inputs, not files by sequence", field="sequences")
    several = Shard.parse(options.shard).n > 1
    if not predict_options.inputs or (several and folder.manifest.is_file()):
        manifest = _earlier_manifest(folder, predict_options)
        return manifest, read_card(_model(manifest) / CARD_FILE)
    card = read_card(predict_options.model / CARD_FILE)
    return _new_manifest(folder, predict_options, card, control), card


def _earlier_manifest(folder: BatchFolder, predict_options: PredictOptions) -> Manifest:
    manifest = read_manifest(folder.manifest)
    fresh = PredictOptions(out=predict_options.out)
    unsaid = not predict_options.inputs and _lasting(predict_options) == _lasting(fresh)
    if not unsaid and _lasting(predict_options) != manifest.options:
        hint = "give the inputs without a shard to create a new one"
        raise ConfigError("made with other options", path=folder.manifest, hint=hint)
    return manifest


def _new_manifest(
    folder: BatchFolder, predict_options: PredictOptions, card: ModelCard, control: Control
) -> Manifest:
    with all_unpacked(predict_options.inputs) as places:
        cases, problems = survey(places, {}, predict_options.series)
        pairs = zip(places, predict_options.inputs, strict=True)
        archives = {place: path for place, path in pairs if place != path}
        entries, failures = _hashed(cases, archives, folder, control)
    failures = [*((problem.case, problem.reason) for problem in problems), *failures]
    rules = _rules(predict_options, card)
    write_manifest(folder.manifest, _lasting(predict_options), rules, entries, failures)
    return read_manifest(folder.manifest)


def _hashed(
    cases: Sequence[Case], archives: Mapping[Path, Path], folder: BatchFolder, control: Control
) -> tuple[list[Entry], list[Failure]]:
    known = known_content(folder.manifest)
    entries: list[Entry] = []
    failures: list[Failure] = []
    control.start(len(cases), "hashing")

    def entry(case: Case) -> Entry | Failure:
        control.check()
        paths = [path for image in case.images.values() for path in image.paths]
        place = next((root for root in archives if paths and paths[0].is_relative_to(root)), None)
        try:
            if f"{case.id}.html" == PAGE:
                raise CaseError(f"{case.id}: its page would be that of the batch; rename it")
            archive = archives[place].absolute() if place else None
            return entry_of(_absolute(case), archive, place, known)
        except CaseError as problem:
            return case.id, str(problem)

    with ThreadPoolExecutor(min(8, usable_threads())) as pool:
        for hashed in pool.map(entry, cases):
            entries.append(hashed) if isinstance(hashed, Entry) else failures.append(hashed)
            control.advance()
    return entries, failures


def _absolute(case: Case) -> Case:
    """Make paths absolute, because a job may run in another working folder."""
    return moved(case, Path.absolute)


def _work(options: BatchOptions, manifest: Manifest, control: Control) -> None:
    shard, folder = Shard.parse(options.shard), BatchFolder(options.predict.out)
    own = manifest.cases[shard.k - 1 :: shard.n]
    existing = present(folder.out)
    with folder.journal(shard) as journal:
        ledger = Ledger(journal, folder.journals(but=shard))
        todo = [
            entry
            for entry in own
            if ledger.begin(
                entry.id, entry.of, finished=is_there(entry.id, existing), retry=options.retry
            )
        ]
        if not todo:
            return
        with case_pool(options, manifest, len(todo)) as (workers, count):
            dispatch = Dispatch(workers, ledger, control, tries=options.tries)
            dispatch.run(list(_tasks(todo, count)))


def _tasks(todo: Sequence[Listed], count: int) -> Iterator[CaseTask]:
    """Prefetch the case that comes after the current ones of all workers."""
    for n, entry in enumerate(todo):
        ahead = todo[n + count].offset if n + count < len(todo) else None
        yield CaseTask(entry.id, entry.offset, ahead)


def _guarded(folder: BatchFolder, claim: Claim, control: Control) -> Control:
    """Also stops the run if another one has taken over."""

    def stop_requested() -> bool:
        if not claim.stands():
            if not claim.path.parent.is_dir():
                raise MachineError("the folder of the batch is gone", path=folder.out)
            raise InputError("another run has taken over", path=folder.out)
        return control.stop_requested()

    return Control(control.progress, stop_requested)


def _finish(folder: BatchFolder, manifest: Manifest, card: ModelCard, shard: Shard) -> BatchResult:
    whole = status_of(folder, manifest)
    own = whole if shard.n == 1 else status_of(folder, manifest, shard)
    page = write_overview(whole, card) if shard.n == 1 or not whole.missing else None
    result = BatchResult(folder.out, card.name, own.done, own.failed, page)
    raise_failures(own.failed, len(own.done), folder.out, result)
    return result


def _model(manifest: Manifest) -> Path:
    return Path(manifest.options["model"])


def _lasting(options: PredictOptions) -> dict[str, Any]:
    """Options that must be the same for every run of a batch."""
    keys = options.plain(_OF_A_RUN)
    for name in ("model", "bids"):
        keys[name] = None if keys[name] is None else str(Path(keys[name]).absolute())
    return keys


def _rules(options: PredictOptions, card: ModelCard) -> str:
    """Hash of everything that results depend on, except the images."""
    facts = card.model_dump(mode="json")
    rules = {"options": _lasting(options), "card": facts, "software": software()}
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()
