"""Received corrections: checked by a worker, and stored.

The newest mask of a case is that of its last correction that is not withdrawn, or the network's. A
correction that was drawn on an older mask is refused, so that no unseen correction is overwritten.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from gliomask.config.serve import Limits
from gliomask.core.atomic import writing
from gliomask.formats.editable_case import FILE, EditableCase, read_editable_case
from gliomask.web.database import Database, now
from gliomask.web.folder import DataFolder
from gliomask.web.problems import Problem, not_found
from gliomask.web.queue import Job, Queue
from gliomask.web.stored_corrections import Correction, CurrentMask, StoredCorrections
from gliomask.web.supervisor import Supervisor
from gliomask.web.task import Task, TaskFile
from gliomask.web.tokens import DAY_S, Access

_DRAWN: Final = "drawn"
_UNCHANGED: Final = "unchanged"


class UnchangedProblem(Problem):
    """The mask is equal to the one that it was drawn on."""


class Corrections(StoredCorrections):
    """The corrections of a running server.

    Args:
        database, folder, limits: of the server.
        queue: of the jobs that they belong to.
        supervisor: of the workers that check them.
    """

    def __init__(
        self,
        database: Database,
        folder: DataFolder,
        limits: Limits,
        queue: Queue,
        supervisor: Supervisor,
    ) -> None:
        super().__init__(database, folder)
        self._limits = limits
        self._queue, self._supervisor = queue, supervisor
        self._saving: set[str] = set()
        self._lock = threading.Lock()

    def cases(self, job: Job) -> tuple[EditableCase, ...]:
        """Cases of a job whose masks can be corrected."""
        if job.state != "done":
            return ()
        names = [case["case"] for case in (job.result or {}).get("cases", ())]
        folders = [self._folder.editable(job.id, name) for name in names]
        return tuple(read_editable_case(folder) for folder in folders if (folder / FILE).is_file())

    def case(self, job: Job, name: str | None) -> EditableCase:
        """One of them; the only one where none is named.

        Raises:
            Problem: there is none, or several.
        """
        if job.state != "done":
            raise Problem(409, f"the job is {job.state}: there is no mask to correct")
        every = self.cases(job)
        fitting = [editable for editable in every if name in (None, editable.case)]
        if not fitting:
            raise not_found("case whose mask can be corrected")
        if len(fitting) > 1:
            raise Problem(
                409, f"state the case: {', '.join(editable.case for editable in fitting)}"
            )
        return fitting[0]

    def check_base(self, job: Job, case: EditableCase, base: str) -> CurrentMask:
        """The mask that a correction is to be drawn on, if it is still the newest.

        Raises:
            Problem: it is not; the job has too many corrections.
        """
        if len(self.listing(job.id)) >= self._limits.corrections:
            raise Problem(409, f"the job has {self._limits.corrections} corrections already")
        current = self.current(job.id, case)
        if current.sha256 != base:
            text = f"the base is not the newest mask, which is {current.sha256}"
            raise Problem(409, f"{text}: load that, and correct it again")
        return current

    def add(
        self,
        access: Access,
        job: Job,
        case: EditableCase,
        base: str,
        drawn: Path,
        names: Mapping[int, str] | None = None,
    ) -> Correction:
        """Has a mask checked, and keeps it as a correction.

        Args:
            access: of the author;
            job, case: job and case of the mask.
            base: SHA-256 of the mask that it was drawn on.
            drawn: the mask as it came, NIfTI or NRRD, which is left as it is.
            names: number in it -> name of the label, where its program numbers labels itself.

        Raises:
            UnchangedProblem: it equals its base.
            Problem: it can't be used or checked, or is drawn on another mask than the newest.
        """
        with self._alone(job.id):
            current = self.check_base(job, case, base)
            last = self._database.row("SELECT max(number) FROM correction WHERE job=?", (job.id,))
            number = 1 + ((last[0] or 0) if last is not None else 0)
            place = self._folder.corrections(job.id) / str(number)
            try:
                stem = f"{case.case}_correction-{number}"
                spec = {
                    "drawn": drawn,
                    "case": self._folder.editable(job.id, case.case),
                    "base": current.path,
                    "out": place,
                    "name": stem,
                    "author": access.owner,
                }
                plain: dict[str, Any] = {key: str(value) for key, value in spec.items()}
                result = self._checked({**plain, "names": dict(names or {})})
                key = (job.id, number, case.case, access.owner)
                return self._insert(key, base, result)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise

    @contextmanager
    def _alone(self, job: str) -> Iterator[None]:
        """Keeps a second correction of a job out while one is being checked."""
        with self._lock:
            if job in self._saving:
                text = "another correction of this job is being stored at the moment"
                raise Problem(409, text, retry_s=5)
            self._saving.add(job)
        try:
            yield
        finally:
            with self._lock:
                self._saving.discard(job)

    def _checked(self, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        """Result of a worker for a mask; its files are then in place."""
        drawn, place = Path(spec["drawn"]), Path(spec["out"])
        task = Task(drawn.name, drawn.with_name(f"{drawn.name}-{_DRAWN}"))
        shutil.rmtree(place, ignore_errors=True)  # of a server that was killed
        with writing(place):
            place.mkdir(parents=True, mode=0o700)
            task.folder.mkdir(mode=0o700)
        try:
            outcome = self._supervisor.run(task, TaskFile(kind="correct", spec=dict(spec)))
        finally:
            shutil.rmtree(task.folder, ignore_errors=True)
        if outcome.end != "done":
            kind = UnchangedProblem if outcome.code == _UNCHANGED else Problem
            raise kind(422, outcome.text.replace(spec["drawn"], "the mask"))
        return outcome.result

    def _insert(
        self, key: tuple[str, int, str, str], base: str, result: Mapping[str, Any]
    ) -> Correction:
        """Makes it known, once all its files are there; ``key`` is job, number, case and author."""
        moment, notes = now(), tuple(result["notes"])
        made = Correction(
            *key, moment, base, result["sha256"], result["changes"], notes, None, None, None
        )
        self._write_record(made)
        facts = (json.dumps(result["changes"]), json.dumps(result["notes"]))
        until = moment + self._limits.correction_days * DAY_S
        with self._database.change() as change:
            statement = "UPDATE job SET expires=max(expires, ?) WHERE id=? AND state='done'"
            if not change.execute(statement, (until, made.job)).rowcount:
                raise not_found("job")
            change.execute(
                "INSERT INTO correction(job, number, case_id, author, created, base, sha256, "
                "changes, notes) VALUES (?,?,?,?,?,?,?,?,?)",
                (*key, moment, base, result["sha256"], *facts),
            )
        return made
