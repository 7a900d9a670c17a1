"""Names of people, planted in headers, file names and forms, in jobs by every protocol."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client

from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.fakes import head_volume, write_head
from tests.web.live import Server, served
from tests.workflows.heads import write_dicom_head

pytestmark = pytest.mark.server

TAGS: dict[str, Any] = {
    "PatientName": "Quarxenfeld^Ottokar",
    "PatientID": "QX778812",
    "PatientBirthDate": "19480312",
    "AccessionNumber": "ACC55190ZZ",
    "ReferringPhysicianName": "Zwirbelmann^Adele",
    "InstitutionName": "Klinikum Brombeertal",
    "OtherPatientNames": "Ypsilanti^Otto",
    "PatientAddress": "Holunderweg 17",
    "PatientComments": "Schwippschwager",
}
FOLDER = "Quarxenfeld_Ottokar_19480312"
PLANTED = (
    b"Quarxenfeld", b"Ottokar", b"QX778812", b"19480312", b"ACC55190ZZ", b"Zwirbelmann",
    b"Brombeertal", b"Ypsilanti", b"Holunderweg", b"Schwippschwager",
)  # fmt: skip
MODEL = "u2netp-glioma"
QUICK: dict[str, Any] = {"uncertainty": False}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    with served(tmp_path / "data") as one:
        yield one


@pytest.fixture
def ann(server: Server) -> Iterator[Client]:
    """Everything that one person may do, with the token in the address for Slicer and OHIF."""
    token = Tokens(open_database(server.data)).create("ann", ["read", "submit", "monai"], 1.0)
    base = server.address.partition("/?")[0]
    server.client.close()
    server.client = Client(
        base_url=f"{base}/api/v1", headers={"authorization": f"Bearer {token}"}, timeout=90
    )
    with Client(base_url=f"{base}/k/{token}", timeout=90) as one:
        yield one


def planted_in(content: bytes | str) -> list[bytes]:
    """Which of the names are in it, in any case, as UTF-8 or UTF-16."""
    raw = (content.encode() if isinstance(content, str) else content).lower()
    return [
        name
        for name in PLANTED
        if name.lower() in raw or name.lower().decode().encode("utf-16-le") in raw
    ]


def monai_job(ann: Client, study: Path) -> str:
    """A study as a zip archive, its name and that of the image planted; a mask handed in."""
    archive = study.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as members:
        for path in study.rglob("*.dcm"):
            members.write(path, f"{FOLDER}/{path.relative_to(study)}")
    sent = {"file": (f"C:\\Users\\{FOLDER}\\{archive.name}", archive.read_bytes())}
    assert ann.put("/datastore/", params={"image": FOLDER}, files=sent).status_code == 200
    form = {"params": (None, json.dumps({**QUICK, "client_id": FOLDER}))}
    answer = ann.post(f"/infer/{MODEL}", params={"image": FOLDER, "output": "json"}, files=form)
    assert answer.status_code == 200, answer.text
    asked = {"label": FOLDER, "tag": "original"}
    magic, _, rest = ann.get("/datastore/label", params=asked).content.partition(b"\n")
    for content, status in ((b"NRRD0004 Quarxenfeld", 422), (magic + b"\n# Ottokar\n" + rest, 200)):
        label: dict[str, Any] = {
            "label": (f"/home/{FOLDER}/label.nrrd", content),
            "params": (None, json.dumps({"client_id": FOLDER})),
        }
        put = ann.put("/datastore/label", params={"image": FOLDER}, files=label)
        assert put.status_code == status, put.text
        assert status == 200 or planted_in(put.text) == []
    made: str = answer.json()["job"]
    return made


def auto3d_job(ann: Client, head: Path) -> None:
    sent = (f"{FOLDER}.nii.gz", (head / f"{FOLDER}-t2f.nii.gz").read_bytes())
    answer = ann.post(f"/infer?model_name={MODEL}.flair", files={"image_file": sent})
    assert answer.status_code == 200, answer.text


def failing_jobs(server: Server, ann: Client, folder: Path) -> None:
    """Two people in one study; a damaged file; by two protocols."""
    write_dicom_head(folder / "two", **TAGS)
    other = write_head(folder, FOLDER, head_volume())
    for path in sorted((folder / "two").rglob("*.dcm"))[:1]:
        path.write_bytes(path.read_bytes().replace(b"Ottokar", b"Ypsilan"))
    two = server.ended(server.submit(server.upload(folder / "two"), **QUICK))
    assert two["state"] == "failed"
    assert planted_in(two["error"]["text"]) == [b"QX778812"]  # cases are called by it
    damaged = other / f"{FOLDER}-t2f.nii.gz"
    damaged.write_bytes(damaged.read_bytes()[:200])
    bad = server.ended(server.submit(server.upload(other), **QUICK))
    assert bad["state"] == "failed"  # its text names the file, to its owner only
    sent = {"image_file": (f"{FOLDER}.nii.gz", damaged.read_bytes())}
    answer = ann.post(f"/infer?model_name={MODEL}.flair", files=sent)
    assert answer.status_code == 422
    assert planted_in(answer.text) == []


def test_planted_names_are_nowhere(server: Server, ann: Client, tmp_path: Path) -> None:
    study = tmp_path / FOLDER
    write_dicom_head(study, **TAGS)
    job = server.ended(server.submit(server.upload(study)))
    assert job["state"] == "done", job["error"]
    assert {"seg", "page", "picture"} <= {file["kind"] for file in job["files"]}
    assert monai_job(ann, study)
    auto3d_job(ann, write_head(tmp_path / "heads", FOLDER, head_volume()))
    failing_jobs(server, ann, tmp_path / "failing")
    while_it_is_there(server)
    stored = b"".join(path.read_bytes() for path in server.data.glob("serve.sqlite*"))
    assert planted_in(stored)  # so that it shows what deletion does
    delete_all(server, ann)
    assert [path for path in server.data.rglob("*") if planted_in(path.name)] == []
    left = {p.name: planted_in(p.read_bytes()) for p in server.data.rglob("*") if p.is_file()}
    assert {name: found for name, found in left.items() if found} == {}
    assert list((tmp_path / "temporary").iterdir()) == []


def while_it_is_there(server: Server) -> None:
    """Before anything is deleted: only the owner's own jobs and results tell names."""
    assert planted_in(server.log.read_bytes()) == []
    database = open_database(server.data)
    entries: list[Any] = [tuple(row) for row in database.rows("SELECT * FROM audit")]
    assert len(entries) > 10
    assert planted_in(json.dumps(entries)) == []
    boss = Tokens(database).create("boss", ["admin"], 1.0)
    bob = Tokens(database).create("bob", ["read", "submit", "monai"], 1.0)
    base = server.client.base_url
    with Client(base_url=base, headers={"authorization": f"Bearer {boss}"}) as other:
        assert planted_in(other.get("/metrics").text) == []
    with Client(base_url=base, headers={"authorization": f"Bearer {bob}"}) as other:
        assert other.get("/jobs").json() == []
        objects = other.get(f"{server.address.partition('/?')[0]}/k/{bob}/datastore/?output=all")
        assert objects.json() == {"objects": {}}
    database.close()
    outside = [p for p in server.data.rglob("*") if p.parent.name != "result" and p.is_file()]
    assert [path for path in outside if planted_in(path.name)] == []


def delete_all(server: Server, ann: Client) -> None:
    assert ann.delete("/datastore/", params={"id": FOLDER}).status_code == 200
    for job in server.client.get("/jobs").json():
        assert server.client.delete(f"/jobs/{job['id']}/files").json()["state"] == "expired"
        server.client.delete(f"/uploads/{job['upload']}")
    assert planted_in(server.client.get("/jobs").text) == []
