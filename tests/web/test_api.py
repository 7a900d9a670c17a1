"""The API without workers: who may ask for what, how much, and what is said otherwise."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from gliomask.config.segment import SegmentOptions
from gliomask.formats import editable_case
from gliomask.report.package_files import NIIVUE_SHA256
from gliomask.web import submission
from gliomask.web.service import Service
from gliomask.web.tokens import PREFIX
from gliomask.web.uploads import Upload, Uploads, check_files
from gliomask.workflows.predict import PredictOptions
from tests.web.corrected import done_job
from tests.web.service import API, client, running, token_of, upload

PLANTED = "Mueller_Hans_19480312"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    limits = {"file_bytes": 1000, "upload_bytes": 1500, "upload_files": 3, "open_uploads": 2}
    with running(tmp_path, limits=limits) as one:
        yield one


@pytest.fixture
def ann(service: Service) -> TestClient:
    return client(service, token_of(service))


def put(one: TestClient, made: str, name: str, content: Any = b"x", **headers: str) -> Any:
    path = f"{API}/uploads/{made}/files/0"
    return one.put(path, params={"name": name}, content=content, headers=headers)


def test_the_options_are_those_of_the_command() -> None:
    own, other = (model.model_json_schema() for model in (SegmentOptions, PredictOptions))
    assert len(own["properties"]) == 9
    for name, field in own["properties"].items():
        assert field == other["properties"][name], name


def test_without_a_token_nothing_is_told(service: Service, ann: TestClient) -> None:
    made = upload(ann, a__nii=b"1")
    other = client(service)
    for method, path in (
        ("GET", "/jobs"),
        ("POST", "/uploads"),
        ("GET", f"/uploads/{made}"),
        ("PUT", f"/uploads/{made}/files/1?name=a"),
        ("GET", "/models"),
        ("GET", "/limits"),
        ("GET", "/metrics"),
    ):
        answer = other.request(method, API + path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "token"
    assert other.get(f"{API}/health").status_code == 200
    assert client(service, PREFIX + "x" * 43).get(f"{API}/jobs").status_code == 401


def test_scopes(service: Service) -> None:
    reader = client(service, token_of(service, "ann", "read"))
    assert reader.get(f"{API}/jobs").json() == []
    assert reader.post(f"{API}/uploads").status_code == 403
    assert reader.get(f"{API}/metrics").status_code == 403
    boss = client(service, token_of(service, "boss", "admin"))
    text = boss.get(f"{API}/metrics").text
    assert "\ngliomask_ready 0\n" in text
    assert "# TYPE gliomask_disk_free_bytes gauge" in text


def test_what_belongs_to_others_is_not_there(service: Service, ann: TestClient) -> None:
    made = upload(ann, a__nii=b"1")
    job = ann.post(f"{API}/jobs", json={"upload": made}).json()["id"]
    bob = client(service, token_of(service, "bob"))
    nowhere = bob.get(f"{API}/jobs/{'0' * 32}")
    for method, path in (
        ("GET", f"/jobs/{job}"),
        ("GET", f"/jobs/{job}/events"),
        ("DELETE", f"/jobs/{job}"),
        ("DELETE", f"/jobs/{job}/files"),
        ("GET", f"/jobs/{job}/files/mask"),
    ):
        answer = bob.request(method, API + path)
        assert (answer.status_code, answer.json()) == (404, nowhere.json())
    assert bob.get(f"{API}/uploads/{made}").status_code == 404
    assert bob.post(f"{API}/jobs", json={"upload": made}).status_code == 404
    assert ann.get(f"{API}/jobs/{job}").json()["state"] == "queued"


def test_the_page_takes_its_token_out_of_the_address(service: Service) -> None:
    token = token_of(service)
    one = client(service)
    answer = one.get("/", params={"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "path=/"):
        assert part in cookie
    assert one.get(f"{API}/jobs").status_code == 200
    page = one.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert one.delete(f"{API}/session").status_code == 204
    one.cookies.clear()
    assert one.post(f"{API}/session", json={"token": "x"}).status_code == 401
    assert one.post(f"{API}/session", json={"token": token}).status_code == 204
    assert one.get(f"{API}/jobs").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "evil.example:8000"},
        {"host": "[::1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_other_sites_get_nothing(ann: TestClient, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/jobs"), ("POST", "/uploads"), ("OPTIONS", "/jobs")):
        answer = ann.request(method, API + path, headers=headers)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_viewer_is_sent_compressed_and_once(ann: TestClient) -> None:
    sent = {
        encoding: ann.get("/static/niivue.js", headers={"accept-encoding": encoding})
        for encoding in ("gzip, br", "identity")
    }
    assert sent["gzip, br"].headers["content-encoding"] == "gzip"
    assert "content-encoding" not in sent["identity"].headers
    assert int(sent["gzip, br"].headers["content-length"]) < 1e6
    for answer in sent.values():  # the client has decompressed them
        assert hashlib.sha256(answer.content).hexdigest() == NIIVUE_SHA256
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["vary"] == "accept-encoding"
    known = {"if-none-match": sent["gzip, br"].headers["etag"]}
    again = ann.get("/static/niivue.js", headers=known)
    assert (again.status_code, again.content) == (304, b"")


def test_our_own_page_may_ask(ann: TestClient) -> None:
    for host in ("127.0.0.1", "localhost:8000", "[::1]:8000"):
        headers = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
        assert ann.get(f"{API}/jobs", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "name", ["../a", "/a", "a/../b", "a//b", "a\\b", "c:a", "a\0", "a\n", "", ".", "a/", "x" * 256]
)
def test_names_that_lead_elsewhere(service: Service, ann: TestClient, name: str) -> None:
    made = upload(ann)
    answer = put(ann, made, name)
    assert answer.status_code == 422
    assert list(service.folder.upload(made).iterdir()) == []


def test_a_name_is_data_only(service: Service, ann: TestClient) -> None:
    made = ann.post(f"{API}/uploads").json()["id"]
    told = put(ann, made, f"{PLANTED}/ünï <b>.nii.gz", b"12345").json()
    assert told["name"] == f"{PLANTED}/ünï <b>.nii.gz"
    assert told["size"] == 5
    digest = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"
    assert told["sha256"] == digest
    (stored,) = service.folder.upload(made).iterdir()
    assert PLANTED not in stored.name
    assert stored.read_bytes() == b"12345"
    again = put(ann, made, "b.nii", b"6").json()
    (stored,) = service.folder.upload(made).iterdir()
    assert (again["number"], stored.read_bytes()) == (0, b"6")
    assert [file["name"] for file in ann.get(f"{API}/uploads/{made}").json()["files"]] == ["b.nii"]
    assert ann.delete(f"{API}/uploads/{made}").status_code == 204
    assert not service.folder.upload(made).exists()


def test_too_much(service: Service, ann: TestClient) -> None:
    made = upload(ann)
    assert put(ann, made, "a", b"x" * 1001).status_code == 413
    parts = (b"x" * 300 for _ in range(5))  # without a length
    answer = put(ann, made, "a", parts)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert list(service.folder.upload(made).iterdir()) == []
    upload_all = upload(ann, a=b"x" * 800)
    path = f"{API}/uploads/{upload_all}/files/7"
    assert ann.put(path, params={"name": "b"}, content=b"x" * 800).status_code == 413
    assert len(list(service.folder.upload(upload_all).iterdir())) == 1
    assert ann.post(f"{API}/uploads").status_code == 429
    assert ann.post(f"{API}/jobs", content=b"x" * 2**21).status_code == 413
    assert put(ann, made, "a", b"x", **{"content-encoding": "gzip"}).status_code == 415
    assert put(ann, made, "a", b"x", **{"content-length": "9" * 30}).status_code in (400, 413)


def test_too_many_files(ann: TestClient) -> None:
    made = upload(ann, a=b"1", b=b"2", c=b"3")
    answer = ann.put(f"{API}/uploads/{made}/files/9", params={"name": "d"}, content=b"4")
    assert answer.status_code == 413


def test_a_full_disk(tmp_path: Path) -> None:
    with running(tmp_path, limits={"free_bytes": 2**60}) as full:
        one = client(full, token_of(full))
        made = upload(one)
        answer = put(one, made, "a")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")
        assert one.get(f"{API}/ready").status_code == 503


def test_an_upload_that_a_job_uses_stays_as_it_is(ann: TestClient) -> None:
    made = upload(ann, a__nii=b"1")
    job = ann.post(f"{API}/jobs", json={"upload": made, "kind": "inspect"}).json()
    assert (job["kind"], job["state"], job["place"]) == ("inspect", "queued", 0)
    assert put(ann, made, "b").status_code == 409
    assert ann.delete(f"{API}/uploads/{made}").status_code == 409
    assert ann.delete(f"{API}/jobs/{job['id']}/files").status_code == 409
    assert ann.get(f"{API}/jobs/{job['id']}/files/audit").status_code == 409
    assert ann.delete(f"{API}/jobs/{job['id']}").json()["state"] == "cancelled"
    assert put(ann, made, "b").status_code == 200


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"options": {"thresold": 0.5}}, "unknown key 'options.thresold'"),
        ({"options": {"threshold": 1}}, "options.threshold: allowed less than 1"),
        ({"options": {"write": ["exe"]}}, "options.write.0: allowed nifti, nrrd, png"),
        ({"options": {"model": "none"}}, "no such model (allowed: u2netp-glioma)"),
        ({"options": {"sequences": {"flair": 5}}}, "a file that the upload does not have"),
        ({"options": {"out": "/tmp"}}, "unknown key 'options.out'"),  # noqa: S108
        ({"options": {"bids": "/tmp"}}, "unknown key 'options.bids'"),  # noqa: S108
        ({"kind": "train"}, "body: allowed another value"),
        ({"kind": "inspect", "options": {"n4": True}}, "unknown key 'options.n4'"),
        ({"upload": "../x"}, "upload: allowed text like"),
    ],
)
def test_jobs_that_are_not_taken(ann: TestClient, changes: dict[str, Any], text: str) -> None:
    made = upload(ann, a__nii=b"1")
    answer = ann.post(f"{API}/jobs", json={"upload": made, **changes})
    assert answer.status_code == 422
    assert text in answer.json()["text"]
    assert ann.get(f"{API}/jobs").json() == []


def test_files_that_can_not_lie_beside_each_other(ann: TestClient) -> None:
    assert "no files" in ann.post(f"{API}/jobs", json={"upload": upload(ann)}).json()["text"]
    twice = upload(ann, a=b"1", A=b"2")
    assert "occurs twice" in ann.post(f"{API}/jobs", json={"upload": twice}).json()["text"]


def test_idempotency(ann: TestClient) -> None:
    made, key = upload(ann, a__nii=b"1"), {"idempotency-key": "k"}
    first = ann.post(f"{API}/jobs", json={"upload": made}, headers=key)
    again = ann.post(f"{API}/jobs", json={"upload": made}, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = {"upload": made, "options": {"n4": True}}
    assert ann.post(f"{API}/jobs", json=other, headers=key).status_code == 409
    assert len(ann.get(f"{API}/jobs").json()) == 1


@pytest.mark.parametrize(("options", "expected"), [({}, 200), ({"n4": True}, 409)])
def test_two_requests_at_once_with_one_idempotency_key(
    service: Service,
    ann: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, bool],
    expected: int,
) -> None:
    """The second one comes while the first is on its way to the queue; one job is created."""
    made, key = upload(ann, a__nii=b"1"), {"idempotency-key": "k"}
    other, answers = client(service, token_of(service)), list[Any]()

    def overtaken(stored: Upload) -> None:
        if not answers:
            answers.append(None)
            answers[0] = other.post(f"{API}/jobs", json={"upload": made}, headers=key)
        check_files(stored)

    monkeypatch.setattr(submission, "check_files", overtaken)
    body = {"upload": made, "options": options}
    answers.append(ann.post(f"{API}/jobs", json=body, headers=key))
    assert [answer.status_code for answer in answers] == [201, expected]
    (job,) = ann.get(f"{API}/jobs").json()
    created = [e.object for e in service.audit.entries() if e.action == "predict.create"]
    assert created == [job["id"]] == [answers[0].json()["id"]]


def test_a_damaged_file_of_a_result_is_reported_without_its_name(
    service: Service, ann: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no full disk: another attempt would not help."""
    job = done_job(service, case=PLANTED)
    (service.folder.editable(job, PLANTED) / editable_case.FILE).write_text("{")
    answer = ann.get(f"{API}/jobs/{job}/corrections")
    assert (answer.status_code, answer.json()["code"]) == (500, "bug")
    assert "retry-after" not in answer.headers
    assert "FormatError in formats/editable_case.py line " in caplog.text
    assert PLANTED not in caplog.text + answer.text


