"""Every operation of the API with every kind of token: what it may do, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from gliomask.config.serve import Scope
from gliomask.web import tokens as module
from gliomask.web.database import now
from gliomask.web.service import Service
from tests.web.corrected import done_job
from tests.web.service import API, client, revoke, running, token_of

JOB = "0" * 32
NEEDS: dict[tuple[str, str], set[Scope]] = {
    ("post", "/uploads"): {"submit"},
    ("get", "/uploads/{upload}"): {"submit"},
    ("delete", "/uploads/{upload}"): {"submit"},
    ("put", "/uploads/{upload}/files/{number}"): {"submit"},
    ("post", "/jobs"): {"submit"},
    ("get", "/jobs"): {"read"},
    ("get", "/jobs/{job}"): {"read"},
    ("get", "/jobs/{job}/events"): {"read"},
    ("delete", "/jobs/{job}"): {"submit"},
    ("delete", "/jobs/{job}/files"): {"submit"},
    ("get", "/jobs/{job}/files/{kind}"): {"read"},
    ("get", "/jobs/{job}/corrections"): {"read"},
    ("get", "/jobs/{job}/layers/{layer}"): {"read"},
    ("put", "/jobs/{job}/correction"): {"submit", "review"},
    ("delete", "/jobs/{job}/correction/{number}"): {"submit", "review"},
    ("post", "/jobs/{job}/correction/{number}/approval"): {"submit", "review"},
    ("delete", "/jobs/{job}/correction/{number}/approval"): {"submit", "review"},
    ("get", "/follow"): {"read"},
    ("get", "/models"): {"read"},
    ("get", "/limits"): {"read"},
    ("get", "/metrics"): set(),  # admin alone
}
OPEN = {("get", "/health"), ("get", "/ready"), ("post", "/session"), ("delete", "/session")}
SCOPES: tuple[Scope, ...] = ("read", "submit", "review", "monai", "admin")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path) as one:
        yield one


def ask(one: TestClient, method: str, path: str) -> Any:
    filled = path.format(job=JOB, upload=JOB, number=1, kind="mask", layer="mask")
    params = {"name": "a", "base": "0" * 64, "of": [JOB, JOB]}
    body = {"upload": JOB} if (method, path) == ("post", "/jobs") else None
    return one.request(method, API + filled, params=params, json=body)


def test_every_operation_with_every_scope(service: Service) -> None:
    schema = client(service).get(f"{API}/openapi.json").json()
    listed = {(m, path.removeprefix(API)) for path, one in schema["paths"].items() for m in one}
    assert listed == set(NEEDS) | OPEN
    nobody = client(service)
    tokens = {scope: client(service, token_of(service, "ann", scope)) for scope in SCOPES}
    for (method, path), scopes in NEEDS.items():
        assert ask(nobody, method, path).status_code == 401, (method, path)
        for scope, one in tokens.items():
            status = ask(one, method, path).status_code
            allowed = scope in scopes or scope == "admin"
            assert (status not in (401, 403)) is allowed, (method, path, scope, status)


def test_what_reads_can_not_change(service: Service) -> None:
    """A token that leaked and may only read: nothing that it can ask for leaves a trace."""
    job = done_job(service)
    eve = client(service, token_of(service, "ann", "read"))
    before = {p: p.read_bytes() for p in service.folder.root.rglob("*") if p.is_file()}
    for method, path in NEEDS:
        if method != "get":
            filled = path.format(job=job, upload=job, number=1, kind="mask", layer="mask")
            answer = eve.request(method, API + filled, params={"name": "a", "base": "0" * 64})
            assert answer.status_code in (403, 422), (method, path)
    assert eve.get(f"{API}/jobs/{job}").json()["state"] == "done"
    after = {p: p.read_bytes() for p in service.folder.root.rglob("*") if p.is_file()}
    ignored = {p for p in after if p.name.startswith("serve.sqlite")}
    assert {p: c for p, c in after.items() if p not in ignored} == {
        p: c for p, c in before.items() if p not in ignored
    }


def test_a_token_ends_at_once_for_every_protocol(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revoked or expired: in the header, in the cookie, as a password, in the address."""

    def statuses(token: str) -> list[int]:
        anyone, page = client(service), client(service)
        page.cookies.set(service.cookie, token)
        signed = anyone.post("/monai/auth/token", data={"username": "a", "password": token})
        return [
            client(service, token).get(f"{API}/jobs").status_code,
            page.get(f"{API}/jobs").status_code,
            signed.status_code,
            client(service, token).get("/monai/auth/token/valid").status_code,
            anyone.get(f"/k/{token}/info/").status_code,
            anyone.post(f"{API}/session", json={"token": token}).status_code,
        ]

    token = token_of(service, "ann", "read", "monai")
    assert statuses(token) == [200, 200, 200, 200, 200, 204]
    start = now()
    monkeypatch.setattr(module, "now", lambda: start + 1.1 * module.DAY_S)
    assert statuses(token) == [401, 401, 401, 401, 404, 401]
    monkeypatch.undo()
    assert statuses(token)[0] == 200
    revoke(service, "ann")
    assert statuses(token) == [401, 401, 401, 401, 404, 401]


