"""Uploads: one request for each file, so that files can be sent in parallel and repeated."""

from __future__ import annotations

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from gliomask.web.api.error_responses import error_responses
from gliomask.web.api.views import FileView, UploadView
from gliomask.web.problems import Problem
from gliomask.web.service import ServiceOf, Submitter

router = APIRouter(prefix="/uploads", tags=["uploads"])
UploadId = Annotated[str, Path(description="Id of the upload.", max_length=64)]
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=201, responses=error_responses(401, 403, 429))
def create(service: ServiceOf, access: Submitter) -> UploadView:
    """Create an upload, to which files are then sent."""
    upload = service.uploads.create(access)
    service.audit.add(access.owner, "upload.create", upload.id)
    return UploadView.of(upload)


@router.get("/{upload}", responses=error_responses(401, 403, 404))
def show(service: ServiceOf, access: Submitter, upload: UploadId) -> UploadView:
    """List the received files, for a client whose connection was interrupted."""
    return UploadView.of(service.uploads.get(access, upload))


@router.delete("/{upload}", status_code=204, responses=error_responses(401, 403, 404, 409))
def delete(service: ServiceOf, access: Submitter, upload: UploadId) -> Response:
    """Delete an upload and its files."""
    service.uploads.delete(service.uploads.get(access, upload).id)
    service.audit.add(access.owner, "upload.delete", upload)
    return Response(status_code=204)


@router.put(
    "/{upload}/files/{number}",
    responses=error_responses(401, 403, 404, 408, 409, 413, 415, 422, 503),
    openapi_extra=BODY,
)
async def put(
    service: ServiceOf,
    access: Submitter,
    request: Request,
    upload: UploadId,
    number: Annotated[
        int, Path(ge=0, le=99_999, description="Number of the file, chosen by the client.")
    ],
    name: Annotated[
        str, Query(min_length=1, max_length=4096, description="File name, with / between folders.")
    ],
) -> FileView:
    """Send a file as the request body. The same number again replaces it."""
    await run_sync(service.uploads.get, access, upload)
    declared = request.headers.get("content-length", "")
    length = int(declared) if declared.isdecimal() else None
    incoming, turns = (
        await run_sync(service.uploads.begin, upload, name, length),
        service.uploads.turns,
    )
    try:
        await turns.take(request, incoming.write)
        file = await turns.run(service.uploads.finish, upload, number, name, incoming)
    except ClientDisconnect:
        await run_sync(incoming.discard)
        raise Problem(400, "the connection ended before the file was complete") from None
    except BaseException:
        incoming.discard()
        raise
    return FileView.of(file)