def test_waiting_and_events(service: Service, ann: TestClient) -> None:
    job = ann.post(f"{API}/jobs", json={"upload": upload(ann, a__nii=b"1")}).json()["id"]
    assert ann.get(f"{API}/jobs/{job}", params={"wait": 0.3}).json()["state"] == "queued"
    service.queue.next("predict")
    service.queue.failed(job, "format", "not a NIfTI file")
    told = ann.get(f"{API}/jobs/{job}", params={"wait": 60}).json()
    assert told["error"] == {"code": "format", "text": "not a NIfTI file"}
    text = ann.get(f"{API}/jobs/{job}/events").text
    assert text.startswith("event: job\ndata: ")
    assert json.loads(text.split("data: ")[1])["state"] == "failed"
    assert ann.delete(f"{API}/jobs/{job}").json()["state"] == "failed"
    assert ann.delete(f"{API}/jobs/{job}/files").json()["state"] == "expired"


def test_a_method_that_is_not_there_names_those_that_are(ann: TestClient) -> None:
    answer = ann.patch(f"{API}/jobs/{'0' * 32}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET"


def test_a_bug_is_told_without_its_text(
    service: Service,
    ann: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise KeyError(PLANTED)

    monkeypatch.setattr(type(service.queue), "jobs", broken)
    answer = ann.get(f"{API}/jobs")
    assert answer.status_code == 500
    assert PLANTED not in answer.text + caplog.text
    assert "KeyError" in caplog.text


def test_no_token_is_asked_for_where_nobody_else_comes(tmp_path: Path) -> None:
    with running(tmp_path, token=False) as alone:
        one = client(alone)
        assert one.get(f"{API}/jobs").json() == []
        assert one.get(f"{API}/jobs", headers={"host": "evil.example"}).status_code == 403


def test_the_schema_is_there(ann: TestClient) -> None:
    schema = ann.get(f"{API}/openapi.json").json()
    assert {"/api/v1/jobs", "/api/v1/uploads/{upload}/files/{number}"} < set(schema["paths"])
    assert ann.get("/docs").status_code == 404


def test_uploads_are_deleted_when_nobody_uses_them(tmp_path: Path) -> None:
    with running(tmp_path, limits={"upload_hours": 1e-9}) as hasty:
        one = client(hasty, token_of(hasty))
        left, used = upload(one, a__nii=b"1"), upload(one, a__nii=b"1")
        assert one.post(f"{API}/jobs", json={"upload": used}).status_code == 201
        assert hasty.uploads.expire() == [left]
        assert not hasty.folder.upload(left).exists()
        assert hasty.folder.upload(used).is_dir()


def test_an_upload_does_not_expire_when_a_job_comes_at_that_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, limits={"upload_hours": 1e-9}) as hasty:
        one = client(hasty, token_of(hasty))
        left, used = upload(one, a__nii=b"1"), upload(one, a__nii=b"1")
        is_in_use = Uploads._is_in_use

        def submitting(self: Uploads, made: str, moment: float) -> bool:
            if made == used:
                assert one.post(f"{API}/jobs", json={"upload": used}).status_code == 201
            return is_in_use(self, made, moment)

        monkeypatch.setattr(Uploads, "_is_in_use", submitting)
        assert hasty.uploads.expire() == [left]
        assert hasty.folder.upload(used).is_dir()


def test_an_upload_does_not_expire_while_a_file_is_received(
    service: Service, ann: TestClient
) -> None:
    """A large file may take longer than an upload lives, but something arrives."""
    made = upload(ann)
    with service.database.change() as change:
        change.execute("UPDATE upload SET expires=0")
    incoming = service.uploads.begin(made, "a.nii", None)
    incoming.write(b"x" * 500)
    assert service.uploads.expire() == []
    old = time.time() - 3600 * service.options.limits.upload_hours - 1
    os.utime(incoming.path, (old, old))
    assert service.uploads.expire() == [made]
    assert not service.folder.upload(made).exists()
    incoming.discard()


def test_what_a_killed_server_left_is_swept(service: Service, ann: TestClient) -> None:
    made = upload(ann, a__nii=b"1")
    (kept,) = service.folder.upload(made).iterdir()
    (service.folder.upload(made) / "half").write_bytes(b"half a file")
    (service.folder.uploads / "unknown").mkdir()
    service.uploads.sweep()
    assert list(service.folder.upload(made).iterdir()) == [kept]
    assert kept.read_bytes() == b"1"
    assert [one.name for one in service.folder.uploads.iterdir()] == [made]
