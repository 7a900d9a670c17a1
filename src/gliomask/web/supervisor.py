"""Assignment of jobs to worker processes, in a thread of the server.

A crash of a worker counts as an attempt of its job; a cancelled or too slow job is requested to
stop, and its worker is killed if it does not.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from gliomask.config.serve import ServeOptions
from gliomask.errors import GliomaskError, unexpected
from gliomask.jobs.priority import at_lower_priority
from gliomask.jobs.worker_events import Advanced, Cancelled, Crashed, Event, Finished, Lost
from gliomask.jobs.workers import Workers
from gliomask.machine.heap import ENVIRONMENT
from gliomask.web.audit import Audit
from gliomask.web.database import now
from gliomask.web.errands import Errands
from gliomask.web.folder import KEPT, DataFolder
from gliomask.web.models import ServedModel
from gliomask.web.problems import Problem
from gliomask.web.queue import Job, Kind, Queue
from gliomask.web.task import Task, TaskFile, TaskResult
from gliomask.web.tokens import Access
from gliomask.web.uploads import Uploads
from gliomask.web.worker import Work, auditor, segmenter

PATIENCE_S: Final = 5.0
"""Seconds after which the worker of a stopping job is killed."""
_NICENESS: Final = 10
"""Priority of the workers: the server, which needs little, responds before they compute."""
_WAIT_S: Final = 0.1
_AGAIN_S: Final = 10.0
"""Seconds until workers that could not be started are started again."""
_CLEAN_EVERY_S: Final = 30.0
_STARTING: Final = "the workers are starting"
_SERVER: Final = Access("server", frozenset(("admin",)))

log = logging.getLogger("gliomask.serve")


@dataclass
class Progress:
    """Progress of a running job: a fraction from 0 to 1 and a line of text."""

    share: float = 0.0
    note: str = ""


@dataclass
class _Ending:
    """A stopping job: reason, and deadline before its worker is killed."""

    why: str
    until: float


class Supervisor:
    """The workers of a server.

    Args:
        options: of the server.
        models: available models.
        folder: its data folder.
        queue, uploads, audit: its records.

    Attributes:
        progress: id -> how far a running job is.
        ended: (kind, state) -> jobs that have ended since the start.
        seconds: kind -> their time.
        problem: reason why jobs can't be processed at present; empty if they can.
    """

    def __init__(
        self,
        options: ServeOptions,
        models: tuple[ServedModel, ...],
        folder: DataFolder,
        queue: Queue,
        uploads: Uploads,
        audit: Audit,
    ) -> None:
        self._options, self._folder = options, folder
        self._models = {model.name: model.folder for model in models}
        self._queue, self._uploads, self._audit = queue, uploads, audit
        self.progress: dict[str, Progress] = {}
        self.ended: Counter[tuple[str, str]] = Counter()
        self.seconds: dict[str, float] = {"predict": 0.0, "inspect": 0.0}
        self.problem = _STARTING
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._endings: dict[str, _Ending] = {}
        self._begun: dict[str, float] = {}
        self._errands = Errands()
        self._cleaned = 0.0

    @property
    def broken(self) -> bool:
        """True if the workers failed and have not restarted; the waiting time is unknown."""
        return self.problem not in ("", _STARTING)

    def start(self) -> None:
        """Requeue the jobs of the last server, but for those that may kill it, and start."""
        self._queue.recover()
        for job in self._queue.give_up():
            self._ended(job, "failed")
        self._uploads.sweep()
        for folder in self._folder.jobs.iterdir():
            self.tidy(folder.name)
        self._thread.start()

    def run(self, task: Task, content: TaskFile) -> TaskResult:
        """Run a task immediately, by a worker without a network, and wait for it.

        Raises:
            Problem: no worker could do it; it may be tried again.
        """
        if self.problem:
            raise Problem(503, "the workers can't do it at the moment", retry_s=10)
        task.write(content)
        return self._errands.run(task, 60 * self._options.limits.job_minutes)

    def stop(self) -> None:
        """Stop the workers, and requeue their jobs."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        """Supervises until the end; whatever fails, the disk too, is tried again."""
        while not self._stop.is_set():
            try:
                self._queue.recover(killed=False)  # what ran when the last attempt failed
                self._supervise()
            except GliomaskError as problem:
                self.problem = str(problem)
                log.error("jobs can't be done at present: %s", problem)
            except OSError as problem:
                self.problem = problem.strerror or type(problem).__name__
                log.error("jobs can't be done at present: %s", self.problem)
            except Exception as error:
                self.problem = unexpected(error)
                log.error("a bug in gliomask: %s", self.problem)
            self._errands.give_up()
            self._endings.clear()
            self._begun.clear()
            self.progress.clear()
            self._stop.wait(_AGAIN_S)

    def _supervise(self) -> None:
        environment = {"TMPDIR": str(self._folder.temporary), **ENVIRONMENT}
        first, options = next(iter(self._models.values())), self._options
        making: Callable[[], Work] = partial(segmenter, first, options.device, options.engine)
        workers = partial(  # the time limit is handled here
            Workers[Task, TaskResult],
            environment=environment,
            limit_s=float("inf"),
        )
        with (
            workers(partial(at_lower_priority, making, _NICENESS), options.workers) as segmenters,
            workers(partial(at_lower_priority, auditor, _NICENESS), 1) as auditors,
        ):
            pools: dict[Kind, Workers[Task, TaskResult]] = {
                "predict": segmenters,
                "inspect": auditors,
            }
            while not self._stop.is_set():
                self._errands.hand_out(auditors)
                for kind, pool in pools.items():
                    self._hand_out(kind, pool)
                    self._end_what_is_due(pool)
                    for event in pool.events(_WAIT_S):
                        self._take(event)
                if all(pool.idle or pool.busy for pool in pools.values()):
                    self.problem = ""
                self._clean()
            for pool in pools.values():
                for event in pool.stop():
                    self._take(event)
                for task in pool.busy:
                    self._queue.put_back(task.id)

    def _hand_out(self, kind: Kind, pool: Workers[Task, TaskResult]) -> None:
        while pool.idle and (job := self._queue.next(kind)) is not None:
            task = Task(job.id, self._folder.job(job.id))
            task.folder.mkdir(exist_ok=True, mode=0o700)
            task.write(self._content(job))
            self.progress[job.id] = Progress()
            self._begun[job.id] = time.monotonic()
            pool.give(task)

    def _content(self, job: Job) -> TaskFile:
        upload = self._uploads.get(_SERVER, job.upload)
        folder = self._folder.upload(job.upload)
        return TaskFile(
            kind=job.kind,
            files=tuple((file.number, file.name, folder / file.stored) for file in upload.files),
            spec=dict(job.spec),
            model=self._models.get(job.spec.get("model") or "", next(iter(self._models.values()))),
            device=self._options.device,
            engine=self._options.engine,
        )

    def _end_what_is_due(self, pool: Workers[Task, TaskResult]) -> None:
        """Stop jobs that are cancelled or take too long."""
        moment, cancelled = time.monotonic(), set(self._queue.to_cancel())
        for task in pool.busy:
            ending = self._endings.get(task.id)
            if ending is not None:
                if moment > ending.until:
                    pool.kill(task)
                continue
            late = moment - self._begun.get(task.id, moment) > 60 * self._options.limits.job_minutes
            if late or task.id in cancelled:
                why = "too_long" if late else "cancelled"
                self._endings[task.id] = _Ending(why, moment + PATIENCE_S)
                pool.cancel(task)

    def _take(self, event: Event[Task, TaskResult]) -> None:
        if self._errands.take(event):
            return
        job, ending = event.task.id, self._endings.get(event.task.id)
        match event:
            case Advanced(_, share, note):
                self.progress[job] = Progress(share, note)
            case Finished(_, outcome) if outcome.end == "done":
                self._queue.done(job, outcome.result)
                self._ended(job, "done")
            case Finished(_, outcome):
                self._queue.failed(job, outcome.code, outcome.text)
                self._ended(job, "failed")
            case Cancelled() | Lost() if ending is not None:
                self._stopped(job, ending)
            case Lost(_, reason):
                log.warning("job %s: its worker %s", job, reason)
                if self._queue.lost(job, reason) == "failed":
                    self._ended(job, "failed")
            case Crashed(_, reason):
                log.error("job %s: %s", job, reason)
                self._queue.failed(job, "bug", reason)
                self._ended(job, "failed")

    def _stopped(self, job: str, ending: _Ending) -> None:
        if ending.why == "cancelled":
            self._queue.cancelled(job)
            self._ended(job, "cancelled")
            return
        minutes = self._options.limits.job_minutes
        self._queue.failed(job, "too_long", f"took longer than {minutes:g} minutes")
        self._ended(job, "failed")

    def _ended(self, job: str, state: str) -> None:
        ended = self._queue.get(_SERVER, job)
        self.ended[ended.kind, state] += 1
        self.seconds[ended.kind] += max(
            0.0, time.monotonic() - self._begun.pop(job, time.monotonic())
        )
        self.progress.pop(job, None)
        self._endings.pop(job, None)
        self._audit.add(ended.owner, f"{ended.kind}.end", job, state)
        self.tidy(job)
        whole = state == "done" and not (ended.result or {}).get("failures")
        if ended.kind == "predict" and whole:  # a failed case may be tried with other options
            self._uploads.delete_unused(ended.upload)

    def tidy(self, job: str) -> None:
        """Remove all but the result and its corrections from the folder of a job."""
        folder = self._folder.job(job)
        state = self._queue.find_state(job)
        for entry in list(folder.iterdir()) if folder.is_dir() else []:
            if entry.name in KEPT and state == "done":
                continue
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _clean(self) -> None:
        """Delete expired data."""
        if time.monotonic() - self._cleaned < _CLEAN_EVERY_S:
            return
        self._cleaned = time.monotonic()
        for upload in self._uploads.expire():
            self._audit.add("server", "upload.expire", upload)
        for job in self._queue.expire():
            self.tidy(job)
            self._audit.add("server", "job.expire", job)
        self._audit.forget(now() - self._options.limits.audit_days * 86_400)
