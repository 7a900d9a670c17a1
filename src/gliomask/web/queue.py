"""Persistent first-in, first-out queue of jobs.

    queued --begin--> running --end--> done | failed | cancelled --expire--> expired
       ^-- put_back, lost, recover --'

An accepted job is stored on the disk; it always reaches one of the final states, also after
crashes.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from gliomask.config.serve import Limits
from gliomask.web.database import Database, now
from gliomask.web.problems import Problem, not_found
from gliomask.web.tokens import Access

Kind = Literal["predict", "inspect"]
State = Literal["queued", "running", "done", "failed", "cancelled", "expired"]
ENDED: Final[tuple[State, ...]] = ("done", "failed", "cancelled", "expired")
_HOUR_S: Final = 3600.0
_KILLS: Final = 10
"""Number of servers that may be killed during a job before it fails."""
_PLACE: Final = "SELECT count(*) FROM job WHERE state='queued' AND kind=? AND seq < ?"

_LIST_BYTES: Final = 4 * 2**20
"""Of the results in a list of jobs."""
_LISTED: Final = (
    "seq, id, owner, kind, state, upload, spec, attempt, cancel, created, started, ended, expires, "
    "error_code, error_text, coalesce(length(result), 0) AS size"
)


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        id, owner, kind, state, upload: as in the API.
        spec: the request, as JSON values.
        attempt: number of starts by workers, except those ended by the server itself.
        cancel: whether it is to end.
        place: number of jobs before it; None unless it is queued.
        created, started, ended, expires: seconds since 1970.
        result: once it is done, see ``web.worker``.
        error_code, error_text: once it has failed.
    """

    id: str
    owner: str
    kind: Kind
    state: State
    upload: str
    spec: Mapping[str, Any]
    attempt: int
    cancel: bool
    place: int | None
    created: float
    started: float | None
    ended: float | None
    expires: float | None
    result: Mapping[str, Any] | None
    error_code: str | None
    error_text: str | None


