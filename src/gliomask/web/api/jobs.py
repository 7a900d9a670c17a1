"""Jobs: creation, state, events, cancellation, deletion, and files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import nullcontext
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from gliomask.web.api.error_responses import error_responses
from gliomask.web.api.views import JobRequest, JobView, ResultFile, job_view
from gliomask.web.guard import RESULT_POLICY
from gliomask.web.problems import Problem, not_found
from gliomask.web.queue import ENDED, Job
from gliomask.web.results import Entry, corrected_entries, entries, zipped
from gliomask.web.service import LASTING, Reader, Service, ServiceOf, Submitter, allowed
from gliomask.web.submission import submit
from gliomask.web.tokens import Access

router = APIRouter(prefix="/jobs", tags=["jobs"])
JobId = Annotated[str, Path(description="Id of the job.", max_length=64)]
_LOOK_S, _BEAT_S = 0.25, 15.0
_EVENT = {"event": {"type": "string"}, "data": {"type": "string"}}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "object", "properties": _EVENT}}}}
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}


@router.post("", status_code=201, responses=error_responses(401, 404, 409, 422, 429, 503))
def create(
    service: ServiceOf,
    access: Submitter,
    request: JobRequest,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> JobView:
    """Queue a segmentation or an audit.

    A repeated request with the same Idempotency-Key returns the existing job (200).
    """
    digest = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
    key = None if idempotency_key is None else (idempotency_key, digest)
    job, is_new = submit(service, access, request.upload, request.options, key)
    if not is_new:
        response.status_code = 200
    return _view(service, job)


@router.get("", responses=error_responses(401, 422))
def listing(
    service: ServiceOf,
    access: Reader,
    limit: Annotated[int, Query(ge=1, le=200, description="Maximum number of jobs.")] = 50,
    before: Annotated[
        str | None, Query(max_length=64, description="Id: only jobs before this one.")
    ] = None,
) -> list[JobView]:
    """List your jobs, newest first."""
    return [_view(service, job) for job in service.queue.jobs(access, limit, before)]


@router.get("/{job}", responses=error_responses(401, 404, 422, 429))
async def show(
    service: ServiceOf,
    access: Reader,
    job: JobId,
    wait: Annotated[
        float, Query(ge=0, le=60, description="Maximum seconds to wait for its end.")
    ] = 0,
) -> JobView:
    """State of a job; with ``wait``, after it has ended or the time is over."""
    with service.lasting.open(access.owner) if wait else nullcontext():
        return await run_sync(_view, service, await _waited(service, access, job, wait))


async def _waited(service: Service, access: Access, job: str, wait: float) -> Job:
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while True:
        current = await run_sync(service.queue.get, access, job)
        if current.state in ENDED or loop.time() >= until:
            return current
        await asyncio.sleep(min(_LOOK_S, max(0.0, until - loop.time())))


@router.get(
    "/{job}/events",
    responses={**error_responses(401, 404, 422, 429), **_EVENTS},
    response_model=None,
    dependencies=[LASTING],
)
async def events(
    service: ServiceOf, access: Reader, request: Request, job: JobId
) -> StreamingResponse:
    """Changes of a job as server-sent events, until it has ended."""
    await run_sync(service.queue.get, access, job)
    return StreamingResponse(_events(service, request, job), media_type="text/event-stream")


async def _events(service: Service, request: Request, job: str) -> AsyncIterator[str]:
    """The token is looked at each time: it may be revoked meanwhile."""
    last, silent = "", 0.0
    while True:
        try:
            access = await run_sync(allowed, "read", request)
            current = await run_sync(service.queue.get, access, job)
        except Problem:
            return
        text = (await run_sync(_view, service, current)).model_dump_json()
        if text != last:
            last, silent = text, 0.0
            yield f"event: job\ndata: {text}\n\n"
        elif silent >= _BEAT_S:
            silent = 0.0
            yield ": still there\n\n"
        if current.state in ENDED:
            return
        silent += _LOOK_S
        await asyncio.sleep(_LOOK_S)


@router.delete("/{job}", responses=error_responses(401, 404, 422))
def cancel(service: ServiceOf, access: Submitter, job: JobId) -> JobView:
    """Cancel a job; no effect if it has ended."""
    if service.queue.own(access, job).state not in ENDED:
        service.queue.cancel(job)
        service.audit.add(access.owner, "job.cancel", job)
    return _view(service, service.queue.get(access, job))


@router.delete("/{job}/files", responses=error_responses(401, 404, 409, 422))
def forget(service: ServiceOf, access: Submitter, job: JobId) -> JobView:
    """Delete the results of a job before they expire."""
    if service.queue.own(access, job).state not in ENDED:
        raise Problem(409, "the job has not ended: cancel it first")
    service.queue.forget(job)
    service.supervisor.tidy(job)
    service.audit.add(access.owner, "job.forget", job)
    return _view(service, service.queue.get(access, job))


@router.get(
    "/{job}/files/{kind}",
    responses={**error_responses(401, 404, 409, 422, 429, 503), **_FILE},
    response_class=FileResponse,
    response_model=None,
    dependencies=[LASTING],
)
def download(
    service: ServiceOf,
    access: Reader,
    job: JobId,
    kind: Annotated[
        str,
        Path(
            max_length=64,
            description="Kind of file, see the files of the job; or all, as a zip archive.",
        ),
    ],
    case: Annotated[
        str | None, Query(max_length=200, description="Case, if the job has several.")
    ] = None,
) -> FileResponse:
    """Download a file of a result."""
    job_found = service.queue.get(access, job)
    if job_found.state != "done":
        raise Problem(409, f"the job is {job_found.state}: there are no files")
    every = _entries(service, job_found)
    service.audit.add(access.owner, "job.download", job, kind if kind in _kinds(every) else "all")
    if kind == "all":
        return _archive(service, tuple(e for e in every if case in (None, e.case)), job_found.id)
    fitting = [e for e in every if e.kind == kind and case in (None, e.case)]
    if not fitting:
        raise not_found(f"file: the job has {', '.join(sorted(_kinds(every)))}")
    if len(fitting) > 1:
        raise Problem(409, f"state the case: {', '.join(e.case for e in fitting)}")
    return _file(service, fitting[0])


def _kinds(every: tuple[Entry, ...]) -> set[str]:
    return {entry.kind for entry in every}


def _file(service: Service, entry: Entry) -> FileResponse:
    if entry.path.is_dir():
        return _archive(service, (entry,), entry.path.name)
    page = entry.kind == "page"
    return FileResponse(
        entry.path,
        media_type=entry.media_type,
        filename=entry.path.name,
        content_disposition_type="inline" if page else "attachment",
        headers={"content-security-policy": RESULT_POLICY} if page else {},
    )


def _archive(service: Service, every: tuple[Entry, ...], name: str) -> FileResponse:
    if not service.folder.has_room(service.options.limits, sum(entry.size for entry in every)):
        raise Problem(503, "the server's disk is full: try again later", retry_s=300)
    path = zipped(every, service.folder.temporary)
    task = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type="application/zip", filename=f"{name}.zip", background=task)


def _entries(service: Service, job: Job) -> tuple[Entry, ...]:
    cases = tuple(case["case"] for case in (job.result or {}).get("cases", ()))
    files = service.corrections.files(job.id)
    corrected = corrected_entries(
        (correction.case, correction.number, path) for correction, path in files
    )
    return entries(service.folder.result(job.id), cases) + corrected


def _view(service: Service, job: Job) -> JobView:
    files = tuple(
        ResultFile(kind=e.kind, case=e.case, name=e.path.name, size=e.size)
        for e in (_entries(service, job) if job.state == "done" else ())
    )
    return job_view(job, service.supervisor.progress.get(job.id), files)
