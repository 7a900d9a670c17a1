"""Schema of the objects that the API returns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from gliomask.web.queue import Job, Kind, State
from gliomask.web.supervisor import Progress
from gliomask.web.task import InspectSpec, PredictSpec
from gliomask.web.uploads import Upload, UploadedFile

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class View(BaseModel):
    """Base of all of them."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Request(View):
    """Base of what is asked for; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="forbid")


class ProblemView(View):
    """Reason for an error response."""

    code: str
    """For programs."""
    text: str
    """For people: what is wrong, and what to do."""


class FileView(View):
    """A file of an upload."""

    number: int
    """That the client gave it."""
    name: str
    """What the client calls it."""
    size: int
    """In bytes."""
    sha256: str
    """Of its content."""

    @classmethod
    def of(cls, file: UploadedFile) -> FileView:
        """The view of a file."""
        return cls(number=file.number, name=file.name, size=file.size, sha256=file.sha256)


class UploadView(View):
    """An upload."""

    id: str
    """To name it by."""
    expires: datetime
    """It is deleted then, unless it is used."""
    files: tuple[FileView, ...]
    """What it holds."""

    @classmethod
    def of(cls, upload: Upload) -> UploadView:
        """The view of an upload."""
        files = tuple(map(FileView.of, upload.files))
        return cls(id=upload.id, expires=moment(upload.expires), files=files)


class PredictRequest(Request):
    """A segmentation to do."""

    kind: Literal["predict"] = "predict"
    """What to do."""
    upload: Id
    """With the files of which upload."""
    options: PredictSpec = PredictSpec()
    """How."""


class InspectRequest(Request):
    """An audit to do: what is there, and what a segmentation would use."""

    kind: Literal["inspect"]
    """What to do."""
    upload: Id
    """With the files of which upload."""
    options: InspectSpec = InspectSpec()
    """How."""


def _kind_of(request: Any) -> str:
    if isinstance(request, dict):
        kind = request.get("kind", "predict")
        return kind if isinstance(kind, str) else "unknown"
    return str(getattr(request, "kind", "unknown"))


JobRequest = Annotated[
    Annotated[PredictRequest, Tag("predict")] | Annotated[InspectRequest, Tag("inspect")],
    Discriminator(_kind_of),
]


class ResultFile(View):
    """A file of a result."""

    kind: str
    """To download it by: mask, seg, rtstruct, page, record, picture, probability-..., audit; of a
    correction with its number: mask-1, seg-1, rtstruct-1, correction-1."""
    case: str
    """Of which examination; empty for one of all."""
    name: str
    """To store it under."""
    size: int
    """In bytes; of a folder, its files together."""


class JobView(View):
    """A job."""

    id: str
    """To name it by."""
    kind: Kind
    """What it does."""
    state: State
    """Where it stands."""
    upload: str
    """Whose files it uses."""
    place: int | None
    """Jobs before it, while it waits."""
    progress: Annotated[float, Field(ge=0, le=1)]
    """How far it is."""
    note: str
    """What it does at the moment."""
    cancelling: bool
    """It is to stop and has not yet."""
    attempt: int
    """How often it was begun."""
    created: datetime
    """When it was accepted."""
    started: datetime | None
    """When it was begun."""
    ended: datetime | None
    """When it ended."""
    expires: datetime | None
    """Its results are deleted then."""
    options: dict[str, Any]
    """That it was given."""
    result: dict[str, Any] | None
    """Of a job that is done: cases with volumes, flags and notes; or the audit. Lists leave out
    results, and their files, that are too large together: ask for the job itself."""
    files: tuple[ResultFile, ...]
    """Of a job that is done."""
    error: ProblemView | None
    """Of a job that failed."""


def job_view(job: Job, progress: Progress | None, files: tuple[ResultFile, ...]) -> JobView:
    """The view of a job."""
    running = progress if job.state == "running" and progress else Progress()
    error = None
    if job.state == "failed":
        error = ProblemView(code=job.error_code or "failed", text=job.error_text or "failed")
    return JobView(
        id=job.id,
        kind=job.kind,
        state=job.state,
        upload=job.upload,
        place=job.place,
        progress=1.0 if job.state == "done" else min(running.share, 1.0),
        note=running.note,
        cancelling=job.cancel and job.state == "running",
        attempt=job.attempt,
        created=moment(job.created),
        started=None if job.started is None else moment(job.started),
        ended=None if job.ended is None else moment(job.ended),
        expires=None if job.expires is None else moment(job.expires),
        options=dict(job.spec),
        result=None if job.result is None else dict(job.result),
        files=files,
        error=error,
    )


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a time."""
    return datetime.fromtimestamp(seconds, UTC)
