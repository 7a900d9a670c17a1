"""A server as people start it: the same mask as elsewhere, and what it leaves behind."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask import predict
from gliomask.config.serve import login_name
from gliomask.formats.nifti import read_labels, read_nifti, write_nifti
from tests.commands import run
from tests.fakes import head_volume, tall_head_volume, write_head
from tests.web.live import Server, served

PLANTED = "MuellerHans1948"
QUICK: dict[str, Any] = {"uncertainty": False, "write": ["nifti"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("live") / "data") as one:
        yield one


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return write_head(tmp_path / "scans", "case1", head_volume())


def test_the_same_mask_from_the_command_from_python_and_from_the_server(
    server: Server, head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit, with the uncertainty estimated as by default."""
    assert run(monkeypatch, "predict", head, "--out", tmp_path / "out", "--write", "nifti") == 0
    expected = (tmp_path / "out" / "case1_mask.nii.gz").read_bytes()
    mask, affine = read_labels(tmp_path / "out" / "case1_mask.nii.gz")
    assert mask.any()
    found = predict(head)
    assert np.array_equal(found.mask, mask)
    assert np.allclose(found.affine, affine)
    job = server.ended(server.submit(server.upload(head), write=["nifti", "html"]))
    assert job["state"] == "done", job
    told = job["result"]["cases"][0]
    assert told["voxels"]["whole"] == int((mask > 0).sum())
    got = server.client.get(f"/jobs/{job['id']}/files/mask")
    assert got.headers["content-disposition"] == 'attachment; filename="case1_mask.nii.gz"'
    assert hashlib.sha256(got.content).digest() == hashlib.sha256(expected).digest()
    page = server.client.get(f"/jobs/{job['id']}/files/page")
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts")
    record = server.client.get(f"/jobs/{job['id']}/files/record").json()
    assert record["images"]["flair"] == "upload/case1/case1-t2f.nii.gz"
    assert str(server.data) not in page.text
    every = server.client.get(f"/jobs/{job['id']}/files/all").content
    with zipfile.ZipFile(io.BytesIO(every)) as archive:
        assert archive.read("case1_mask.nii.gz") == expected
        assert {"case1.html", "case1.json", "cases.csv"} < set(archive.namelist())


def test_a_mask_is_corrected(server: Server, head: Path, tmp_path: Path) -> None:
    """By a worker process; what is drawn on is exactly what was uploaded and found."""
    job = server.ended(server.submit(server.upload(head), **QUICK))
    place = f"/jobs/{job['id']}"
    (case,) = server.client.get(f"{place}/corrections").json()["cases"]
    regions = [region["name"] for region in case["regions"]]
    maps = [f"probability-{region}" for region in regions]
    assert case["layers"] == ["mask", "image-flair", "image-t1", *maps]
    got = {one: server.client.get(f"{place}/layers/{one}").content for one in case["layers"]}
    assert hashlib.sha256(got["mask"]).hexdigest() == case["sha256"]
    assert got["mask"] == server.client.get(f"{place}/files/mask").content
    for name, content in got.items():
        (tmp_path / f"{name}.nii.gz").write_bytes(content)
    image, _ = read_nifti(tmp_path / "image-flair.nii.gz")
    np.testing.assert_array_equal(image, head_volume().array[1])
    mask, affine = read_labels(tmp_path / "mask.nii.gz")
    stored, _ = read_labels(tmp_path / "probability-whole.nii.gz")
    assert not ((mask > 0) & (stored < 128)).any()
    mask = mask.astype(np.uint8)
    mask[0, 0, 0] = case["regions"][0]["number"]
    write_nifti(tmp_path / "drawn.nii", mask, affine)
    content, base = (tmp_path / "drawn.nii").read_bytes(), {"base": case["sha256"]}
    made = server.client.put(f"{place}/correction", params=base, content=content)
    assert made.status_code == 201, made.text
    assert made.json()["changes"]["whole"]["added_voxels"] == 1
    assert made.json()["author"] == login_name()
    again = server.client.put(f"{place}/correction", params=base, content=content)
    assert again.status_code == 409
    (tmp_path / "back.nii.gz").write_bytes(server.client.get(f"{place}/files/mask-1").content)
    np.testing.assert_array_equal(read_labels(tmp_path / "back.nii.gz")[0], mask)


def test_an_audit_before_anything_runs(server: Server, head: Path) -> None:
    upload = server.upload(head)
    job = server.ended(server.submit(upload, "inspect"))
    (case,) = job["result"]["audit"]["cases"]
    assert case["uses"] == {"t1": "case1-t1n.nii.gz", "flair": "case1-t2f.nii.gz"}
    assert [file["kind"] for file in job["files"]] == ["audit"]
    assert server.client.get(f"/uploads/{upload}").status_code == 200  # it is still needed