class Queue:
    """Jobs of a server.

    Args:
        database: database of the jobs.
        limits: for them.
    """

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database, self._limits = database, limits

    def find(self, access: Access, idempotency: tuple[str, str]) -> Job | None:
        """Existing job of an idempotency key.

        Args:
            access: token of the owner.
            idempotency: a key of the owner's, and the hash of the request.

        Raises:
            Problem: the key was used for another request.
        """
        key, request = idempotency
        statement = "SELECT * FROM job WHERE owner=? AND idempotency=?"
        row = self._database.row(statement, (access.owner, key))
        if row is None:
            return None
        if row["request"] != request:
            raise Problem(409, "this Idempotency-Key was used for another request")
        return self._job(row, row["result"])

    def add(
        self,
        access: Access,
        kind: Kind,
        upload: str,
        spec: Mapping[str, Any],
        idempotency: tuple[str, str] | None = None,
    ) -> tuple[Job, bool]:
        """Accept a job, unless its key was used.

        Args:
            access: token of the owner;
            kind, upload, spec: see ``Job``.
            idempotency: see ``find``.

        Returns:
            The new job, or the one that the key was used for; and whether it is new.

        Raises:
            Problem: too many wait already; the upload has gone meanwhile; see ``find``.
        """
        key, request = idempotency or (None, None)
        job = secrets.token_hex(16)
        with self._database.change() as change:
            if idempotency is not None and (earlier := self.find(access, idempotency)):
                return earlier, False
            self._check_room(change, access.owner)
            if change.execute("SELECT 1 FROM upload WHERE id=?", (upload,)).fetchone() is None:
                raise not_found("upload")
            change.execute(
                "INSERT INTO job"
                "(id, owner, kind, state, upload, spec, idempotency, request, created) "
                "VALUES (?,?,?,'queued',?,?,?,?,?)",
                (job, access.owner, kind, upload, json.dumps(spec), key, request, now()),
            )
        return self.get(access, job), True

    def _check_room(self, change: sqlite3.Connection, owner: str) -> None:
        count = "SELECT count(*) FROM job WHERE state IN ('queued', 'running')"
        limits = self._limits
        if change.execute(count).fetchone()[0] >= limits.queued_jobs:
            raise Problem(503, f"{limits.queued_jobs} jobs are queued already", retry_s=60)
        own = change.execute(f"{count} AND owner=?", (owner,)).fetchone()[0]
        if own >= limits.queued_jobs_per_owner:
            raise Problem(429, f"{own} of your jobs are queued already", retry_s=60)

    def get(self, access: Access, job: str) -> Job:
        """Find a job that the client may see.

        Raises:
            Problem: there is none.
        """
        row = self._database.row("SELECT * FROM job WHERE id=?", (job,))
        if row is None or not access.may_view(row["owner"]):
            raise not_found("job")
        return self._job(row, row["result"])

    def own(self, access: Access, job: str) -> Job:
        """Find a job that the client may cancel and delete.

        Raises:
            Problem: there is none, or this token may only view it.
        """
        current = self.get(access, job)
        if not access.may_change(current.owner):
            raise Problem(403, "the job belongs to another user")
        return current

    def keep(self, job: str, until: float) -> None:
        """Extend the expiry of a job's result."""
        with self._database.change() as change:
            change.execute("UPDATE job SET expires=max(expires, ?) WHERE id=?", (until, job))

    def find_state(self, job: str) -> State | None:
        """State of a job; None if it does not exist."""
        row = self._database.row("SELECT state FROM job WHERE id=?", (job,))
        return None if row is None else row["state"]

    def jobs(self, access: Access, limit: int, before: str | None = None) -> list[Job]:
        """Jobs of this owner (of all, for ``admin`` and ``review``), the newest first.

        Results that are too large together are left out, the oldest ones: an audit of 20,000 files
        takes megabytes, and lists are requested often.

        Args:
            access: token of the owner;
            limit: at most so many;
            before: only jobs older than this one.
        """
        where, values = "1", []
        if not access.may_view_all:
            where, values = "owner=?", [access.owner]
        if before is not None:
            where += " AND seq < (SELECT seq FROM job WHERE id=?)"
            values.append(before)
        statement = f"SELECT {_LISTED} FROM job WHERE {where} ORDER BY seq DESC LIMIT ?"  # noqa: S608
        rows, room, jobs = self._database.rows(statement, (*values, limit)), _LIST_BYTES, []
        for row in rows:
            room -= row["size"]
            jobs.append(self._job(row, self._result(row["id"]) if room >= 0 else None))
        return jobs

    def _result(self, job: str) -> str | None:
        row = self._database.row("SELECT result FROM job WHERE id=?", (job,))
        return None if row is None else row["result"]

    def next(self, kind: Kind) -> Job | None:
        """Start the next queued job and return it; None if the queue is empty."""
        statement = "SELECT * FROM job WHERE state='queued' AND kind=? ORDER BY seq LIMIT 1"
        if self._database.row(statement, (kind,)) is None:
            return None
        with self._database.change() as change:
            row = change.execute(statement, (kind,)).fetchone()
            if row is None:
                return None
            begin = "UPDATE job SET state='running', started=?, attempt=attempt+1 WHERE id=?"
            change.execute(begin, (now(), row["id"]))
            row = change.execute("SELECT * FROM job WHERE id=?", (row["id"],)).fetchone()
        return self._job(row, row["result"])

    def cancel(self, job: str) -> State:
        """Cancel a queued job, or request the end of a running one; returns its state."""
        with self._database.change() as change:
            if change.execute(
                "UPDATE job SET state='cancelled', cancel=1, ended=?, expires=? "
                "WHERE id=? AND state='queued'",
                (now(), self._expiry(), job),
            ).rowcount:
                return "cancelled"
            change.execute("UPDATE job SET cancel=1 WHERE id=? AND state='running'", (job,))
            row = change.execute("SELECT state FROM job WHERE id=?", (job,)).fetchone()
        state: State = row["state"]
        return state

    def to_cancel(self) -> list[str]:
        """Ids of running jobs with a cancellation request."""
        statement = "SELECT id FROM job WHERE state='running' AND cancel=1"
        return [row["id"] for row in self._database.rows(statement)]

    def done(self, job: str, result: Mapping[str, Any]) -> None:
        """Finish a running job with its result."""
        self._end(job, "done", result=json.dumps(result))

    def failed(self, job: str, code: str, text: str) -> None:
        """Finish a running job with an error."""
        self._end(job, "failed", code=code, text=text)

    def cancelled(self, job: str) -> None:
        """Finish a running job as cancelled."""
        self._end(job, "cancelled")

    def lost(self, job: str, reason: str) -> State:
        """Requeue a job after a crash of its worker, or fail it after too many; returns its
        state."""
        row = self._database.row("SELECT attempt FROM job WHERE id=?", (job,))
        tries = 0 if row is None else row["attempt"]
        if tries >= self._limits.tries:
            self.failed(job, "worker", f"failed after {tries} attempts: its worker {reason}")
            return "failed"
        self._put_back(job, attempts=0)
        return "queued"

    def put_back(self, job: str) -> None:
        """Requeue a job that was interrupted by the server."""
        self._put_back(job, attempts=1)

    def recover(self, *, killed: bool = True) -> int:
        """Requeue all running jobs when their workers are gone; returns their number.

        Args:
            killed: the last server was killed while it ran them, perhaps by one of them.
        """
        with self._database.change() as change:
            count = change.execute(
                "UPDATE job SET state='queued', started=NULL, attempt=attempt-1, kills=kills+? "
                "WHERE state='running'",
                (killed,),
            ).rowcount
            change.execute(  # with an earlier cancellation request
                "UPDATE job SET state='cancelled', ended=?, expires=? "
                "WHERE state='queued' AND cancel=1",
                (now(), self._expiry()),
            )
        return count

    def give_up(self) -> list[str]:
        """Fail the queued jobs during which too many servers were killed; returns their ids."""
        with self._database.change() as change:
            rows = change.execute(
                "UPDATE job SET state='failed', ended=?, expires=?, error_code='worker', "
                "error_text='failed: the server was killed ' || kills || "
                "' times while processing this job' "
                "WHERE state='queued' AND kills > ? RETURNING id",
                (now(), self._expiry(), _KILLS),
            ).fetchall()
        return [row["id"] for row in rows]

    def expire(self) -> list[str]:
        """Mark jobs with expired results; returns their ids."""
        statement = (
            "SELECT id FROM job WHERE expires < ? AND state IN ('done','failed','cancelled')"
        )
        return [self.forget(row["id"]) for row in self._database.rows(statement, (now(),))]

    def forget(self, job: str) -> str:
        """Mark an ended job as expired, and delete names and texts in it."""
        with self._database.change() as change:
            change.execute(
                "UPDATE job SET state='expired', result=NULL, error_text=NULL, spec='{}' "
                "WHERE id=? AND state IN ('done','failed','cancelled')",
                (job,),
            )
            change.execute("DELETE FROM correction WHERE job=?", (job,))
        self._database.wipe()
        return job

    def counts(self) -> dict[str, int]:
        """State -> number of jobs."""
        rows = self._database.rows("SELECT state, count(*) AS n FROM job GROUP BY state")
        return {row["state"]: row["n"] for row in rows}

    def _put_back(self, job: str, attempts: int) -> None:
        with self._database.change() as change:
            change.execute(
                "UPDATE job SET state='queued', started=NULL, attempt=attempt-? "
                "WHERE state='running' AND id=?",
                (attempts, job),
            )

    def _end(
        self,
        job: str,
        state: State,
        *,
        result: str | None = None,
        code: str | None = None,
        text: str | None = None,
    ) -> None:
        with self._database.change() as change:
            change.execute(
                "UPDATE job SET state=?, ended=?, expires=?, result=?, error_code=?, error_text=? "
                "WHERE id=? AND state='running'",
                (state, now(), self._expiry(), result, code, text, job),
            )

    def _expiry(self) -> float:
        return now() + self._limits.result_hours * _HOUR_S

    def _job(self, row: sqlite3.Row, result: str | None) -> Job:
        place = None
        if row["state"] == "queued":
            before = self._database.row(_PLACE, (row["kind"], row["seq"]))
            place = 0 if before is None else int(before[0])
        keys = ("id", "owner", "kind", "state", "upload", "attempt", "created", "started", "ended")
        return Job(
            **{key: row[key] for key in (*keys, "expires", "error_code", "error_text")},
            spec=json.loads(row["spec"]),
            cancel=bool(row["cancel"]),
            place=place,
            result=None if result is None else json.loads(result),
        )
