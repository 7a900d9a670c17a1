"""The images that an owner's clients have sent, under names that the clients chose.

Each is an upload of its own that outlives the jobs that use it: they get copies. A session is an
image, or several files of one examination, under a name that the server chose.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gliomask.config.serve import Limits
from gliomask.web.database import Database, now
from gliomask.web.problems import Problem, not_found
from gliomask.web.tokens import Access
from gliomask.web.uploads import Upload, UploadedFile, Uploads

ORIGINAL = "original"
"""The tag of what the network has drawn; the job that has done it is an image's ``job``."""
FINAL = "final"
"""The tag of what a person has handed in."""


@dataclass(frozen=True)
class Image:
    """An image.

    Attributes:
        name: that clients ask for it by; suffix: of its file, for one that has several empty.
        upload: with its files; session: whether it is one.
        job: that was done last with it; None if none was.
        created: seconds since 1970.
    """

    name: str
    suffix: str
    upload: str
    session: bool
    job: str | None
    created: float


@dataclass(frozen=True)
class Label:
    """A mask that a client has handed in.

    Attributes:
        tag: ``final``, or a version's; file: of the image's upload; suffix: of it.
        info: what the client says of it; created: seconds since 1970.
    """

    tag: str
    file: UploadedFile
    suffix: str
    info: Mapping[str, Any]
    created: float


