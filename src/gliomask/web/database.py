"""SQLite database of the server: tokens, uploads, jobs, corrections, audit log.

The server and the token commands write to it; access from threads of a process is serialised.
Committed data survives a crash of the process or the machine.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from gliomask.errors import MachineError

_FIRST_TABLES: Final = """
CREATE TABLE token (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, scopes TEXT NOT NULL,
    created REAL NOT NULL, expires REAL NOT NULL, used REAL, revoked REAL
) STRICT;
CREATE TABLE upload (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, created REAL NOT NULL, expires REAL NOT NULL
) STRICT;
CREATE TABLE upload_file (
    upload TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE, number INTEGER NOT NULL,
    name TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, stored TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) STRICT;
CREATE TABLE job (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
    kind TEXT NOT NULL, state TEXT NOT NULL, upload TEXT NOT NULL, spec TEXT NOT NULL,
    idempotency TEXT, request TEXT,
    attempt INTEGER NOT NULL DEFAULT 0, cancel INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL, started REAL, ended REAL, expires REAL,
    result TEXT, error_code TEXT, error_text TEXT,
    UNIQUE (owner, idempotency)
) STRICT;
CREATE INDEX job_state ON job(state, kind, seq);
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, actor TEXT NOT NULL,
    action TEXT NOT NULL, object TEXT NOT NULL, outcome TEXT NOT NULL,
    previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
"""
_IMAGES_OF_CLIENTS: Final = """
CREATE TABLE client_image (
    owner TEXT NOT NULL, name TEXT NOT NULL, suffix TEXT NOT NULL, created REAL NOT NULL,
    upload TEXT NOT NULL UNIQUE REFERENCES upload(id) ON DELETE CASCADE,
    session INTEGER NOT NULL, job TEXT,
    PRIMARY KEY (owner, name)
) STRICT;
CREATE TABLE client_label (
    upload TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE, tag TEXT NOT NULL,
    number INTEGER NOT NULL, suffix TEXT NOT NULL, info TEXT NOT NULL, created REAL NOT NULL,
    PRIMARY KEY (upload, tag)
) STRICT;
"""
_CORRECTIONS: Final = """
CREATE TABLE correction (
    job TEXT NOT NULL REFERENCES job(id) ON DELETE CASCADE, number INTEGER NOT NULL,
    case_id TEXT NOT NULL, author TEXT NOT NULL, created REAL NOT NULL,
    base TEXT NOT NULL, sha256 TEXT NOT NULL, changes TEXT NOT NULL, notes TEXT NOT NULL,
    approver TEXT, approved REAL, withdrawn REAL,
    PRIMARY KEY (job, number)
) STRICT;
"""
_SERIES_OF_CLIENTS: Final = """
CREATE TABLE client_series (
    upload TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE, series TEXT NOT NULL,
    sequence TEXT,
    PRIMARY KEY (upload, series)
) STRICT;
ALTER TABLE client_image ADD COLUMN audited INTEGER NOT NULL DEFAULT 0;
"""
_CORRECTIONS_OF_CLIENTS: Final = """
ALTER TABLE client_label ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE client_label ADD COLUMN correction TEXT;
UPDATE client_label SET author=
    (SELECT owner FROM client_image WHERE client_image.upload=client_label.upload);
CREATE TABLE client_base (
    upload TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE, owner TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (upload, owner)
) STRICT;
"""
_PRINTED_TOKENS: Final = """
ALTER TABLE token ADD COLUMN printed INTEGER NOT NULL DEFAULT 0;
UPDATE token SET printed=1 WHERE owner='start';
"""
_KILLED_SERVERS: Final = """
ALTER TABLE job ADD COLUMN kills INTEGER NOT NULL DEFAULT 0;
"""
_MIGRATIONS: Final = (
    _FIRST_TABLES,
    _IMAGES_OF_CLIENTS,
    _CORRECTIONS,
    _SERIES_OF_CLIENTS,
    _CORRECTIONS_OF_CLIENTS,
    _PRINTED_TOKENS,
    _KILLED_SERVERS,
)
"""Migration scripts from each version of the schema to the next."""
VERSION: Final = len(_MIGRATIONS)
_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=10000",
    "foreign_keys=ON",
    "secure_delete=ON",
)


class Database:
    """The open file; every method may be called from any thread.

    Args:
        path: of the file, which is made if it is missing.

    Raises:
        MachineError: it can't be opened, is damaged, or is of a newer gliomask.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            for pragma in _PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
            self._make_tables()
        except sqlite3.Error as problem:
            raise MachineError(f"can't be used as a database: {problem}", path=path) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Transaction: all statements take effect, or none.

        Raises:
            MachineError: the disk is full or fails; nothing was changed.
        """
        with self._lock, self._reported():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have ended it
                    self._connection.execute("ROLLBACK")
                raise

    def wipe(self) -> None:
        """Remove deleted data from the file and its log.

        On a full disk the next call does it: deleted rows stay deleted.
        """
        with self._lock, suppress(MachineError), self._reported():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Rows of a query.

        Raises:
            MachineError: the disk.
        """
        with self._lock, self._reported():
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """First row of a query, or None."""
        matches = self.rows(statement, values)
        return matches[0] if matches else None

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turns what the disk does to the file into one of our errors."""
        try:
            yield
        except sqlite3.OperationalError as problem:
            raise MachineError(f"can't be used at present: {problem}", path=self.path) from problem

    def _make_tables(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            hint = "use that gliomask, or another data folder"
            raise MachineError("written by a newer gliomask", path=self.path, hint=hint)
        for number, script in enumerate(_MIGRATIONS[version:], version + 1):
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {script} PRAGMA user_version={number}; COMMIT;"
            )


def open_database(data: Path) -> Database:
    """The records in a data folder; both are made for their owner only if they are missing."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = data / "serve.sqlite"
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as problem:
        raise MachineError(f"can't be used: {problem.strerror}", path=data) from None
    return Database(path)


def now() -> float:
    """Seconds since 1970, for display and expiry only, never for sorting."""
    return time.time()
