"""A segmentation for a client that waits for the result."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from anyio.to_thread import run_sync
from fastapi import Request

from gliomask.config.segment import Sequence
from gliomask.web.labels import MaskLabel, labels_present
from gliomask.web.models import ServedModel
from gliomask.web.problems import Problem, not_found
from gliomask.web.queue import ENDED, Job
from gliomask.web.results import entries
from gliomask.web.service import Service
from gliomask.web.submission import submit
from gliomask.web.task import InspectSpec, PredictSpec
from gliomask.web.tokens import Access

SEQUENCES: Final[tuple[str, ...]] = get_args(Sequence)
"""Names of sequences, in the order of ``core.volume``."""
_LOOK_S: Final = 0.25
_STATUS: Final = {"machine": 503, "worker": 503, "bug": 500, "too_long": 503}
"""Code of a failed job -> status of HTTP; the input's fault otherwise."""


@dataclass(frozen=True)
class Segmentation:
    """A job that is done.

    Attributes:
        job: job of the segmentation.
        case: its record of the examination.
        folder: with its files.
        labels: of which its mask has voxels.
    """

    job: Job
    case: dict[str, Any]
    folder: Path
    labels: tuple[MaskLabel, ...]

    def file(self, ending: str) -> Path:
        """A file of it, by the end of its name.

        Raises:
            Problem: there is none.
        """
        paths = [e.path for e in entries(self.folder, (self.case["case"],))]
        for path in paths:
            if path.name == f"{self.case['case']}{ending}":
                return path
        raise not_found("file of this job")


async def segment(
    service: Service, access: Access, request: Request, upload: str, spec: PredictSpec
) -> Segmentation:
    """Segments an upload of one's own when its turn comes; a client that hangs up cancels it.

    The upload is deleted as soon as it is not needed.

    Raises:
        Problem: see ``submit``; the job failed or was cancelled.
    """
    try:
        job = await ended(service, access, request, upload, spec)
        return await run_sync(_segmentation, service, job)
    except BaseException:
        service.uploads.delete_unused(upload)  # one that a job still uses expires
        raise


async def ended(
    service: Service,
    access: Access,
    request: Request,
    upload: str,
    spec: PredictSpec | InspectSpec,
) -> Job:
    """A job once it has ended; see ``segment``."""
    submitted, _ = await run_sync(submit, service, access, upload, spec)
    job = submitted.id
    while True:
        current = await run_sync(service.queue.get, access, job)
        if current.state in ENDED:
            return current
        if await request.is_disconnected():
            await run_sync(service.queue.cancel, job)
            await run_sync(service.audit.add, access.owner, "job.cancel", job, "hung up")
            raise Problem(400, "the connection ended before the job did")
        await asyncio.sleep(_LOOK_S)


def is_fault_of_input(job: Job) -> bool:
    """Return True if a job failed because of its input, so that another attempt would too."""
    return job.state == "failed" and job.error_code not in _STATUS


def model_named(service: Service, name: str) -> ServedModel:
    """A model that is offered.

    Raises:
        Problem: there is none of this name.
    """
    for model in service.models:
        if model.name == name:
            return model
    names = ", ".join(model.name for model in service.models)
    raise Problem(404, f"no such model (allowed: {names})")


def done(service: Service, job: Job) -> Segmentation:
    """Result of a completed job with a single examination.

    Raises:
        Problem: there are several, of which some may have failed.
    """
    result = job.result or {}
    cases, failures = result.get("cases", ()), result.get("failures", ())
    if len(cases) != 1 or failures:
        reasons = "".join(f"; {failed['case']}: {failed['reason']}" for failed in failures)
        raise Problem(422, f"{len(cases) + len(failures)} examinations in it: send one{reasons}")
    model = model_named(service, result["model"])
    labels = labels_present(model.labels, cases[0]["voxels"])
    return Segmentation(job, cases[0], service.folder.result(job.id), labels)


def _segmentation(service: Service, job: Job) -> Segmentation:
    if job.state == "done":
        service.audit.add(job.owner, "job.download", job.id)
        return done(service, job)
    if job.state == "failed":
        raise Problem(_STATUS.get(job.error_code or "", 422), job.error_text or "failed")
    raise Problem(409, f"the job was {job.state}")
