"""The images that an owner's clients have sent, under names that the clients chose.

Each is an upload of its own that outlives the jobs that use it: they get copies. A session is an
image, or several files of one examination, under a name that the server chose.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

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
        name: name in requests; suffix: suffix of its file, empty if it has several files.
        owner: its owner; upload: upload of its files; session: whether it is a session.
        job: newest job of this image; None if none.
        created: seconds since 1970.
    """

    name: str
    suffix: str
    owner: str
    upload: str
    session: bool
    job: str | None
    created: float


@dataclass(frozen=True)
class Label:
    """A mask that a client has handed in.

    Attributes:
        tag: ``final``, or that of a version; file: file of the image's upload; suffix: its suffix.
        info: the client's metadata; created: seconds since 1970.
        author: who submitted it; correction: job and number of the correction that it became or
            equals, or None.
    """

    tag: str
    file: UploadedFile
    suffix: str
    info: Mapping[str, Any]
    created: float
    author: str
    correction: tuple[str, int] | None


_LABELS: Final = 1_000_000
"""Numbers of files from here on are those of labels."""
_MAX_INFO: Final = 2**17
"""Maximum of characters in a client's metadata of a label."""
_NAME_FOR_OTHERS: Final = "name || ' (' || owner || ')'"


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
        """An image by its name for this client, if there is one; it is kept longer.

        Second readers see images of others, under their names and those of their owners.
        """
        statement = "SELECT * FROM client_image WHERE owner=? AND name=? AND session=?"
        row = self._database.row(statement, (access.owner, name, session))
        if row is None and access.may_view_all and not session:
            statement = f"SELECT * FROM client_image WHERE {_NAME_FOR_OTHERS}=? AND session=0"  # noqa: S608
            row = self._database.row(statement, (name,))
        if row is None:
            return None
        self._uploads.keep(row["upload"], self._limits.upload_hours)
        return _image(row)

    def get(self, access: Access, name: str, *, session: bool = False) -> Image:
        """An image by its name for this client, see ``find``.

        Raises:
            Problem: there is none.
        """
        image = self.find(access, name, session=session)
        if image is None:
            raise not_found("session" if session else "image: it expired, or was never sent")
        return image

    def find_series(self, access: Access, series: str) -> tuple[Image, str | None] | None:
        """The examination with a DICOM series, and the sequence that the series is.

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
        """Archives whose series have not been searched yet, the newest first."""
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

    def of(self, access: Access) -> dict[str, Image]:
        """The images visible to a client, without sessions, the oldest first, by their names."""
        statement = "SELECT * FROM client_image WHERE session=0 ORDER BY created, name"
        images = map(_image, self._database.rows(statement))
        return {
            image.name if image.owner == access.owner else f"{image.name} ({image.owner})": image
            for image in images
            if image.owner == access.owner or access.may_view_all
        }

    def upload(self, image: Image) -> Upload:
        """The upload of an image that a client may see."""
        return self._uploads.get(Access(image.owner, frozenset()), image.upload)

    def files(self, image: Image) -> list[tuple[Upload, UploadedFile]]:
        """The files of an image, without labels, be they stored only in part as yet."""
        upload = self.upload(image)
        statement = "SELECT number FROM client_label WHERE upload=?"
        labels = {row["number"] for row in self._database.rows(statement, (image.upload,))}
        return [
            (upload, file)
            for file in upload.files
            if file.number < _LABELS and file.number not in labels
        ]

    def note_job(self, image: Image, job: str) -> None:
        """Remembers what was done last with an image, whose owner has the new mask then."""
        with self._database.change() as change:
            change.execute("UPDATE client_image SET job=? WHERE upload=?", (job, image.upload))
            change.execute("DELETE FROM client_base WHERE upload=?", (image.upload,))

    def inherit_job(self, image: Image) -> None:
        """Takes over what was done with the same file: 3D Slicer segments it in a session first."""
        statement = (
            "SELECT i.job FROM client_image i JOIN upload_file f ON f.upload=i.upload "
            "WHERE i.owner=? AND i.job IS NOT NULL AND f.sha256=? ORDER BY i.created DESC LIMIT 1"
        )
        ((_, file),) = self.files(image)
        row = self._database.row(statement, (image.owner, file.sha256))
        if row is not None:
            self.note_job(image, row["job"])

    def base(self, access: Access, image: Image) -> str | None:
        """SHA-256 of the corrected mask that a client has; None if it has the network's."""
        statement = "SELECT sha256 FROM client_base WHERE upload=? AND owner=?"
        row = self._database.row(statement, (image.upload, access.owner))
        return None if row is None else str(row["sha256"])

    def note_base(self, access: Access, image: Image, sha256: str | None) -> None:
        """Remembers which mask a client has got or handed in; None for the network's."""
        key = (image.upload, access.owner)
        with self._database.change() as change:
            change.execute("DELETE FROM client_base WHERE upload=? AND owner=?", key)
            if sha256 is not None:
                change.execute("INSERT INTO client_base VALUES (?,?,?)", (*key, sha256))

    def remove(self, image: Image) -> None:
        """Deletes an image, and what was handed in for it."""
        self._uploads.delete(image.upload)

    def labels(self, image: Image) -> list[Label]:
        """Labels uploaded for an image."""
        files = {file.number: file for file in self.upload(image).files}
        statement = "SELECT * FROM client_label WHERE upload=? ORDER BY created, tag"
        rows = self._database.rows(statement, (image.upload,))
        return [
            Label(
                tag=row["tag"],
                file=files[row["number"]],
                suffix=row["suffix"],
                info=json.loads(row["info"]),
                created=row["created"],
                author=row["author"],
                correction=_correction(row["correction"]),
            )
            for row in rows
            if row["number"] in files  # it may have come since they were listed
        ]

    def find_label(self, image: Image, tag: str) -> Label | None:
        """The label of a tag, if there is one."""
        return next((label for label in self.labels(image) if label.tag == tag), None)

    def label(self, image: Image, tag: str) -> Label:
        """The label of a tag, see ``find_label``.

        Raises:
            Problem: there is none.
        """
        label = self.find_label(image, tag)
        if label is None:
            raise not_found("label")
        return label

    def add_label(self, image: Image, label: Label, source: tuple[Upload, UploadedFile]) -> None:
        """Keeps what a person has handed in, as long as results are kept.

        Args:
            label: in place of an earlier one of its tag; source: its file, in another upload.

        Raises:
            Problem: the image has too many labels, or the metadata of this one are too long.
        """
        info, limit = _packed(label.info), self._limits.corrections
        earlier = self.find_label(image, label.tag)
        if earlier is None and len(self.labels(image)) >= limit:
            raise Problem(409, f"the image has {limit} labels already: delete one")
        number = _LABELS + secrets.randbelow(2**40)  # several may come at a time
        self._uploads.adopt(image.upload, number, source)
        facts = (label.suffix, info, label.created, label.author)
        correction = None if label.correction is None else "{}/{}".format(*label.correction)
        with self._database.change() as change:
            change.execute(
                "INSERT OR REPLACE INTO client_label"
                "(upload, tag, number, suffix, info, created, author, correction) "
                "VALUES (?,?,?,?,?,?,?,?)",
                (image.upload, label.tag, number, *facts, correction),
            )
        if earlier is not None:
            self._uploads.remove_file(image.upload, earlier.file.number)
        self._uploads.keep(image.upload, self._limits.result_hours)

    def describe_label(self, image: Image, tag: str, info: Mapping[str, Any]) -> None:
        """Replaces the metadata of a label.

        Raises:
            Problem: it is too much.
        """
        text = _packed(info)
        with self._database.change() as change:
            statement = "UPDATE client_label SET info=? WHERE upload=? AND tag=?"
            change.execute(statement, (text, image.upload, tag))

    def remove_label(self, image: Image, label: Label) -> None:
        """Deletes a label."""
        with self._database.change() as change:
            statement = "DELETE FROM client_label WHERE upload=? AND tag=?"
            change.execute(statement, (image.upload, label.tag))
        self._uploads.remove_file(image.upload, label.file.number)


def _packed(info: Mapping[str, Any]) -> str:
    text = json.dumps(info)
    if len(text) > _MAX_INFO:
        raise Problem(413, f"params: at most {_MAX_INFO} bytes of a label")
    return text


def _correction(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    job, _, number = text.partition("/")
    return job, int(number)


def _image(row: sqlite3.Row) -> Image:
    return Image(
        name=row["name"],
        suffix=row["suffix"],
        owner=row["owner"],
        upload=row["upload"],
        session=bool(row["session"]),
        job=row["job"],
        created=row["created"],
    )
