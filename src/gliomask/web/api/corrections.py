"""Corrections of masks: layers for the editor, upload, list, approval by a second reader,
withdrawal."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse
from starlette.requests import ClientDisconnect

from gliomask.formats.editable_case import ENDING
from gliomask.web.api.correction_views import CorrectionsView, CorrectionView, EditableView
from gliomask.web.api.error_responses import error_responses
from gliomask.web.api.uploads import BODY
from gliomask.web.incoming import Incoming, disk_full
from gliomask.web.problems import Problem, not_found
from gliomask.web.service import LASTING, Corrector, Reader, Service, ServiceOf
from gliomask.web.tokens import Access

router = APIRouter(prefix="/jobs/{job}", tags=["corrections"])
JobId = Annotated[str, Path(description="Id of the job.", max_length=64)]
Number = Annotated[int, Path(ge=1, le=9999, description="Number of the correction.")]
CaseName = Annotated[str | None, Query(max_length=200, description="Case, if the job has several.")]
_NIFTI: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/gzip": {"schema": {"type": "string"}}}}
}


@router.get("/corrections", responses=error_responses(401, 404, 422))
def listing(service: ServiceOf, access: Reader, job: JobId) -> CorrectionsView:
    """List the masks of a job that can be corrected, and all corrections."""
    current = service.queue.get(access, job)
    return CorrectionsView(
        reader=access.owner,
        cases=tuple(
            EditableView.of(case, service.corrections.current(job, case))
            for case in service.corrections.cases(current)
        ),
        corrections=tuple(map(CorrectionView.of, service.corrections.listing(job))),
    )


@router.get(
    "/layers/{layer}",
    responses={**error_responses(401, 404, 409, 422, 429), **_NIFTI},
    response_class=FileResponse,
    response_model=None,
    dependencies=[LASTING],
)
def layer(
    service: ServiceOf,
    access: Reader,
    job: JobId,
    layer: Annotated[str, Path(max_length=64, description="See the layers of a case; or current.")],
    case: CaseName = None,
) -> FileResponse:
    """Layer of the editor: an image, a probability map or the mask, all on one grid.

    ``mask`` is the network's, ``current`` the newest. Probabilities are stored as 0 to 255, and
    128 and more is what the network marked.
    """
    editable = service.corrections.case(service.queue.get(access, job), case)
    service.audit.add(access.owner, "layer.download", job)
    if layer == "current":
        path = service.corrections.current(job, editable).path
        return FileResponse(path, media_type="application/gzip", filename=path.name)
    if layer not in editable.layers:
        raise not_found(f"layer: the case has {', '.join(editable.layers)}")
    path = service.folder.editable(job, editable.case) / f"{layer}{ENDING}"
    name = f"{editable.case}_{path.name}"
    return FileResponse(path, media_type="application/gzip", filename=name)


@router.put(
    "/correction",
    status_code=201,
    responses=error_responses(401, 404, 408, 409, 413, 415, 422, 429, 503),
    openapi_extra=BODY,
    dependencies=[LASTING],
)
async def put(
    service: ServiceOf,
    access: Corrector,
    request: Request,
    job: JobId,
    base: Annotated[
        str,
        Query(pattern="^[0-9a-f]{64}$", description="SHA-256 of the mask that it was drawn on."),
    ],
    case: CaseName = None,
) -> CorrectionView:
    """Send a corrected mask as NIfTI, on the grid and with the numbers of the newest mask."""
    current = await run_sync(service.queue.get, access, job)
    editable = await run_sync(service.corrections.case, current, case)
    await run_sync(service.corrections.check_base, current, editable, base)
    declared = request.headers.get("content-length", "")
    length = int(declared) if declared.isdecimal() else 0
    limits = service.options.limits
    if not await run_sync(service.folder.has_room, limits, length):
        raise disk_full()
    room = partial(service.folder.has_room, limits)
    incoming = await run_sync(Incoming, service.folder.temporary, limits.file_bytes, room)
    try:
        await service.uploads.turns.take(request, incoming.write)
        await service.uploads.turns.run(incoming.close)
        add = partial(service.corrections.add, access, current, editable, base, incoming.path)
        made = await run_sync(add, limiter=service.lasting.threads)
    except ClientDisconnect:
        raise Problem(400, "the connection ended before the mask was complete") from None
    finally:
        await run_sync(incoming.discard)
    _note(service, access, "correction.create", job, made.number)
    return CorrectionView.of(made)


@router.delete("/correction/{number}", responses=error_responses(401, 404, 409, 422))
def withdraw(service: ServiceOf, access: Corrector, job: JobId, number: Number) -> CorrectionView:
    """Withdraw your own correction: it stays in the list, but is not used any more."""
    service.queue.get(access, job)
    correction = service.corrections.withdraw(access, service.corrections.get(job, number))
    _note(service, access, "correction.withdraw", job, number)
    return CorrectionView.of(correction)


@router.post(
    "/correction/{number}/approval", status_code=201, responses=error_responses(401, 404, 409, 422)
)
def approve(service: ServiceOf, access: Corrector, job: JobId, number: Number) -> CorrectionView:
    """Approve a correction of another user as second reader."""
    service.queue.get(access, job)
    correction = service.corrections.approve(access, service.corrections.get(job, number))
    _note(service, access, "correction.approve", job, number)
    return CorrectionView.of(correction)


@router.delete("/correction/{number}/approval", responses=error_responses(401, 404, 409, 422))
def unapprove(service: ServiceOf, access: Corrector, job: JobId, number: Number) -> CorrectionView:
    """Withdraw your approval."""
    service.queue.get(access, job)
    correction = service.corrections.unapprove(access, service.corrections.get(job, number))
    _note(service, access, "correction.unapprove", job, number)
    return CorrectionView.of(correction)


def _note(service: Service, access: Access, action: str, job: str, number: int) -> None:
    service.audit.add(access.owner, action, f"{job}/{number}")
