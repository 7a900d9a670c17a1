"""The supervisor without its thread and its workers: what it does with the records of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from gliomask.web.service import Service
from gliomask.web.tokens import Access
from tests.web.service import running

ANN = Access("ann", frozenset(("read", "submit")))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "data") as one:
        yield one


def test_the_upload_of_a_done_job_goes_unless_another_job_uses_it(service: Service) -> None:
    upload = service.uploads.create(ANN).id
    jobs = [service.queue.add(ANN, "predict", upload, {})[0].id for _ in range(2)]
    remaining = []
    for job in jobs:
        service.queue.next("predict")
        service.queue.done(job, {})
        service.supervisor._ended(job, "done")
        remaining.append(service.folder.upload(upload).exists())
    assert remaining == [True, False]


def test_the_upload_of_a_failed_case_stays_for_another_try(service: Service) -> None:
    upload = service.uploads.create(ANN).id
    job = service.queue.add(ANN, "predict", upload, {})[0].id
    service.queue.next("predict")
    service.queue.done(job, {"failures": [{"case": "p2", "reason": "needs t2"}]})
    service.supervisor._ended(job, "done")
    assert service.folder.upload(upload).exists()


def test_a_job_that_killed_many_servers_ends_at_the_next_start(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = service.supervisor
    monkeypatch.setattr(supervisor, "_thread", MagicMock())
    job = service.queue.add(ANN, "predict", service.uploads.create(ANN).id, {})[0].id
    for _ in range(11):
        assert service.queue.next("predict") is not None
        service.folder.job(job).mkdir(exist_ok=True)
        supervisor.start()
    assert service.queue.next("predict") is None
    assert supervisor.ended == {("predict", "failed"): 1}
    ends = [(e.action, e.object, e.outcome) for e in service.audit.entries()]
    assert ends == [("predict.end", job, "failed")]
    assert not service.folder.job(job).exists()