@pytest.mark.parametrize(
    "value", ["", " ", "Bearer", "Bearer ", "Basic YTpi", "bearer x y", "Bearer %00", "Bearer '--"]
)
def test_headers_that_are_no_token(service: Service, value: str) -> None:
    token_of(service)
    answer = client(service).get(f"{API}/jobs", headers={"authorization": value})
    assert answer.status_code == 401


HOSTILE_SQL = (
    "' OR 1=1 --", "'; DROP TABLE job; --", "\" OR \"\"=\"", "1) UNION SELECT hash FROM token --",
    "%' OR '%'='", "\\' OR 1=1 --", "x' AND randomblob(1000000000) --",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE_SQL)
def test_texts_that_are_statements(service: Service, text: str) -> None:
    """Of the database: in ids, names, keys, owners."""
    done_job(service, owner="bob")
    ann = client(service, token_of(service, text, "read", "submit", "monai"))
    assert ann.get(f"{API}/jobs").json() == []
    assert ann.get(f"{API}/jobs", params={"before": text}).json() == []
    for path in (f"/jobs/{text[:60]}", f"/uploads/{text[:60]}", f"/jobs/{text[:60]}/files/{text}"):
        assert ann.get(API + path).status_code == 404
    made = ann.post(f"{API}/uploads").json()["id"]
    put = ann.put(f"{API}/uploads/{made}/files/0", params={"name": text}, content=b"1")
    assert put.status_code in (200, 422)
    key = {"idempotency-key": text}
    ann.put(f"{API}/uploads/{made}/files/0", params={"name": "a.nii"}, content=b"1")
    assert ann.post(f"{API}/jobs", json={"upload": made}, headers=key).status_code == 201
    assert ann.get("/monai/datastore/image", params={"image": text}).status_code == 404
    assert ann.delete("/monai/datastore/", params={"id": text}).status_code == 404
    assert len(service.database.rows("SELECT * FROM job")) == 2


def test_keys_of_others(service: Service) -> None:
    """An Idempotency-Key is its owner's own; a key of 201 characters is none."""
    made = {}
    for owner in ("ann", "bob"):
        one = client(service, token_of(service, owner))
        upload = one.post(f"{API}/uploads").json()["id"]
        one.put(f"{API}/uploads/{upload}/files/0", params={"name": "a.nii"}, content=b"1")
        body, key = {"upload": upload}, {"idempotency-key": "same"}
        answer = one.post(f"{API}/jobs", json=body, headers=key)
        assert answer.status_code == 201
        made[owner] = answer.json()["id"]
        long = {"idempotency-key": "k" * 201}
        assert one.post(f"{API}/jobs", json=body, headers=long).status_code == 422
    assert made["ann"] != made["bob"]


def test_tokens_are_in_no_log(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor in answers, not even where something is broken; in the address they would be."""
    caplog.set_level(0)
    token = token_of(service, "ann", "read", "submit", "monai")
    one, signed = client(service), client(service, token)

    def broken(*_: object) -> None:
        raise KeyError(token)

    monkeypatch.setattr(type(service.images), "of", broken)
    monkeypatch.setattr(type(service.queue), "jobs", broken)
    texts = [
        one.get(f"/k/{token}/datastore/").text,
        one.get(f"/k/{token}/nothing").text,
        one.put(f"/k/{token}/datastore/", content=b"x").text,
        one.get(f"/{token}").text,
        signed.get(f"{API}/jobs").text,
    ]
    assert signed.get(f"{API}/jobs").status_code == 500
    answer = one.get("/", params={"token": token})
    assert token not in answer.headers["location"]
    ours = [record.getMessage() for record in caplog.records if "httpx" not in record.name]
    assert any("KeyError" in text for text in ours)
    assert token not in "".join(texts) + "".join(ours)
    assert token not in str([(e.actor, e.action, e.object) for e in service.audit.entries()])
