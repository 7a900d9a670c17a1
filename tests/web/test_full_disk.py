"""A disk that fills up: 503 and nothing left, and everything goes on once there is room again."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gliomask.errors import MachineError
from gliomask.web.incoming import Incoming
from gliomask.web.results import Entry, zipped
from gliomask.web.service import Service
from tests.web.corrected import a_mask, base_of, done_job, nifti
from tests.web.service import API, upload

FILE = b"x" * 3_000_000


@contextmanager
def full_disk(size: int = 100) -> Iterator[None]:
    """No file may grow beyond so many bytes, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_can_not_be_stored_is_refused_for_now(service: Service, ann: TestClient) -> None:
    made = upload(ann, a__nii=b"1")
    before = sorted(path.name for path in service.folder.upload(made).iterdir())
    put = f"{API}/uploads/{made}/files/1"
    with full_disk():
        answers = [
            ann.post(f"{API}/uploads"),
            ann.put(put, params={"name": "b.nii"}, content=FILE),
            ann.post(f"{API}/jobs", json={"upload": made}),
            ann.delete(f"{API}/uploads/{made}"),
        ]
        assert ann.get(f"{API}/uploads/{made}").status_code == 200
        assert ann.get(f"{API}/health").status_code == 200
    assert [(one.status_code, one.headers["retry-after"]) for one in answers] == [(503, "60")] * 4
    assert sorted(path.name for path in service.folder.upload(made).iterdir()) == before
    assert ann.put(put, params={"name": "b.nii"}, content=FILE).status_code == 200
    assert ann.post(f"{API}/jobs", json={"upload": made}).status_code == 201
    assert ann.post(f"{API}/uploads").status_code == 201


def test_a_change_that_fails_leaves_no_transaction_open(service: Service) -> None:
    job = done_job(service)
    with full_disk(), pytest.raises(MachineError, match=r"serve\.sqlite: can't be used at present"):
        service.queue.keep(job, 9e9)
    service.queue.keep(job, 9e9)
    row = service.database.row("SELECT expires FROM job WHERE id=?", (job,))
    assert row is not None
    assert row["expires"] == 9e9


def test_a_correction_is_there_whole_or_not_at_all(
    service: Service, ann: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when its row is written, and when its record is."""
    job = done_job(service)
    base, mask = base_of(ann, job), a_mask()
    mask[0, 0, 0] = 2
    content, place = nifti(tmp_path, mask), f"{API}/jobs/{job}/correction"

    @contextmanager
    def failing() -> Iterator[None]:
        raise MachineError("can't be used at present: full")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(service.database, "change", failing)
        answer = ann.put(place, params={"base": base}, content=content)
    assert answer.status_code == 503
    assert list(service.folder.corrections(job).iterdir()) == []
    assert base_of(ann, job) == base
    made = ann.put(place, params={"base": base}, content=content)
    assert made.status_code == 201, made.text
    (record,) = service.folder.corrections(job).rglob("*.json")
    text = record.read_text()
    record.unlink()
    service.corrections.repair()
    assert record.read_text() == text


def test_an_archive_that_can_not_be_finished_leaves_nothing(tmp_path: Path) -> None:
    mask, temporary = tmp_path / "a_mask.nii.gz", tmp_path / "tmp"
    mask.write_bytes(FILE)
    temporary.mkdir()
    with full_disk(), pytest.raises(OSError, match="too large"):
        zipped((Entry("mask", "a", mask),), temporary)
    assert list(temporary.iterdir()) == []


def test_the_watermark_holds_while_a_file_comes(tmp_path: Path) -> None:
    """Of unknown length, or beside a hundred others: what was free at its beginning may be gone."""
    room = iter([True, False])
    (tmp_path / "upload").mkdir()
    incoming = Incoming(tmp_path / "upload", 10**9, lambda: next(room))
    incoming.write(b"x" * 2**20)
    with pytest.raises(Exception, match="disk is full"):
        incoming.write(b"x" * 2**20)
    incoming.discard()
    assert list((tmp_path / "upload").iterdir()) == []


def test_no_new_jobs_while_there_are_no_workers(service: Service, ann: TestClient) -> None:
    """A model that is gone, say; while workers start, jobs may queue."""
    made = upload(ann, a__nii=b"1")
    service.supervisor.problem = "/models/x: not the folder of a model"
    answer = ann.post(f"{API}/jobs", json={"upload": made})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "/models" not in answer.text
    assert ann.get(f"{API}/ready").status_code == 503
    service.supervisor.problem = "the workers are starting"
    assert ann.get(f"{API}/ready").status_code == 503
    assert ann.post(f"{API}/jobs", json={"upload": made}).status_code == 201
