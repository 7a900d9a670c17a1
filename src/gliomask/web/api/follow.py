"""Comparison of several results of a patient over time."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from gliomask.web.api.error_responses import error_responses
from gliomask.web.folder import RESULT
from gliomask.web.guard import RESULT_POLICY
from gliomask.web.problems import Problem, not_found
from gliomask.web.results import Entry, entries
from gliomask.web.service import LASTING, Reader, Service, ServiceOf
from gliomask.web.task import Task, TaskFile
from gliomask.web.tokens import Access

router = APIRouter(tags=["jobs"])
_FILE: Final = "follow.html"
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


@router.get(
    "/follow",
    responses={**error_responses(401, 404, 409, 422, 429, 503), **_HTML},
    response_model=None,
    dependencies=[LASTING],
)
async def follow(
    service: ServiceOf,
    access: Reader,
    of: TimePointNames,
    registered: Annotated[
        bool, Query(description="The scans are registered: match lesions.")
    ] = False,
) -> HTMLResponse:
    """Masks over time: volumes, diameters, changes and their errors; a page.

    For each case the newest approved correction is used, or else the network's mask; the page
    states which.
    """
    page = partial(_page, service, access, of, registered=registered)
    text = await run_sync(page, limiter=service.lasting.threads)
    return HTMLResponse(text, headers={"content-security-policy": RESULT_POLICY})


def _page(service: Service, access: Access, of: list[str], *, registered: bool) -> str:
    masks = [_mask(service, access, name) for name in of]
    identity = secrets.token_hex(16)
    task = Task(identity, service.folder.temporary / identity)
    task.folder.mkdir(mode=0o700)
    try:
        inputs = [
            _corrected(service, mask, task.folder / str(number)) or mask.entry.path
            for number, mask in enumerate(masks)
        ]
        spec = {"inputs": list(map(str, inputs)), "registered": registered}
        outcome = service.supervisor.run(task, TaskFile(kind="follow", spec=spec))
        if outcome.end != "done":
            raise Problem(422, _shortened(outcome.text, inputs))
        text = (task.folder / RESULT / _FILE).read_text(encoding="utf-8")
    finally:
        shutil.rmtree(task.folder, ignore_errors=True)
    for job in dict.fromkeys(name.partition("/")[0] for name in of):
        service.audit.add(access.owner, "job.follow", job)
    return text


@dataclass(frozen=True)
class _Mask:
    """The network's mask of a case.

    Attributes:
        job: its job.
        entry: its file.
    """

    job: str
    entry: Entry


def _corrected(service: Service, mask: _Mask, place: Path) -> Path | None:
    """Newest approved correction of a case, next to the records of both, if there is one."""
    correction = service.corrections.newest_approved(mask.job, mask.entry.case)
    if correction is None:
        return None
    path = service.corrections.mask(correction)
    place.mkdir(mode=0o700)
    record = path.with_name(f"{correction.stem}.json")
    for source in (path, record, mask.entry.path.with_name(f"{mask.entry.case}.json")):
        if source.is_file():
            shutil.copyfile(source, place / source.name)
    return place / path.name


def _mask(service: Service, access: Access, name: str) -> _Mask:
    """The network's mask of one case of a job."""
    identity, _, wanted = name.partition("/")
    job = service.queue.get(access, identity)
    if job.state != "done":
        raise Problem(409, f"the job is {job.state}: there are no files")
    cases = tuple(case["case"] for case in (job.result or {}).get("cases", ()))
    masks = [
        entry
        for entry in entries(service.folder.result(job.id), cases)
        if entry.kind == "mask" and wanted in ("", entry.case)
    ]
    if not masks:
        raise not_found("mask")
    if len({mask.case for mask in masks}) > 1:
        names = ", ".join(mask.case for mask in masks)
        raise Problem(409, f"several cases: name one of {names} after the job, as JOB/CASE")
    return _Mask(job.id, masks[0])


def _shortened(text: str, paths: list[Path]) -> str:
    """Text without paths of the server."""
    for path in paths:
        text = text.replace(str(path), path.name)
    return text
