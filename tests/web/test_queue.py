"""The queue: order, states, tries, and that nothing is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gliomask.web import queue as module
from gliomask.web.problems import Problem
from gliomask.web.queue import Job, Queue
from gliomask.web.service import Service
from gliomask.web.tokens import Access
from tests.web.service import running

ANN, BOB = (Access(name, frozenset(("read", "submit"))) for name in ("ann", "bob"))
BOSS = Access("boss", frozenset(("admin",)))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, limits={"queued_jobs": 4, "queued_jobs_per_owner": 3}) as one:
        yield one


def add(
    service: Service, access: Access = ANN, key: str | None = None, request: str = "hash"
) -> Job:
    upload = service.uploads.create(access).id
    idempotency = None if key is None else (key, request)
    return service.queue.add(access, "predict", upload, {"n4": True}, idempotency)[0]


def state(queue: Queue, job: Job) -> str:
    return queue.get(BOSS, job.id).state


def test_jobs_begin_in_their_order(service: Service) -> None:
    queue = service.queue
    jobs = [add(service), add(service, BOB), add(service)]
    assert [queue.get(BOSS, job.id).place for job in jobs] == [0, 1, 2]
    first = queue.next("predict")
    assert first is not None
    assert (first.id, first.state, first.attempt, first.spec) == (
        jobs[0].id,
        "running",
        1,
        {"n4": True},
    )
    assert queue.next("inspect") is None
    assert [queue.get(BOSS, job.id).place for job in jobs] == [None, 0, 1]
    queue.done(first.id, {"cases": []})
    assert state(queue, first) == "done"
    assert queue.get(ANN, first.id).expires is not None


def test_jobs_of_others_are_not_there(service: Service) -> None:
    job = add(service)
    with pytest.raises(Problem, match="no such job"):
        service.queue.get(BOB, job.id)
    assert service.queue.jobs(BOB, 10) == []
    assert [one.id for one in service.queue.jobs(BOSS, 10)] == [job.id]


def test_a_job_that_kills_its_workers_is_given_up(service: Service) -> None:
    job = add(service)
    for expected in ("queued", "queued", "failed"):
        assert service.queue.next("predict") is not None
        assert service.queue.lost(job.id, "was killed") == expected
    ended = service.queue.get(ANN, job.id)
    assert ended.error_text == "failed after 3 attempts: its worker was killed"
    assert service.queue.next("predict") is None


def test_a_server_that_is_killed_costs_no_try(service: Service, tmp_path: Path) -> None:
    job, other = add(service), add(service)
    for _ in range(10):
        begun = service.queue.next("predict")
        assert begun is not None
        assert (begun.id, begun.attempt) == (job.id, 1)
        assert service.queue.recover() == 1
    assert service.queue.next("predict") is not None
    assert service.queue.cancel(job.id) == "running"
    assert service.queue.to_cancel() == [job.id]
    service.queue.recover()
    assert state(service.queue, job) == "cancelled"
    assert state(service.queue, other) == "queued"
    with running(tmp_path) as again:
        assert state(again.queue, other) == "queued"


def test_a_job_during_which_many_servers_are_killed_is_given_up(service: Service) -> None:
    """A container that runs out of memory ends the server together with the worker."""
    queue, job, other = service.queue, add(service), add(service)
    for _ in range(10):
        assert queue.next("predict") is not None
        queue.recover()
        assert queue.give_up() == []
    queue.next("predict")
    queue.recover()
    assert queue.give_up() == [job.id]
    ended = queue.get(ANN, job.id)
    text = "failed: the server was killed 11 times while processing this job"
    assert (ended.state, ended.error_code, ended.error_text) == ("failed", "worker", text)
    assert ended.expires is not None
    following = queue.next("predict")
    assert following is not None
    assert following.id == other.id


def test_what_interrupts_jobs_without_killing_the_server_never_ends_them(service: Service) -> None:
    """A restart, or a full disk that the supervisor waits for."""
    job = add(service)
    for _ in range(20):
        assert service.queue.next("predict") is not None
        service.queue.put_back(job.id)
        assert service.queue.next("predict") is not None
        assert service.queue.recover(killed=False) == 1
    assert service.queue.give_up() == []
    assert state(service.queue, job) == "queued"


def test_cancel(service: Service) -> None:
    queue, job = service.queue, add(service)
    assert queue.cancel(job.id) == "cancelled"
    assert queue.next("predict") is None
    running_job = add(service)
    queue.next("predict")
    assert queue.cancel(running_job.id) == "running"
    queue.cancelled(running_job.id)
    queue.done(running_job.id, {})  # too late
    assert state(queue, running_job) == "cancelled"


def test_too_many_jobs(service: Service) -> None:
    for _ in range(3):
        add(service)
    with pytest.raises(Problem) as own:
        add(service)
    assert own.value.status_code == 429
    add(service, BOB)
    with pytest.raises(Problem) as every:
        add(service, BOSS)
    assert every.value.status_code == 503


def test_a_key_gives_the_same_job(service: Service) -> None:
    job = add(service, key="k")
    assert add(service, key="k").id == job.id
    assert add(service, BOB, key="k").id != job.id
    found = service.queue.find(ANN, ("k", "hash"))
    assert found is not None
    assert found.id == job.id
    with pytest.raises(Problem, match="used for another request"):
        service.queue.find(ANN, ("k", "another hash"))
    with pytest.raises(Problem, match="used for another request"):
        add(service, key="k", request="another hash")


def test_results_expire_with_all_that_they_say(tmp_path: Path) -> None:
    with running(tmp_path, limits={"result_hours": 1e-9}) as service:
        job = add(service)
        service.queue.next("predict")
        service.queue.failed(job.id, "format", "a name in a text")
        assert service.queue.expire() == [job.id]
        gone = service.queue.get(ANN, job.id)
        assert (gone.state, gone.error_text, gone.spec, gone.result) == ("expired", None, {}, None)


def test_lists_leave_out_what_is_too_large_together(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest results are in the list; each job by itself has its own."""
    monkeypatch.setattr(module, "_LIST_BYTES", 50)
    result, jobs = {"cases": ["x" * 10]}, []  # 25 bytes as JSON
    for _ in range(3):
        jobs.append(add(service).id)
        service.queue.next("predict")
        service.queue.done(jobs[-1], result)
    assert [one.result for one in service.queue.jobs(ANN, 10)] == [result, result, None]
    assert [service.queue.get(ANN, job).result for job in jobs] == [result] * 3
