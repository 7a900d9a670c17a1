"""Uploaded files, stored under random names; the client's file names are only data."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gliomask.config.serve import Limits
from gliomask.core.atomic import writing
from gliomask.errors import FormatError
from gliomask.formats.archive_rules import check_name, check_tree
from gliomask.web.database import Database, now
from gliomask.web.folder import DataFolder, link_or_copy
from gliomask.web.incoming import Incoming, disk_full, too_large
from gliomask.web.problems import Problem, not_found
from gliomask.web.tokens import Access
from gliomask.web.turns import Turns

_HOUR_S: Final = 3600.0
_ACTIVE: Final = "SELECT 1 FROM job WHERE upload=? AND state IN ('queued', 'running')"
_OPEN: Final = (
    "SELECT count(*) FROM upload WHERE owner=? AND id NOT IN (SELECT upload FROM client_image)"
)


@dataclass(frozen=True)
class UploadedFile:
    """A file of an upload.

    Attributes:
        number: number given by the client.
        name: name on the client, with ``/`` for folders.
        size: in bytes.
        sha256: of its content.
        stored: its random name in the upload's folder.
    """

    number: int
    name: str
    size: int
    sha256: str
    stored: str


@dataclass(frozen=True)
class Upload:
    """An upload.

    Attributes:
        id: id of the upload.
        owner: its owner.
        expires: seconds since 1970.
        files: in order of numbers.
    """

    id: str
    owner: str
    expires: float
    files: tuple[UploadedFile, ...]


class Uploads:
    """The uploads of a server.

    Args:
        database: database of the uploads.
        folder: folder of the files.
        limits: for them.

    Attributes:
        turns: in which files are received.
    """

    def __init__(self, database: Database, folder: DataFolder, limits: Limits) -> None:
        self._database, self._folder, self._limits = database, folder, limits
        self.turns = Turns()

    def create(self, access: Access) -> Upload:
        """An empty upload.

        Raises:
            Problem: the owner has too many.
        """
        upload, moment = secrets.token_hex(16), now()
        with self._database.change() as change:
            if change.execute(_OPEN, (access.owner,)).fetchone()[0] >= self._limits.open_uploads:
                text = f"{self._limits.open_uploads} uploads are open: use or delete one of them"
                raise Problem(429, text, retry_s=60)
            expires = moment + self._limits.upload_hours * _HOUR_S
            values = (upload, access.owner, moment, expires)
            change.execute("INSERT INTO upload VALUES (?,?,?,?)", values)
        with writing(self._folder.uploads):
            self._folder.upload(upload).mkdir(mode=0o700)
        return Upload(upload, access.owner, expires, ())

    def get(self, access: Access, upload: str) -> Upload:
        """Find an upload of this owner.

        Raises:
            Problem: there is none.
        """
        row = self._database.row("SELECT * FROM upload WHERE id=?", (upload,))
        if row is None or not access.may_change(row["owner"]):
            raise not_found("upload")
        statement = "SELECT * FROM upload_file WHERE upload=? ORDER BY number"
        files = tuple(
            UploadedFile(
                stored_row["number"],
                stored_row["name"],
                stored_row["size"],
                stored_row["sha256"],
                stored_row["stored"],
            )
            for stored_row in self._database.rows(statement, (upload,))
        )
        return Upload(upload, row["owner"], row["expires"], files)

    def begin(self, upload: str, name: str, declared: int | None) -> Incoming:
        """Start the reception of a file.

        Args:
            upload: its upload, see ``get``.
            name: name on the client.
            declared: its length, if the client states it.

        Raises:
            Problem: the name, the length or the disk; a job is using the upload.
        """
        checked_name(name)
        if self._database.row(_ACTIVE, (upload,)):
            raise Problem(409, "a job is using this upload: wait for it or cancel it")
        if declared is not None and declared > self._limits.file_bytes:
            raise too_large(self._limits.file_bytes, "file")
        if not self._folder.has_room(self._limits, declared or 0):
            raise disk_full()
        return Incoming(self._folder.upload(upload), self._limits.file_bytes, self._has_room)

    def _has_room(self) -> bool:
        return self._folder.has_room(self._limits)

    def finish(self, upload: str, number: int, name: str, incoming: Incoming) -> UploadedFile:
        """Add a received file to the upload, replacing an earlier one of its number.

        Raises:
            Problem: the upload is gone, used by a job, or has too many files or bytes.
        """
        file = UploadedFile(number, name, *incoming.close(), incoming.path.name)
        self._add(upload, file)
        return file

    def adopt(self, upload: str, number: int, source: tuple[Upload, UploadedFile]) -> None:
        """Add a file of another upload to this one; see ``finish``."""
        file = replace(source[1], number=number, stored=secrets.token_hex(16))
        place = self._folder.upload(upload) / file.stored
        try:
            with writing(self._folder.uploads):
                link_or_copy(self.path(*source), place)
            self._add(upload, file)
        except BaseException:
            place.unlink(missing_ok=True)
            raise

    def _add(self, upload: str, file: UploadedFile) -> None:
        limits, statement = self._limits, "SELECT count(*), total(size) FROM upload_file "
        with self._database.change() as change:
            if change.execute("SELECT 1 FROM upload WHERE id=?", (upload,)).fetchone() is None:
                raise not_found("upload")
            if change.execute(_ACTIVE, (upload,)).fetchone():
                raise Problem(409, "a job is using this upload: wait for it or cancel it")
            others = (upload, file.number)
            count, size = change.execute(
                f"{statement}WHERE upload=? AND number!=?", others
            ).fetchone()
            if count + 1 > limits.upload_files:
                raise Problem(413, f"more than {limits.upload_files} files")
            if size + file.size > limits.upload_bytes:
                raise too_large(limits.upload_bytes, "upload")
            old = change.execute(
                "SELECT stored FROM upload_file WHERE upload=? AND number=?", others
            ).fetchone()
            change.execute(
                "INSERT OR REPLACE INTO upload_file VALUES (?,?,?,?,?,?)",
                (upload, file.number, file.name, file.size, file.sha256, file.stored),
            )
            expires = now() + limits.upload_hours * _HOUR_S
            change.execute("UPDATE upload SET expires=? WHERE id=?", (expires, upload))
        if old is not None:
            (self._folder.upload(upload) / old["stored"]).unlink(missing_ok=True)

    def copy(self, access: Access, files: Sequence[tuple[Upload, UploadedFile]]) -> Upload:
        """Create an upload of files of other uploads, which may be deleted earlier.

        Args:
            access: whose it is;
            files: with the uploads that have them; numbered in this order.

        Raises:
            Problem: too many uploads, or bytes.
        """
        if sum(file.size for _, file in files) > self._limits.upload_bytes:
            raise too_large(self._limits.upload_bytes, "upload")
        copied, rows = self.create(access), []
        for number, (upload, file) in enumerate(files):
            stored = secrets.token_hex(16)
            with writing(self._folder.uploads):
                link_or_copy(self.path(upload, file), self._folder.upload(copied.id) / stored)
            rows.append((copied.id, number, file.name, file.size, file.sha256, stored))
        with self._database.change() as change:
            change.executemany("INSERT INTO upload_file VALUES (?,?,?,?,?,?)", rows)
        return self.get(access, copied.id)

    def keep(self, upload: str, hours: float) -> None:
        """Extend the expiry of an upload."""
        with self._database.change() as change:
            statement = "UPDATE upload SET expires=max(expires, ?) WHERE id=?"
            change.execute(statement, (now() + hours * _HOUR_S, upload))

    def remove_file(self, upload: str, number: int) -> None:
        """Deletes a file of an upload."""
        with self._database.change() as change:
            statement = "DELETE FROM upload_file WHERE upload=? AND number=? RETURNING stored"
            row = change.execute(statement, (upload, number)).fetchone()
        self._database.wipe()
        if row is not None:
            (self._folder.upload(upload) / row["stored"]).unlink(missing_ok=True)

    def path(self, upload: Upload, file: UploadedFile) -> Path:
        """Path of a file of an upload."""
        return self._folder.upload(upload.id) / file.stored

    def delete(self, upload: str) -> None:
        """Deletes an upload and its files.

        Raises:
            Problem: a job is using it.
        """
        if not self.delete_unused(upload):
            raise Problem(409, "a job is using this upload: wait for it or cancel it")

    def delete_unused(self, upload: str) -> bool:
        """Delete an upload and its files, unless a job is using it; returns whether it did."""
        with self._database.change() as change:
            if change.execute(_ACTIVE, (upload,)).fetchone():
                return False
            change.execute("DELETE FROM upload WHERE id=?", (upload,))
        self._database.wipe()
        shutil.rmtree(self._folder.upload(upload), ignore_errors=True)
        return True

    def expire(self) -> list[str]:
        """Delete expired uploads that no job is using; returns their ids."""
        moment = now()
        rows = self._database.rows("SELECT id FROM upload WHERE expires < ?", (moment,))
        expired = [row["id"] for row in rows if not self._is_in_use(row["id"], moment)]
        return [upload for upload in expired if self.delete_unused(upload)]

    def _is_in_use(self, upload: str, moment: float) -> bool:
        """Return True if a file that is still being received was written to recently."""
        since = moment - self._limits.upload_hours * _HOUR_S
        with suppress(OSError):  # of a file that has gone meanwhile
            return any(
                path.stat().st_mtime > since for path in self._folder.upload(upload).iterdir()
            )
        return False

    def sweep(self) -> None:
        """Remove files without an upload, left by a killed server."""
        rows = self._database.rows("SELECT upload, stored FROM upload_file")
        known = {(row["upload"], row["stored"]) for row in rows}
        uploads = {row["id"] for row in self._database.rows("SELECT id FROM upload")}
        for folder in self._folder.uploads.iterdir():
            if folder.name not in uploads:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            for path in folder.iterdir():
                if (folder.name, path.name) not in known:
                    path.unlink(missing_ok=True)
        for upload in uploads:
            self._folder.upload(upload).mkdir(mode=0o700, exist_ok=True)


def checked_name(name: str) -> str:
    """Check the file name of the client.

    Raises:
        Problem: it is not; the name is not repeated.
    """
    if name.endswith("/"):
        raise Problem(422, "file name not allowed")
    try:
        check_name(name)
    except FormatError as problem:
        allowed = f" (allowed: {problem.allowed})" if problem.allowed else ""
        raise Problem(422, f"{problem.what}{allowed}") from None
    return name


def check_files(upload: Upload) -> None:
    """Check that the files of an upload can coexist in a folder.

    Raises:
        Problem: there are none, two have one name, a file is a folder too.
    """
    if not upload.files:
        raise Problem(422, "the upload has no files yet")
    try:
        check_tree([file.name for file in upload.files])
    except FormatError as problem:
        raise Problem(422, problem.what) from None
