"""Masks that people corrected: who did, on which mask, what changed, and who approved it.

    drawn --approve--> approved --unapprove--> drawn        drawn, approved --withdraw--> withdrawn

A correction is drawn on the newest mask of its case: the network's, or that of the last correction
which is not withdrawn. One that was drawn on an older mask is refused, so that nobody overwrites
what they have not seen.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gliomask.config.serve import Limits
from gliomask.core.atomic import write_text, writing
from gliomask.formats.editable_case import (
    ENDING,
    FILE,
    MASK_LAYER,
    EditableCase,
    read_editable_case,
)
from gliomask.web.database import Database, now
from gliomask.web.folder import DataFolder
from gliomask.web.problems import Problem, not_found
from gliomask.web.queue import Job, Queue
from gliomask.web.supervisor import Supervisor
from gliomask.web.task import Task, TaskFile
from gliomask.web.tokens import DAY_S, Access

_DRAWN: Final = "drawn"
_NOTICE: Final = "For research use only"


@dataclass(frozen=True)
class Correction:
    """A correction.

    Attributes:
        job, number: of it; case: whose mask it is.
        author: owner of the token that it was sent with; created: seconds since 1970.
        base: SHA-256 of the mask that it was drawn on; sha256: of its own.
        changes: region -> what was done to it, see ``results.correction.corrected``.
        notes: what a person should know.
        approver, approved: who approved it, and when; None where nobody has.
        withdrawn: when it was; None where it is not.
    """

    job: str
    number: int
    case: str
    author: str
    created: float
    base: str
    sha256: str
    changes: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...]
    approver: str | None
    approved: float | None
    withdrawn: float | None

    @property
    def stem(self) -> str:
        """Of the names of its files."""
        return f"{self.case}_correction-{self.number}"


@dataclass(frozen=True)
class CurrentMask:
    """The newest mask of a case.

    Attributes:
        number: of the correction; 0 for the network's own.
        sha256: of the file; path: of it.
    """

    number: int
    sha256: str
    path: Path


class Corrections:
    """The corrections of a server.

    Args:
        database, folder, limits: of the server.
        queue: of the jobs that they belong to; supervisor: of the workers that check them.
    """

    def __init__(
        self,
        database: Database,
        folder: DataFolder,
        limits: Limits,
        queue: Queue,
        supervisor: Supervisor,
    ) -> None:
        self._database, self._folder, self._limits = database, folder, limits
        self._queue, self._supervisor = queue, supervisor
        self._saving: set[str] = set()
        self._lock = threading.Lock()

    def cases(self, job: Job) -> tuple[EditableCase, ...]:
        """The cases of a job whose masks may be corrected."""
        if job.state != "done":
            return ()
        names = [case["case"] for case in (job.result or {}).get("cases", ())]
        folders = [self._folder.editable(job.id, name) for name in names]
        return tuple(read_editable_case(one) for one in folders if (one / FILE).is_file())

    def case(self, job: Job, name: str | None) -> EditableCase:
        """One of them; the only one where none is named.

        Raises:
            Problem: there is none, or several.
        """
        if job.state != "done":
            raise Problem(409, f"the job is {job.state}: there is no mask to correct")
        every = self.cases(job)
        fitting = [one for one in every if name in (None, one.case)]
        if not fitting:
            raise not_found("case whose mask can be corrected")
        if len(fitting) > 1:
            raise Problem(409, f"say of which case: {', '.join(one.case for one in fitting)}")
        return fitting[0]

    def listing(self, job: str) -> tuple[Correction, ...]:
        """All of a job, the oldest first."""
        statement = "SELECT * FROM correction WHERE job=? ORDER BY number"
        return tuple(map(_correction, self._database.rows(statement, (job,))))

    def get(self, job: str, number: int) -> Correction:
        """One of a job.

        Raises:
            Problem: there is none.
        """
        statement = "SELECT * FROM correction WHERE job=? AND number=?"
        row = self._database.row(statement, (job, number))
        if row is None:
            raise not_found("correction")
        return _correction(row)

    def current(self, job: str, case: EditableCase) -> CurrentMask:
        """The newest mask of a case."""
        standing = [
            one for one in self.listing(job) if one.case == case.case and one.withdrawn is None
        ]
        if not standing:
            path = self._folder.editable(job, case.case) / f"{MASK_LAYER}{ENDING}"
            return CurrentMask(0, case.sha256, path)
        return CurrentMask(standing[-1].number, standing[-1].sha256, self.mask(standing[-1]))

    def mask(self, one: Correction) -> Path:
        """The mask file of a correction."""
        return self._folder.corrections(one.job) / str(one.number) / f"{one.stem}_mask{ENDING}"

    def files(self, job: str) -> tuple[tuple[Correction, Path], ...]:
        """The files of all that are not withdrawn."""
        return tuple(
            (one, path)
            for one in self.listing(job)
            if one.withdrawn is None
            for path in sorted((self._folder.corrections(job) / str(one.number)).glob("[!.]*"))
        )

    def check_base(self, job: Job, case: EditableCase, base: str) -> CurrentMask:
        """The mask that a correction is to be drawn on, if it is still the newest.

        Raises:
            Problem: it is not; the job has too many corrections.
        """
        if len(self.listing(job.id)) >= self._limits.corrections:
            raise Problem(409, f"the job has {self._limits.corrections} corrections already")
        current = self.current(job.id, case)
        if current.sha256 != base:
            text = f"drawn on another mask than the newest one, which is {current.sha256}"
            raise Problem(409, f"{text}: load that, and correct it again")
        return current

    def add(
        self, access: Access, job: Job, case: EditableCase, base: str, drawn: Path
    ) -> Correction:
        """Has a mask checked, and keeps it as a correction.

        Args:
            access: of the author; job, case: that it is of.
            base: SHA-256 of the mask that it was drawn on.
            drawn: the mask as it came, which is left as it is.

        Raises:
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
                result = self._checked({key: str(value) for key, value in spec.items()})
                key = (job.id, number, case.case, access.owner)
                return self._insert(key, base, result)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise

    def approve(self, access: Access, one: Correction) -> Correction:
        """Records that a second reader agrees.

        Raises:
            Problem: the author, one that is withdrawn or approved already.
        """
        if one.author == access.owner:
            raise Problem(403, "a second reader approves it, not its author")
        moment = now()
        self._set(
            one,
            "approver=?, approved=?",
            (access.owner, moment),
            "approved IS NULL AND withdrawn IS NULL",
            "the correction is withdrawn or approved already",
        )
        return self._written(one)

    def unapprove(self, access: Access, one: Correction) -> Correction:
        """Takes an approval back.

        Raises:
            Problem: it is not this reader's.
        """
        if one.approver is not None and one.approver != access.owner:
            raise Problem(403, "only the reader who approved it takes that back")
        what = "the correction is not approved"
        self._set(one, "approver=NULL, approved=NULL", (), "approved IS NOT NULL", what)
        return self._written(one)

    def withdraw(self, access: Access, one: Correction) -> Correction:
        """Ends a correction: it is neither the newest mask nor offered nor exported any longer.

        Raises:
            Problem: somebody else's, or withdrawn already.
        """
        if not access.commands(one.author):
            raise Problem(403, "only its author withdraws a correction")
        what = "the correction is withdrawn already"
        self._set(
            one,
            "withdrawn=?, approver=NULL, approved=NULL",
            (now(),),
            "withdrawn IS NULL",
            what,
        )
        return self._written(one)

    def approved(self) -> Iterator[tuple[Correction, Path, Path]]:
        """The newest approved correction of each case, its mask, and the case's folder."""
        statement = (
            "SELECT * FROM correction WHERE approved IS NOT NULL AND withdrawn IS NULL "
            "ORDER BY job, case_id, number"
        )
        newest = {
            (row["job"], row["case_id"]): _correction(row) for row in self._database.rows(statement)
        }
        for one in sorted(newest.values(), key=lambda one: (one.created, one.job, one.case)):
            yield one, self.mask(one), self._folder.editable(one.job, one.case)

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

    def _checked(self, spec: Mapping[str, str]) -> Mapping[str, Any]:
        """What a worker says of a mask, whose files stand in their place then."""
        drawn, place = Path(spec["drawn"]), Path(spec["out"])
        task = Task(drawn.name, drawn.with_name(f"{drawn.name}-{_DRAWN}"))
        with writing(place):
            place.mkdir(parents=True, mode=0o700)
            task.folder.mkdir(mode=0o700)
        try:
            answer = self._supervisor.run(task, TaskFile(kind="correct", spec=dict(spec)))
        finally:
            shutil.rmtree(task.folder, ignore_errors=True)
        if answer.end != "done":
            raise Problem(422, answer.text.replace(spec["drawn"], "the mask"))
        return answer.result

    def _insert(
        self, key: tuple[str, int, str, str], base: str, result: Mapping[str, Any]
    ) -> Correction:
        """Makes it known; ``key`` is job, number, case and author."""
        job, number, moment = key[0], key[1], now()
        facts = (json.dumps(result["changes"]), json.dumps(result["notes"]))
        with self._database.change() as change:
            still = change.execute("SELECT 1 FROM job WHERE id=? AND state='done'", (job,))
            if still.fetchone() is None:
                raise not_found("job")
            change.execute(
                "INSERT INTO correction(job, number, case_id, author, created, base, sha256, "
                "changes, notes) VALUES (?,?,?,?,?,?,?,?,?)",
                (*key, moment, base, result["sha256"], *facts),
            )
        self._queue.keep(job, moment + self._limits.correction_days * DAY_S)
        return self._written(self.get(job, number))

    def _set(
        self, one: Correction, values: str, filled: tuple[Any, ...], where: str, otherwise: str
    ) -> None:
        """Changes a correction for which ``where`` holds; Problem with ``otherwise`` if none is."""
        statement = f"UPDATE correction SET {values} WHERE job=? AND number=? AND {where}"  # noqa: S608
        with self._database.change() as change:
            if not change.execute(statement, (*filled, one.job, one.number)).rowcount:
                raise Problem(409, otherwise)

    def _written(self, one: Correction) -> Correction:
        """The correction as it is now, which is written beside its mask as well."""
        found = self.get(one.job, one.number)
        path = self._folder.corrections(one.job) / str(one.number) / f"{one.stem}.json"
        keys = {**asdict(found), "notice": _NOTICE}
        for name in ("created", "approved", "withdrawn"):
            moment = keys[name]
            keys[name] = None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()
        if path.parent.is_dir():
            write_text(path, json.dumps(keys, indent=1) + "\n")
        return found


def _correction(row: sqlite3.Row) -> Correction:
    keys = ("job", "number", "author", "created", "base", "sha256")
    more = ("approver", "approved", "withdrawn")
    return Correction(
        **{key: row[key] for key in (*keys, *more)},
        case=row["case_id"],
        changes=json.loads(row["changes"]),
        notes=tuple(json.loads(row["notes"])),
    )
