"""The audit log: who did what to which job, without names of files or people.

Each entry holds the hash of the one before it, so an entry that is changed or taken out of the
middle shows.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import Final

from gliomask.web.database import Database, now

_Values = tuple[float, str, str, str, str]
_FIRST: Final = "0" * 64


@dataclass(frozen=True)
class Entry:
    """An entry of the log.

    Attributes:
        number: of it, from 1; at: seconds since 1970.
        actor: owner of the token, ``server`` for what it does by itself.
        action: e.g. ``job.create``; object: the id of what it was done to; outcome: in a word.
    """

    number: int
    at: float
    actor: str
    action: str
    object: str
    outcome: str


class Audit:
    """The log.

    Args:
        database: that keeps it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, actor: str, action: str, subject: str, outcome: str = "ok") -> None:
        """Adds an entry; ``subject`` is an id that the server made."""
        values = (now(), actor, action, subject, outcome)
        with self._database.change() as change:
            last = change.execute("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
            previous = _FIRST if last is None else last["hash"]
            change.execute(
                "INSERT INTO audit(at, actor, action, object, outcome, previous, hash) "
                "VALUES (?,?,?,?,?,?,?)",
                (*values, previous, _hash(previous, values)),
            )

    def entries(self) -> list[Entry]:
        """All of them, the oldest first."""
        return [_entry(row) for row in self._database.rows("SELECT * FROM audit ORDER BY seq")]

    def broken_at(self) -> int | None:
        """The number of the first entry that isn't what was written; None if all are."""
        previous: str | None = None
        for row in self._database.rows("SELECT * FROM audit ORDER BY seq"):
            changed = row["hash"] != _hash(row["previous"], _values(row))
            if changed or previous not in (None, row["previous"]):
                return int(row["seq"])
            previous = row["hash"]
        return None

    def forget(self, before: float) -> None:
        """Deletes entries that are older; the chain begins with the oldest that is left."""
        with self._database.change() as change:
            change.execute("DELETE FROM audit WHERE at < ?", (before,))


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(row["seq"], *_values(row))


def _values(row: sqlite3.Row) -> _Values:
    return row["at"], row["actor"], row["action"], row["object"], row["outcome"]


def _hash(previous: str, values: _Values) -> str:
    return hashlib.sha256(json.dumps([previous, *values]).encode()).hexdigest()