class Images:
    """The images of all owners.

    Args:
        database: that keeps them; uploads: with their files; limits: for them.
    """

    def __init__(self, database: Database, uploads: Uploads, limits: Limits) -> None:
        self._database, self._uploads, self._limits = database, uploads, limits

    def add(
        self, access: Access, name: str, suffix: str, upload: str, *, session: bool = False
    ) -> None:
        """Gives an upload a name, in place of an earlier one.

        Raises:
            Problem: the owner has too many.
        """
        earlier = self.find(access, name, session=session)
        limit = self._limits.client_images
        with self._database.change() as change:
            count = "SELECT count(*) FROM client_image WHERE owner=? AND name!=?"
            if change.execute(count, (access.owner, name)).fetchone()[0] >= limit:
                text = f"{limit} images are here: delete one, or wait until one expires"
                raise Problem(429, text, retry_s=60)
            change.execute(
                "INSERT OR REPLACE INTO client_image(owner, name, suffix, created, upload, session)"
                " VALUES (?,?,?,?,?,?)",
                (access.owner, name, suffix, now(), upload, session),
            )
        if earlier is not None:
            self._uploads.delete(earlier.upload)

    def find(self, access: Access, name: str, *, session: bool = False) -> Image | None:
        """An image of this owner, if there is one; it is kept a while longer."""
        statement = "SELECT * FROM client_image WHERE owner=? AND name=? AND session=?"
        row = self._database.row(statement, (access.owner, name, session))
        if row is None:
            return None
        self._uploads.keep(row["upload"], self._limits.upload_hours)
        return _image(row)

    def get(self, access: Access, name: str, *, session: bool = False) -> Image:
        """The same where there must be one.

        Raises:
            Problem: there is none.
        """
        image = self.find(access, name, session=session)
        if image is None:
            raise not_found("session" if session else "image: it expired, or was never sent")
        return image

    def find_series(self, access: Access, series: str) -> tuple[Image, str | None] | None:
        """The examination that holds a DICOM series, and the sequence that the series is.

        Only examinations whose series are known are looked through, the newest first.
        """
        row = self._database.row(
            "SELECT i.*, s.sequence AS sequence FROM client_image i "
            "JOIN client_series s ON s.upload=i.upload WHERE i.owner=? AND s.series=? "
            "ORDER BY i.created DESC LIMIT 1",
            (access.owner, series),
        )
        if row is None:
            return None
        self._uploads.keep(row["upload"], self._limits.upload_hours)
        return _image(row), row["sequence"]

    def unaudited(self, access: Access) -> list[Image]:
        """Archives whose series nobody has looked for yet, the newest first."""
        statement = (
            "SELECT * FROM client_image WHERE owner=? AND audited=0 AND suffix='.zip' "
            "ORDER BY created DESC"
        )
        return [_image(row) for row in self._database.rows(statement, (access.owner,))]

    def note_series(self, image: Image, sequences: Mapping[str, str | None]) -> None:
        """Remembers the DICOM series of an image: UID -> sequence, None for one of no sequence."""
        with self._database.change() as change:
            change.execute("UPDATE client_image SET audited=1 WHERE upload=?", (image.upload,))
            change.executemany(
                "INSERT OR REPLACE INTO client_series VALUES (?,?,?)",
                [(image.upload, series, sequence) for series, sequence in sequences.items()],
            )

    def of(self, access: Access) -> list[Image]:
        """The images of an owner without the sessions, the oldest first."""
        statement = "SELECT * FROM client_image WHERE owner=? AND session=0 ORDER BY created, name"
        return [_image(row) for row in self._database.rows(statement, (access.owner,))]

    def files(self, access: Access, image: Image) -> list[tuple[Upload, UploadedFile]]:
        """The files of an image, without what was handed in for it."""
        upload = self._uploads.get(access, image.upload)
        statement = "SELECT number FROM client_label WHERE upload=?"
        labels = {row["number"] for row in self._database.rows(statement, (image.upload,))}
        return [(upload, file) for file in upload.files if file.number not in labels]

    def note_job(self, image: Image, job: str) -> None:
        """Remembers what was done last with an image."""
        with self._database.change() as change:
            change.execute("UPDATE client_image SET job=? WHERE upload=?", (job, image.upload))

    def remove(self, image: Image) -> None:
        """Deletes an image, and what was handed in for it."""
        self._uploads.delete(image.upload)

    def labels(self, access: Access, image: Image) -> list[Label]:
        """Labels uploaded for an image."""
        upload = self._uploads.get(access, image.upload)
        files = {file.number: file for file in upload.files}
        statement = "SELECT * FROM client_label WHERE upload=? ORDER BY created, tag"
        rows = self._database.rows(statement, (image.upload,))
        return [
            Label(r["tag"], files[r["number"]], r["suffix"], json.loads(r["info"]), r["created"])
            for r in rows
        ]

    def label(self, access: Access, image: Image, tag: str) -> Label:
        """One of them.

        Raises:
            Problem: there is none.
        """
        for label in self.labels(access, image):
            if label.tag == tag:
                return label
        raise not_found("label")

    def number(self, image: Image, tag: str) -> int:
        """The number of the file of a label, the same again for the same tag."""
        row = self._database.row(
            "SELECT number FROM client_label WHERE upload=? AND tag=?", (image.upload, tag)
        )
        if row is not None:
            return int(row["number"])
        last = self._database.row(
            "SELECT max(number) AS last FROM upload_file WHERE upload=?", (image.upload,)
        )
        return 0 if last is None or last["last"] is None else int(last["last"]) + 1

    def add_label(
        self, image: Image, tag: str, number: int, suffix: str, info: Mapping[str, Any]
    ) -> None:
        """Keeps what a person has handed in, as long as results are kept."""
        with self._database.change() as change:
            change.execute(
                "INSERT OR REPLACE INTO client_label VALUES (?,?,?,?,?,?)",
                (image.upload, tag, number, suffix, json.dumps(info), now()),
            )
        self._uploads.keep(image.upload, self._limits.result_hours)

    def describe_label(self, image: Image, tag: str, info: Mapping[str, Any]) -> None:
        """Replaces what is said of a label."""
        with self._database.change() as change:
            statement = "UPDATE client_label SET info=? WHERE upload=? AND tag=?"
            change.execute(statement, (json.dumps(info), image.upload, tag))

    def remove_label(self, image: Image, tag: str) -> None:
        """Deletes a label."""
        number = self.number(image, tag)
        with self._database.change() as change:
            statement = "DELETE FROM client_label WHERE upload=? AND tag=?"
            count = change.execute(statement, (image.upload, tag)).rowcount
        if count:
            self._uploads.remove_file(image.upload, number)


def _image(row: sqlite3.Row) -> Image:
    return Image(
        name=row["name"],
        suffix=row["suffix"],
        upload=row["upload"],
        session=bool(row["session"]),
        job=row["job"],
        created=row["created"],
    )
