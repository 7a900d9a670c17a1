"""DICOM series by their UID, the only identifier of an image that OHIF sends.

They are found in the examinations that the owner's clients have sent as archives. Which series
there are, and which sequence each is, an audit says: a job like any other, once for an archive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from anyio.to_thread import run_sync
from fastapi import Request

from gliomask.web.clients.monai_label.images import Image
from gliomask.web.clients.segmentation import ended, is_fault_of_input
from gliomask.web.problems import Problem
from gliomask.web.service import Service
from gliomask.web.task import InspectSpec
from gliomask.web.tokens import Access

_UID: Final = re.compile(r"[0-9]+(\.[0-9]+){3,}")


def is_uid(name: str) -> bool:
    """Return True if a name may be the UID of a DICOM series."""
    return len(name) <= 64 and _UID.fullmatch(name) is not None


async def find_series(
    service: Service, client: Access, request: Request, series: str
) -> tuple[Image, str] | None:
    """The examination with a series, and the sequence that the series is; None if none does.

    Raises:
        Problem: the series is none of the sequences.
    """
    match = await run_sync(service.images.find_series, client, series)
    for image in await run_sync(service.images.unaudited, client) if match is None else ():
        await _audit(service, client, request, image)
        if (match := await run_sync(service.images.find_series, client, series)) is not None:
            break
    if match is None:
        return None
    image, sequence = match
    if sequence is None:
        raise Problem(422, "this series is none of T1, T1ce, T2 and FLAIR")
    return image, sequence


async def _audit(service: Service, client: Access, request: Request, image: Image) -> None:
    files = await run_sync(service.images.files, image)
    upload = await run_sync(service.uploads.copy, client, files)
    try:
        job = await ended(service, client, request, upload.id, InspectSpec())
        if job.state == "done" or is_fault_of_input(job):  # otherwise it is audited again
            audit = (job.result or {}).get("audit", {})
            await run_sync(service.images.note_series, image, _sequences(audit))
        await run_sync(service.queue.forget, job.id)
        await run_sync(service.supervisor.tidy, job.id)
    finally:
        await run_sync(service.uploads.delete_unused, upload.id)


def _sequences(audit: Mapping[str, Any]) -> dict[str, str | None]:
    return {row["series_uid"]: row["sequence"] for row in audit.get("series", ())}