def test_files_whose_names_tell_nothing(server: Server, head: Path, tmp_path: Path) -> None:
    folder = tmp_path / "loose"
    folder.mkdir()
    for name, kind in (("a", "t1n"), ("b", "t2f")):
        (head / f"case1-{kind}.nii.gz").rename(folder / f"{name}.nii.gz")
    upload = server.upload(folder)
    failed = server.ended(server.submit(upload, **QUICK))
    assert failed["state"] == "failed"
    assert failed["error"]["text"].startswith("loose")
    assert str(server.data) not in failed["error"]["text"]
    job = server.ended(server.submit(upload, sequences={"t1": 0, "flair": 1}, **QUICK))
    assert job["state"] == "done", job["error"]
    assert job["result"]["cases"][0]["sequences_used"] == ["t1", "flair"]


def test_an_archive(server: Server, head: Path, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    with zipfile.ZipFile(folder / "study.zip", "w") as archive:
        for path in head.iterdir():
            archive.write(path, path.name)
    made = server.client.post("/uploads").json()["id"]
    content = (folder / "study.zip").read_bytes()
    server.client.put(f"/uploads/{made}/files/0", params={"name": "study.zip"}, content=content)
    job = server.ended(server.submit(made, **QUICK))
    assert job["state"] == "done", job["error"]


def test_planted_names_are_nowhere(server: Server, tmp_path: Path) -> None:
    """Not in logs, the audit log, metrics, temporary or stored names; and nothing is left."""
    folder = write_head(tmp_path / PLANTED, PLANTED, head_volume())
    good = server.ended(server.submit(server.upload(folder), **QUICK))
    assert good["state"] == "done"
    named = {path.name for path in server.data.rglob("*") if PLANTED in path.name}
    assert named == {f"{PLANTED}.json", f"{PLANTED}_mask.nii.gz"}  # what is downloaded
    write_nifti(folder / f"{PLANTED}-t2f.nii.gz", np.ones((4, 4, 4), np.float32), np.eye(4))
    bad = server.ended(server.submit(server.upload(folder), **QUICK))
    assert bad["state"] == "failed"
    for job in (good, bad):
        assert server.client.delete(f"/jobs/{job['id']}/files").json()["state"] == "expired"
    server.client.delete(f"/uploads/{bad['upload']}")
    assert PLANTED not in server.log.read_text()
    assert PLANTED not in server.client.get("/metrics").text
    assert PLANTED not in server.client.get("/jobs").text
    assert not [path for path in server.data.rglob("*") if PLANTED in path.name]
    stored = b"".join(path.read_bytes() for path in server.data.glob("serve.sqlite*"))
    assert PLANTED.encode() not in stored


def test_a_job_is_cancelled_at_work(server: Server, tmp_path: Path) -> None:
    folder = write_head(tmp_path, "case1", tall_head_volume())
    job = server.submit(server.upload(folder))
    while server.client.get(f"/jobs/{job}").json()["state"] == "queued":
        time.sleep(0.02)
    server.client.delete(f"/jobs/{job}")
    ended = server.ended(job, 30)
    assert ended["state"] == "cancelled"
    assert ended["files"] == []


@pytest.mark.server
def test_a_worker_that_is_killed_costs_nobody_anything(server: Server, head: Path) -> None:
    jobs = [server.submit(server.upload(head), **QUICK) for _ in range(3)]
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    assert [server.ended(job)["state"] for job in jobs] == ["done"] * 3


def test_the_server_process_is_small(server: Server) -> None:
    lines = server.client.get("/metrics").text.splitlines()
    (memory,) = (one for one in lines if one.startswith("gliomask_resident_memory_bytes "))
    assert int(memory.split()[1]) < 150e6


@pytest.mark.server
def test_a_server_goes_on_where_it_was_killed(head: Path, tmp_path: Path) -> None:
    with served(tmp_path / "data") as server:
        jobs = [server.submit(server.upload(head), **QUICK) for _ in range(2)]
        workers = server.workers()
        assert server.kill() == -signal.SIGKILL
        server.start()
        assert not set(workers) & set(server.workers())
        assert [server.ended(job)["state"] for job in jobs] == ["done"] * 2
        assert len(server.client.get("/jobs").json()) == 2
        assert server.kill(signal.SIGTERM) == 143
        assert server.log.read_text().endswith("error: the server was stopped\n")
