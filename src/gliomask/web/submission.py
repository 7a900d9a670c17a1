"""Submission of jobs to the queue, used by all front ends of the server."""

from __future__ import annotations

from gliomask.web.incoming import disk_full
from gliomask.web.problems import Problem
from gliomask.web.queue import Job, Kind
from gliomask.web.service import Service
from gliomask.web.task import InspectSpec, PredictSpec
from gliomask.web.tokens import Access
from gliomask.web.uploads import Upload, check_files


def submit(
    service: Service,
    access: Access,
    upload: str,
    spec: PredictSpec | InspectSpec,
    idempotency: tuple[str, str] | None = None,
) -> tuple[Job, bool]:
    """Accept a job, unless its key was used.

    Args:
        service: the server.
        access: owner of the job.
        upload: with whose files.
        spec: the request.
        idempotency: see ``Queue.find``.

    Returns:
        The job, and whether it is new, see ``Queue.add``.

    Raises:
        Problem: no such upload or model, files that don't go together, too many jobs, no room, no
            workers; the key was used for another request.
    """
    if idempotency is not None and (earlier := service.queue.find(access, idempotency)):
        return earlier, False
    stored_upload = service.uploads.get(access, upload)
    check_files(stored_upload)
    if isinstance(spec, PredictSpec):
        _check(service, spec, stored_upload)
    if service.supervisor.broken:
        raise Problem(503, "the workers can't process jobs at present: try later", retry_s=30)
    if not service.folder.has_room(service.options.limits):
        raise disk_full()
    kind: Kind = "predict" if isinstance(spec, PredictSpec) else "inspect"
    plain = spec.model_dump(mode="json", exclude_unset=True)
    job, is_new = service.queue.add(access, kind, stored_upload.id, plain, idempotency)
    if is_new:
        service.audit.add(access.owner, f"{kind}.create", job.id)
    return job, is_new


def _check(service: Service, spec: PredictSpec, upload: Upload) -> None:
    """Raise Problem for unknown models and file numbers."""
    names = [model.name for model in service.models]
    if spec.model not in (None, *names):
        raise Problem(422, f"no such model (allowed: {', '.join(names)})")
    numbers = {file.number for file in upload.files}
    if not numbers.issuperset(spec.sequences.values()):
        raise Problem(422, "sequences names a file that the upload does not have")
