"""What existing clients send, without workers: forms, limits, labels."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gliomask.web import database as database_module
from gliomask.web.clients import segmentation
from gliomask.web.clients.forms import MAX_FIELD_BYTES, MAX_FIELDS, Part
from gliomask.web.clients.places import takes_files
from gliomask.web.database import Database, open_database
from gliomask.web.labels import labels_present, mask_labels
from gliomask.web.problems import Problem
from gliomask.web.service import Service
from tests.web.corrected import done_job
from tests.web.service import client, running, token_of

BOUNDARY = "xyz"
HEADERS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    limits = {"file_bytes": 1000, "upload_bytes": 1500, "client_images": 2, "open_uploads": 2}
    with running(tmp_path, limits=limits) as one:
        yield one


@pytest.fixture
def ann(service: Service) -> TestClient:
    one = client(service)
    one.base_url = one.base_url.join(f"/k/{token_of(service, 'ann', 'monai')}/")
    return one


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    called = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{called}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def put(one: TestClient, body: bytes, name: str = "a") -> int:
    answer = one.put("datastore/", params={"image": name}, content=body, headers=HEADERS)
    return answer.status_code


@pytest.mark.parametrize(
    ("filename", "base", "suffix"),
    [
        ("/home/ann/Mueller_Hans/t1.nii.gz", "t1.nii.gz", ".nii.gz"),
        (r"C:\Users\ann\MUELLER\t1.NRRD", "t1.NRRD", ".nrrd"),
        ("1.2.840.10008.dcm", "1.2.840.10008.dcm", ".dcm"),
        ("label.seg.nrrd", "label.seg.nrrd", ".nrrd"),
        ("a.gz", "a.gz", ".gz"),
        ("plain", "plain", ""),
        ("", "", ""),
    ],
)
def test_file_names_without_the_folders_of_a_client(filename: str, base: str, suffix: str) -> None:
    sent = Part("file", filename)
    assert (sent.base, sent.suffix) == (base, suffix)


def test_a_file_arrives_as_it_was_sent_in_pieces_of_any_size(
    service: Service, ann: TestClient
) -> None:
    content = bytes(range(256)) + b"\r\n--xy\r\n--"
    body = form(part("params", b"{}"), part("file", content, "/home/x/a.nii.gz"))

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    answer = ann.put("datastore/", params={"image": "t1 é/x"}, content=pieces(), headers=HEADERS)
    assert answer.json() == {"image": "t1 é/x"}
    got = ann.get("datastore/image", params={"image": "t1 é/x"})
    assert got.content == content
    assert "t1%20%C3%A9_x.nii.gz" in got.headers["content-disposition"]
    assert ann.head("datastore/image", params={"image": "t1 é/x"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        form(),
        form(part("file", b"1")),
        form(part("file", b"1", "a.nii"), part("file", b"1", "b.nii")),
        form(part("other", b"1", "a.nii")),
        form(part("file", b"1", "..")),
        part("file", b"1", "a.nii"),
        f"--{BOUNDARY}\r\n\r\n1\r\n--{BOUNDARY}--\r\n".encode(),
        f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\n1\r\n--{BOUNDARY}--".encode(),
        form(*(part(f"f{k}", b"1") for k in range(MAX_FIELDS + 1))),
    ],
)
def test_no_form_of_an_image(service: Service, ann: TestClient, body: bytes) -> None:
    name = "" if b'".."' in body else "a"
    assert put(ann, body, name) == 422
    assert list(service.folder.uploads.iterdir()) == []


def test_a_body_that_is_no_form(ann: TestClient) -> None:
    for kind in ("application/json", "multipart/form-data", "multipart/form-data; boundary="):
        answer = ann.put("datastore/", content=b"x", headers={"content-type": kind})
        assert answer.status_code == 422


def test_too_much(service: Service, ann: TestClient) -> None:
    assert put(ann, form(part("file", b"x" * 1001, "a.nii"))) == 413
    assert put(ann, form(part("params", b"x" * (MAX_FIELD_BYTES + 1)))) == 413
    two = form(*(part("files", b"x" * 800, f"{k}.nii") for k in range(2)))
    assert ann.put("session/", content=two, headers=HEADERS).status_code == 413
    assert list(service.folder.uploads.iterdir()) == []
    one = form(part("file", b"1", "a.nii"))
    assert [put(ann, one, name) for name in ("a", "b", "a", "c")] == [200, 200, 200, 429]
    assert len(list(service.folder.uploads.iterdir())) == 2
    assert ann.delete("datastore/image", params={"id": "a"}).status_code == 200
    assert put(ann, one, "c") == 200


def test_only_requests_with_files_may_be_large() -> None:
    for path in ("/k/t/session/", "/monai/infer", "/k/t/infer/m", "/k/t/datastore/label"):
        assert takes_files(path)
    for path in ("/k/t/auth/token", "/k/t/u/session/", "/infer", "/monai/train/", "/session/"):
        assert not takes_files(path)


def test_images_are_kept_apart_from_the_jobs_that_use_them(service: Service) -> None:
    access = service.tokens.access(token_of(service, "ann", "monai"))
    assert access is not None
    upload = service.uploads.create(access)
    incoming = service.uploads.begin(upload.id, "a.nii", None)
    incoming.write(b"12")
    file = service.uploads.finish(upload.id, 0, "a.nii", incoming)
    service.images.add(access, "a", ".nii", upload.id)
    copy = service.uploads.copy(access, [(upload, file)])
    service.uploads.delete(copy.id)
    assert service.uploads.path(upload, file).read_bytes() == b"12"
    service.images.remove(service.images.get(access, "a"))
    assert service.images.find(access, "a") is None


def test_a_client_gets_no_mask_of_two_examinations_of_which_one_failed(service: Service) -> None:
    access = service.tokens.access(token_of(service))
    assert access is not None
    job = service.queue.get(access, done_job(service))
    assert segmentation.done(service, job).case["case"] == "p1-a"
    assert job.result is not None
    failures = [{"case": "p2", "reason": "damaged"}]
    with pytest.raises(Problem, match="2 examinations in it: send one; p2: damaged"):
        segmentation.done(service, replace(job, result={**job.result, "failures": failures}))


def test_labels_that_a_mask_has() -> None:
    labels = mask_labels(("whole", "core", "enhancing"))
    assert [(one.value, one.region, one.colour) for one in labels] == [
        (1, "core", "#56B4E9"),
        (2, "whole", "#E69F00"),
        (3, "enhancing", "#EE3377"),
    ]
    present = labels_present(labels, {"whole": 9, "core": 4, "enhancing": 4})
    assert [one.value for one in present] == [2, 3]
    assert labels_present(labels, {"whole": 0, "core": 0, "enhancing": 0}) == ()
    (alone,) = mask_labels(("whole",))
    assert (alone.value, alone.name) == (1, "whole tumour")


def test_records_of_an_earlier_version_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "serve.sqlite"
    with monkeypatch.context() as patch:
        patch.setattr(database_module, "_MIGRATIONS", database_module._MIGRATIONS[:1])
        first = Database(path)
        with first.change() as change:
            change.execute("INSERT INTO upload VALUES ('u', 'ann', 1, 2)")
        first.close()
    second = Database(path)
    assert [row["id"] for row in second.rows("SELECT id FROM upload")] == ["u"]
    assert second.rows("SELECT * FROM client_image") == []
    second.close()
    version = sqlite3.connect(path).execute("PRAGMA user_version").fetchone()[0]
    assert version == database_module.VERSION


def test_jobs_of_an_earlier_version_are_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From before killed servers were counted."""
    with monkeypatch.context() as patch:
        patch.setattr(database_module, "_MIGRATIONS", database_module._MIGRATIONS[:6])
        earlier = open_database(tmp_path)
        with earlier.change() as change:
            change.execute(
                "INSERT INTO job(id, owner, kind, state, upload, spec, attempt, created) "
                "VALUES ('j', 'ann', 'predict', 'running', 'u', '{}', 1, 2)"
            )
        earlier.close()
    with running(tmp_path) as service:
        assert service.queue.recover() == 1
        assert service.queue.give_up() == []
        job = service.queue.next("predict")
        assert job is not None
        assert (job.id, job.attempt) == ("j", 1)
