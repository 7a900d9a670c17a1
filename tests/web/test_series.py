"""The search for a DICOM series in the archives of a client, without workers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from gliomask.web.clients.monai_label import series as module
from gliomask.web.problems import Problem
from gliomask.web.queue import Job
from gliomask.web.service import Service
from gliomask.web.tokens import Access
from tests.web.service import running

ANN = Access("ann", frozenset(("monai",)))
UID = "1.2.3.4.5"
AUDIT = {"audit": {"series": [{"series_uid": UID, "sequence": "t1"}]}}


def add_archive(service: Service) -> None:
    upload = service.uploads.create(ANN).id
    incoming = service.uploads.begin(upload, "study.zip", None)
    incoming.write(b"1")
    service.uploads.finish(upload, 0, "study.zip", incoming)
    service.images.add(ANN, "study", ".zip", upload)


def sequence_of(service: Service) -> str | None:
    """The sequence of the series; None if no archive has it."""
    match = asyncio.run(module.find_series(service, ANN, Request({"type": "http"}), UID))
    return None if match is None else match[1]


@pytest.mark.parametrize(
    ("code", "is_final"),
    [("format", True), ("machine", False), ("worker", False), ("too_long", False), (None, False)],
)
def test_an_audit_that_did_not_end_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str | None, *, is_final: bool
) -> None:
    """An archive that can't be read is read once; of a cancelled audit there is no code."""
    codes = [code, ""]

    async def end(service: Service, access: Access, _request: Any, upload: str, _spec: Any) -> Job:
        job = service.queue.add(access, "inspect", upload, {})[0].id
        service.queue.next("inspect")
        match codes.pop(0):
            case None:
                service.queue.cancelled(job)
            case "":
                service.queue.done(job, AUDIT)
            case failed:
                service.queue.failed(job, failed, "failed")
        return service.queue.get(access, job)

    monkeypatch.setattr(module, "ended", end)
    with running(tmp_path) as service:
        add_archive(service)
        assert sequence_of(service) is None
        assert sequence_of(service) == (None if is_final else "t1")
        assert len(list(service.folder.uploads.iterdir())) == 1  # without the copies
    assert codes == ([""] if is_final else [])


def test_a_series_of_no_sequence(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        add_archive(service)
        service.images.note_series(service.images.get(ANN, "study"), {UID: None})
        with pytest.raises(Problem, match="none of T1"):
            sequence_of(service)
