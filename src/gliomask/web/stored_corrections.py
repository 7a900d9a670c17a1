"""Stored corrections: author, approval, and files.

    drawn --approve--> approved --unapprove--> drawn        drawn, approved --withdraw--> withdrawn

Withdrawn corrections stay in the list, but are not used. Numbers are unique.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gliomask.core.atomic import write_text
from gliomask.formats.correction_record import CorrectionRecord
from gliomask.formats.editable_case import ENDING, MASK_LAYER, EditableCase
from gliomask.web.database import Database, now
from gliomask.web.folder import DataFolder
from gliomask.web.problems import Problem, not_found
from gliomask.web.tokens import Access


@dataclass(frozen=True)
class Correction:
    """A correction.

    Attributes:
        job, number: its job, and its number there.
        case: case of the mask.
        author: owner of the token that it was sent with.
        created: seconds since 1970.
        base: SHA-256 of the mask that it was drawn on.
        sha256: SHA-256 of its mask.
        changes: region -> its changes, see ``results.correction.corrected``.
        notes: notes for users.
        approver, approved: who approved it, and when; None if not approved.
        withdrawn: when it was withdrawn; None if it was not.
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
        """Base name of its files."""
        return f"{self.case}_correction-{self.number}"


@dataclass(frozen=True)
class CurrentMask:
    """The newest mask of a case.

    Attributes:
        number: number of the correction; 0 for the network's mask.
        sha256: SHA-256 of the file.
        path: path of the file.
    """

    number: int
    sha256: str
    path: Path


class StoredCorrections:
    """The corrections in a data folder.

    Args:
        database, folder: storage of the corrections.
    """

    def __init__(self, database: Database, folder: DataFolder) -> None:
        self._database, self._folder = database, folder

    def listing(self, job: str) -> tuple[Correction, ...]:
        """Corrections of a job, oldest first."""
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
            correction
            for correction in self.listing(job)
            if correction.case == case.case and correction.withdrawn is None
        ]
        if not standing:
            path = self._folder.editable(job, case.case) / f"{MASK_LAYER}{ENDING}"
            return CurrentMask(0, case.sha256, path)
        return CurrentMask(standing[-1].number, standing[-1].sha256, self.mask(standing[-1]))

    def mask(self, correction: Correction) -> Path:
        """The mask file of a correction."""
        return (
            self._folder.corrections(correction.job)
            / str(correction.number)
            / f"{correction.stem}_mask{ENDING}"
        )

    def files(self, job: str) -> tuple[tuple[Correction, Path], ...]:
        """Files of all corrections that are not withdrawn."""
        return tuple(
            (correction, path)
            for correction in self.listing(job)
            if correction.withdrawn is None
            for path in sorted(
                (self._folder.corrections(job) / str(correction.number)).glob("[!.]*")
            )
        )

    def approve(self, access: Access, correction: Correction) -> Correction:
        """Record the approval by a second reader.

        Raises:
            Problem: the author, one that is withdrawn or approved already.
        """
        if correction.author == access.owner:
            raise Problem(403, "a second reader must approve it, not its author")
        moment = now()
        self._set(
            correction,
            "approver=?, approved=?",
            (access.owner, moment),
            "approved IS NULL AND withdrawn IS NULL",
            "the correction is withdrawn or approved already",
        )
        return self._written(correction)

    def unapprove(self, access: Access, correction: Correction) -> Correction:
        """Withdraw an approval.

        Raises:
            Problem: it was approved by another reader.
        """
        if correction.approver is not None and correction.approver != access.owner:
            raise Problem(403, "only the reader who approved it can undo that")
        what = "the correction is not approved"
        self._set(correction, "approver=NULL, approved=NULL", (), "approved IS NOT NULL", what)
        return self._written(correction)

    def withdraw(self, access: Access, correction: Correction) -> Correction:
        """Withdraw a correction: it is no longer the newest mask, nor listed for download or
        export.

        Raises:
            Problem: another user's, or withdrawn already.
        """
        if not access.may_change(correction.author):
            raise Problem(403, "only its author can withdraw a correction")
        what = "the correction is withdrawn already"
        self._set(
            correction,
            "withdrawn=?, approver=NULL, approved=NULL",
            (now(),),
            "withdrawn IS NULL",
            what,
        )
        return self._written(correction)

    def newest_approved(self, job: str, case: str) -> Correction | None:
        """The newest approved correction of a case of a job, if there is one."""
        standing = [
            correction
            for correction in self.listing(job)
            if correction.case == case and correction.approver and correction.withdrawn is None
        ]
        return standing[-1] if standing else None

    def approved(self) -> Iterator[tuple[Correction, Path, Path]]:
        """The newest approved correction of each case, its mask, and the case's folder."""
        statement = (
            "SELECT * FROM correction WHERE approved IS NOT NULL AND withdrawn IS NULL "
            "ORDER BY job, case_id, number"
        )
        newest = {
            (row["job"], row["case_id"]): _correction(row) for row in self._database.rows(statement)
        }
        for correction in sorted(
            newest.values(),
            key=lambda correction: (correction.created, correction.job, correction.case),
        ):
            yield (
                correction,
                self.mask(correction),
                self._folder.editable(correction.job, correction.case),
            )

    def _set(
        self,
        correction: Correction,
        values: str,
        filled: tuple[Any, ...],
        where: str,
        otherwise: str,
    ) -> None:
        """Update a correction that fulfils ``where``; otherwise raise Problem with
        ``otherwise``."""
        statement = f"UPDATE correction SET {values} WHERE job=? AND number=? AND {where}"  # noqa: S608
        with self._database.change() as change:
            if not change.execute(statement, (*filled, correction.job, correction.number)).rowcount:
                raise Problem(409, otherwise)

    def repair(self) -> None:
        """Writes the records that a server which was killed had no time for."""
        for row in self._database.rows("SELECT * FROM correction"):
            self._write_record(_correction(row))

    def _written(self, correction: Correction) -> Correction:
        """Current record of the correction, which is also written next to its mask."""
        stored = self.get(correction.job, correction.number)
        self._write_record(stored)
        return stored

    def _write_record(self, correction: Correction) -> None:
        """Write the record of a correction next to its mask, unless it exists."""
        path = self.mask(correction).with_name(f"{correction.stem}.json")
        record = CorrectionRecord.model_validate(asdict(correction))
        text = record.model_dump_json(indent=1) + "\n"
        written = path.read_text(encoding="utf-8") if path.is_file() else None
        if path.parent.is_dir() and written != text:
            write_text(path, text)


def _correction(row: sqlite3.Row) -> Correction:
    keys = ("job", "number", "author", "created", "base", "sha256")
    more = ("approver", "approved", "withdrawn")
    return Correction(
        **{key: row[key] for key in (*keys, *more)},
        case=row["case_id"],
        changes=json.loads(row["changes"]),
        notes=tuple(json.loads(row["notes"])),
    )
