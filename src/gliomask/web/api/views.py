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
    """Base of all views."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Request(View):
    """Base of request bodies; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="forbid")


class ProblemView(View):
    """Reason for an error response."""

    code: str
    """Error code."""
    text: str
    """Description of the error, and what to do."""


class FileView(View):
    """A file of an upload."""

    number: int
    """Number, chosen by the client."""
    name: str
    """File name on the client."""
    size: int
    """Size in bytes."""
    sha256: str
    """SHA-256 of its content."""

    @classmethod
    def of(cls, file: UploadedFile) -> FileView:
        """Create the view of a file."""
        return cls(number=file.number, name=file.name, size=file.size, sha256=file.sha256)


class UploadView(View):
    """An upload."""

    id: str
    """To name it by."""
    expires: datetime
    """Time of deletion, unless it is used."""
    files: tuple[FileView, ...]
    """Its files."""

    @classmethod
    def of(cls, upload: Upload) -> UploadView:
        """Create the view of an upload."""
        files = tuple(map(FileView.of, upload.files))
        return cls(id=upload.id, expires=moment(upload.expires), files=files)


class PredictRequest(Request):
    """Request for a segmentation."""

    kind: Literal["predict"] = "predict"
    """Kind of job."""
    upload: Id
    """Id of the upload with the files."""
    options: PredictSpec = PredictSpec()
    """Options."""


class InspectRequest(Request):
    """Request for an audit: the content of an upload, and the images that a segmentation would
    use."""

    kind: Literal["inspect"]
    """Kind of job."""
    upload: Id
    """Id of the upload with the files."""
    options: InspectSpec = InspectSpec()
    """Options."""


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
    """Kind, as in the address of the download: mask, seg, rtstruct, page, record, picture,
    probability-..., audit; for a correction with its number: mask-1, seg-1, rtstruct-1,
    correction-1."""
    case: str
    """Examination; empty for a file of all examinations."""
    name: str
    """File name for storage."""
    size: int
    """Size in bytes; for a folder, the total size of its files."""


class JobView(View):
    """A job."""

    id: str
    """To name it by."""
    kind: Kind
    """Kind of job."""
    state: State
    """State."""
    upload: str
    """Id of the upload with its files."""
    place: int | None
    """Number of jobs before it in the queue."""
    progress: Annotated[float, Field(ge=0, le=1)]
    """Progress, from 0 to 1."""
    note: str
    """Description of the current step."""
    cancelling: bool
    """Whether it is being cancelled."""
    attempt: int
    """Number of attempts."""
    created: datetime
    """Time of acceptance."""
    started: datetime | None
    """Time of its start."""
    ended: datetime | None
    """Time of its end."""
    expires: datetime | None
    """Time at which its results are deleted."""
    options: dict[str, Any]
    """Options of the request."""
    result: dict[str, Any] | None
    """Result of a completed job: cases with volumes, flags and notes; or the audit. Lists omit
    results and files that are too large together: request the job itself."""
    files: tuple[ResultFile, ...]
    """Files of a completed job."""
    error: ProblemView | None
    """Error of a failed job."""


def job_view(job: Job, progress: Progress | None, files: tuple[ResultFile, ...]) -> JobView:
    """Create the view of a job."""
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
    """Convert seconds since 1970 to a time."""
    return datetime.fromtimestamp(seconds, UTC)
