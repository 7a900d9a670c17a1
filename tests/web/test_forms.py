"""Hostile forms on the routes of other programs' clients: refused early, nothing left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from python_multipart.multipart import MultipartParser
from starlette.testclient import TestClient

from gliomask.web.clients import forms
from gliomask.web.service import Service
from tests.web.service import client, running, token_of

MODEL = "u2netp-glioma"
MANY = 100_000
EARLY = 2 * 2**16
"""Bytes of a form that are parsed at most before it is refused."""
ROUTES = {
    "image": ("PUT", "/datastore/?image=t1", "file"),
    "session": ("PUT", "/session/", "files"),
    "label": ("PUT", "/datastore/label?image=kept", "label"),
    "infer": ("POST", f"/infer/{MODEL}?image=kept", "file"),
    "Auto3DSeg": ("POST", f"/infer?model_name={MODEL}.flair-t1", "image_file"),
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path) as one:
        yield one


class CountingParser(MultipartParser):
    """Parser that counts the bytes that it receives."""

    total = 0

    def write(self, data: bytes) -> int:
        CountingParser.total += len(data)
        return super().write(data)


@pytest.fixture(autouse=True)
def parser(monkeypatch: pytest.MonkeyPatch) -> type[CountingParser]:
    monkeypatch.setattr(CountingParser, "total", 0)
    monkeypatch.setattr(forms, "MultipartParser", CountingParser)
    return CountingParser


@pytest.fixture
def ann(service: Service) -> TestClient:
    one = client(service, token_of(service, "ann", "monai"))
    one.base_url = one.base_url.join("/monai")
    sent = one.put("/datastore/", params={"image": "kept"}, files={"file": ("a.nii", b"1")})
    assert sent.status_code == 200, sent.text
    return one


def part(name: str, filename: str | None = "a.nii", body: bytes = b"1", more: str = "") -> bytes:
    called = "" if filename is None else f'; filename="{filename}"'
    head = f'--B\r\nContent-Disposition: form-data; name="{name}"{called}\r\n{more}\r\n'
    return head.encode() + body + b"\r\n"


def fields(number: int) -> bytes:
    return b"".join(part(f"f{n}", None) for n in range(number))


END = b"--B--\r\n"
HOSTILE: dict[str, Any] = {
    "one field many times": lambda _: part("a", None) * MANY,
    "many fields": lambda _: fields(MANY),
    "many files": lambda name: part(name) * MANY,
    "many other files": lambda _: part("other") * MANY,
    "many nameless parts": lambda _: b"--B\r\n\r\n\r\n" * MANY,
    "a large header": lambda name: part(name, more="X: " + "a" * 10**6 + "\r\n"),
    "a large name of a header": lambda name: part(name, more="a" * 10**6 + ": b\r\n"),
    "many headers": lambda name: part(name, more="X: a\r\n" * MANY),
    "many parameters": lambda name: part(name, 'a"' + "; a=b" * MANY + '; b="'),
    "a large file name": lambda name: part(name, "a" * 10**6),
    "two dispositions": lambda name: part(
        name, more=f'Content-Disposition: form-data; name="{name}"; filename="b.nii"\r\n'
    ),
    "bytes before the boundary": lambda name: b"x" * 10**6 + part(name),
    "a field of two megabytes": lambda _: part("params", None, b"x" * 2 * 10**6),
    "one field twice": lambda name: part("params", None) * 2 + part(name),
    "no file": lambda _: part("params", None, b"{}"),
}


def refused(ann: TestClient, route: str, body: bytes, kind: str) -> Any:
    """The answer to a form that is refused before most of it is parsed."""
    method, path, _ = ROUTES[route]
    CountingParser.total = 0
    answer = ann.request(method, path, content=body, headers={"content-type": kind})
    assert answer.status_code in (400, 413, 422), answer.text
    assert CountingParser.total <= EARLY
    return answer


def left(service: Service) -> list[str]:
    """Names of the files of all uploads, without the image that is kept."""
    (kept,) = service.database.rows("SELECT stored FROM upload_file")
    return [
        path.name
        for path in service.folder.uploads.rglob("*")
        if path.is_file() and path.name != kept["stored"]
    ]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (no stat of what closes meanwhile)


@pytest.mark.parametrize("route", ["image", "label"])
@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "no file"])
def test_hostile_forms(service: Service, ann: TestClient, route: str, name: str) -> None:
    _hostile_form(service, ann, route, name)


@pytest.mark.slow
@pytest.mark.parametrize("route", ["session", "infer", "Auto3DSeg"])
@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_forms_on_all_routes(
    service: Service, ann: TestClient, route: str, name: str
) -> None:
    _hostile_form(service, ann, route, name)


def _hostile_form(service: Service, ann: TestClient, route: str, name: str) -> None:
    if (route, name) == ("infer", "no file"):
        pytest.skip("an image that is kept may be asked for")
    files = open_files()
    body = HOSTILE[name](ROUTES[route][2]) + END
    refused(ann, route, body, "multipart/form-data; boundary=B")
    assert CountingParser.total > 0
    assert left(service) == []
    assert open_files() <= files


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'a' * 300}",
        "multipart/mixed; boundary=B",
        "application/x-www-form-urlencoded",
        "text/plain",
    ],
)
@pytest.mark.parametrize("route", list(ROUTES))
def test_no_form(service: Service, ann: TestClient, route: str, kind: str) -> None:
    refused(ann, route, part(ROUTES[route][2]) + END, kind)
    assert left(service) == []


@pytest.mark.parametrize(
    "filename", ["../../x.nii", "/etc/x.nii", "C:\\x\\..\\y.nii", "..", "a\\..\\b.nii", "%2e%2e"]
)
def test_names_of_files_are_no_places(service: Service, ann: TestClient, filename: str) -> None:
    """A session's files keep the last part of the name; those of other routes are renamed."""
    answer = ann.put("/session/", files={"files": (filename, b"1")})
    assert answer.status_code in (200, 422)
    names = {row["name"] for row in service.database.rows("SELECT name FROM upload_file")}
    assert not [name for name in names if "/" in name or "\\" in name or name == ".."]
    stored = [p for p in service.folder.root.rglob("*") if p.is_file() and p.stat().st_size == 1]
    assert {path.parent.parent for path in stored} == {service.folder.uploads}


