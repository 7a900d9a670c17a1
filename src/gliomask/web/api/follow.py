"""Several results of one patient beside each other, over time."""

from __future__ import annotations

import secrets
import shutil
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from gliomask.web.api.answers import answers
from gliomask.web.folder import RESULT
from gliomask.web.guard import RESULT_POLICY
from gliomask.web.problems import Problem, not_found
from gliomask.web.results import Entry, entries
from gliomask.web.service import Reader, Service, ServiceOf
from gliomask.web.task import Task, TaskFile
from gliomask.web.tokens import Access

router = APIRouter(tags=["jobs"])
_PAGE: Final = "follow.html"
_HTML: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {"schema": {"type": "string"}}}}
}
TimePointNames = Annotated[
    list[Annotated[str, Query(max_length=300)]],
    Query(
        min_length=2,
        max_length=20,
        description="A job; of several cases JOB/CASE. In order of time where their dates are not "
        "known.",
    ),
]


@router.get("/follow", responses={**answers(401, 404, 409, 422, 503), **_HTML}, response_model=None)
def follow(
    service: ServiceOf,
    access: Reader,
    of: TimePointNames,
    registered: Annotated[
        bool, Query(description="The scans are registered: match lesions.")
    ] = False,
) -> HTMLResponse:
    """The masks of the network over time: volumes, diameters, changes and their errors; a page."""
    masks = [_mask(service, access, name) for name in of]
    name = secrets.token_hex(16)
    task = Task(name, service.folder.temporary / name)
    task.folder.mkdir(mode=0o700)
    spec = {"inputs": [str(mask.path) for mask in masks], "registered": registered}
    try:
        answer = service.supervisor.run(task, TaskFile(kind="follow", spec=spec))
        if answer.end != "done":
            raise Problem(422, _shortened(answer.text, masks))
        text = (task.folder / RESULT / _PAGE).read_text(encoding="utf-8")
    finally:
        shutil.rmtree(task.folder, ignore_errors=True)
    for job in dict.fromkeys(one.partition("/")[0] for one in of):
        service.audit.add(access.owner, "job.follow", job)
    return HTMLResponse(text, headers={"content-security-policy": RESULT_POLICY})


def _mask(service: Service, access: Access, name: str) -> Entry:
    """The network's mask of one case of a job."""
    job, _, case = name.partition("/")
    found = service.queue.get(access, job)
    if found.state != "done":
        raise Problem(409, f"the job is {found.state}: there are no files")
    cases = tuple(one["case"] for one in (found.result or {}).get("cases", ()))
    masks = [
        one
        for one in entries(service.folder.result(found.id), cases)
        if one.kind == "mask" and case in ("", one.case)
    ]
    if not masks:
        raise not_found("mask")
    if len({one.case for one in masks}) > 1:
        raise Problem(409, f"say of which case: {', '.join(one.case for one in masks)}")
    return masks[0]


def _shortened(text: str, masks: list[Entry]) -> str:
    """A text without places of the server."""
    for mask in masks:
        text = text.replace(str(mask.path), mask.path.name)
    return text