PARAMS = {
    "NaN": '{"a": NaN}',
    "infinity": '{"a": -Infinity}',
    "half a surrogate pair": '{"a": "\\ud800"}',
    "nested": "[" * 15_000,
    "nested objects": '{"a":' * 5_000,
    "digits": '{"a": ' + "9" * 30_000 + "}",
    "a list": "[]",
    "text": "params",
}


@pytest.mark.parametrize("name", list(PARAMS))
def test_a_label_that_is_refused_changes_nothing(
    service: Service, ann: TestClient, name: str
) -> None:
    """Neither the image nor the label that there was before."""
    good: dict[str, Any] = {"label": ("l.nrrd", b"first"), "params": (None, '{"label_info": []}')}
    assert ann.put("/datastore/label", params={"image": "kept"}, files=good).status_code == 200
    bad: dict[str, Any] = {"label": ("l.nrrd", b"second"), "params": (None, PARAMS[name])}
    answer = ann.put("/datastore/label", params={"image": "kept"}, files=bad)
    assert (answer.status_code, "JSON object" in answer.text) == (422, True)
    assert ann.get("/datastore/image", params={"image": "kept"}).content == b"1"
    label = {"label": "kept", "tag": "final"}
    assert ann.get("/datastore/label", params=label).content == b"first"
    objects = ann.get("/datastore/", params={"output": "all"}).json()["objects"]
    assert objects["kept"]["labels"]["final"]["info"]["label_info"] == []
    assert len(service.database.rows("SELECT * FROM upload_file")) == 2
    again = ann.put("/datastore/updatelabelinfo", params=label, data={"params": PARAMS[name]})
    assert again.status_code == 422
    asked = ann.post(
        f"/infer/{MODEL}", params={"image": "kept"}, files={"params": (None, PARAMS[name])}
    )
    assert asked.status_code == 422


def test_a_label_replaces_the_one_of_its_tag(service: Service, ann: TestClient) -> None:
    for content in (b"first", b"second"):
        files = {"label": ("l.nrrd", content)}
        assert ann.put("/datastore/label", params={"image": "kept"}, files=files).status_code == 200
    assert ann.get("/datastore/label", params={"label": "kept"}).content == b"second"
    assert len(service.database.rows("SELECT * FROM upload_file")) == 2
    assert ann.get("/datastore/").json() == {"total": 1, "completed": 1}
    assert ann.delete("/datastore/label", params={"id": "kept", "tag": "final"}).status_code == 200
    assert len(service.database.rows("SELECT * FROM upload_file")) == 1


def test_what_is_said_of_labels_has_an_end(tmp_path: Path) -> None:
    with running(tmp_path, limits={"corrections": 2}) as service:
        one = client(service, token_of(service, "ann", "monai"))
        one.base_url = one.base_url.join("/monai")
        one.put("/datastore/", params={"image": "kept"}, files={"file": ("a.nii", b"1")})
        for tag, status in (("v1", 200), ("v2", 200), ("v3", 409), ("v1", 200)):
            label = {"image": "kept", "tag": tag}
            answer = one.put("/datastore/label", params=label, files={"label": ("l.nrrd", b"1")})
            assert answer.status_code == status
        assert len(service.database.rows("SELECT * FROM upload_file")) == 3
        label = {"label": "kept", "tag": "v1"}
        statuses = [
            one.put(
                "/datastore/updatelabelinfo",
                params=label,
                data={"params": json.dumps({f"k{n}": "x" * 50_000})},
            ).status_code
            for n in range(4)
        ]
        assert statuses == [200, 200, 413, 413]


def test_a_sign_in_of_many_fields(ann: TestClient) -> None:
    answer = ann.post("/auth/token", content=b"a=b&" * 10_000)
    assert answer.status_code == 422
    assert ann.post("/auth/token", content=b"a=b&" * 100_000).status_code == 413
