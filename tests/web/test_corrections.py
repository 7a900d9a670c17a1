"""Corrections over the API: what is kept of them, who may do what, and what is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from gliomask.formats.nifti import read_nifti_labels
from gliomask.web.service import Service
from gliomask.web.tokens import Access
from tests.web.corrected import AFFINE, a_mask, base_of, done_job, nifti, work_here
from tests.web.service import API, client, running, token_of

MOVED = AFFINE @ (np.eye(4) + np.outer([1, 0, 0, 0], [0, 0, 0, 1]))
"""One voxel to the side."""


@pytest.fixture
def bob(service: Service) -> TestClient:
    return client(service, token_of(service, "bob", "read", "review"))


def send(one: TestClient, job: str, content: bytes, **more: str) -> Any:
    params = {"base": base_of(one, job), **more}
    return one.put(f"{API}/jobs/{job}/correction", params=params, content=content)


def corrected() -> np.ndarray:
    """The mask without one slice of the tumour (12 voxels, 2 of core), and one voxel more."""
    mask = a_mask()
    mask[:, :, 2] = 0
    mask[5, 6, 4] = 2
    return mask


def test_a_correction_is_kept_with_all_that_is_known_of_it(
    service: Service, ann: TestClient, tmp_path: Path
) -> None:
    job = done_job(service)
    base = base_of(ann, job)
    answer = send(ann, job, nifti(tmp_path, corrected()))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["number"], made["case"], made["author"]) == (1, "p1-a", "ann")
    assert made["base"] == base
    assert made["approver"] is None
    whole = {"added_voxels": 1, "removed_voxels": 12, "added_ml": 0.02, "removed_ml": 0.24}
    assert made["changes"]["whole"] == pytest.approx({**whole, "volume_ml": 0.26})
    core = {"added_voxels": 0, "removed_voxels": 2, "added_ml": 0.0, "removed_ml": 0.04}
    assert made["changes"]["core"] == pytest.approx({**core, "volume_ml": 0.04})
    assert made["changes"]["enhancing"]["removed_voxels"] == 0
    mask = ann.get(f"{API}/jobs/{job}/files/mask-1")
    assert mask.headers["content-disposition"].endswith('"p1-a_correction-1_mask.nii.gz"')
    (tmp_path / "got.nii.gz").write_bytes(mask.content)
    numbers, affine = read_nifti_labels(tmp_path / "got.nii.gz")
    np.testing.assert_array_equal(numbers, corrected())
    np.testing.assert_array_equal(affine, AFFINE)
    record = ann.get(f"{API}/jobs/{job}/files/correction-1").json()
    assert (record["author"], record["notice"]) == ("ann", "For research use only")
    archive = zipfile.ZipFile(io.BytesIO(ann.get(f"{API}/jobs/{job}/files/all").content))
    assert archive.read("p1-a_correction-1_mask.nii.gz") == mask.content
    assert archive.read("p1-a_mask.nii.gz") == ann.get(f"{API}/jobs/{job}/layers/mask").content
    actions = [(e.actor, e.action, e.object) for e in service.audit.entries()]
    assert ("ann", "correction.create", f"{job}/1") in actions
    assert "p1-a" not in str(actions)


def test_the_next_one_is_drawn_on_the_last(
    service: Service, ann: TestClient, bob: TestClient, tmp_path: Path
) -> None:
    job = done_job(service)
    old = base_of(ann, job)
    assert send(ann, job, nifti(tmp_path, corrected())).status_code == 201
    more = corrected()
    more[0, 0, 0] = 2
    late = send(bob, job, nifti(tmp_path, more), base=old)
    assert late.status_code == 409
    assert base_of(ann, job) in late.json()["text"]
    second = send(bob, job, nifti(tmp_path, more))
    assert second.status_code == 201
    assert (second.json()["number"], second.json()["author"]) == (2, "bob")
    assert second.json()["changes"]["whole"]["added_voxels"] == 1
    same = send(ann, job, nifti(tmp_path, more))
    assert same.status_code == 422
    assert "nothing was changed" in same.json()["text"]
    assert bob.delete(f"{API}/jobs/{job}/correction/1").status_code == 403
    gone = bob.delete(f"{API}/jobs/{job}/correction/2")
    assert gone.json()["withdrawn"] is not None
    assert bob.delete(f"{API}/jobs/{job}/correction/2").status_code == 409
    assert ann.get(f"{API}/jobs/{job}/files/mask-2").status_code == 404
    listed = ann.get(f"{API}/jobs/{job}/corrections").json()
    assert listed["cases"][0]["number"] == 1
    assert [one["number"] for one in listed["corrections"]] == [1, 2]
    third = send(ann, job, nifti(tmp_path, more))  # numbers are never used twice
    assert third.json()["number"] == 3


def test_a_second_reader_approves(
    service: Service, ann: TestClient, bob: TestClient, tmp_path: Path
) -> None:
    job = done_job(service)
    send(ann, job, nifti(tmp_path, corrected()))
    place = f"{API}/jobs/{job}/correction/1/approval"
    own = ann.post(place)
    assert own.status_code == 403
    assert "second reader" in own.json()["text"]
    other = client(service, token_of(service, "eve"))
    assert other.post(place).status_code == 404
    reader = client(service, token_of(service, "rob", "read"))
    assert reader.post(place).status_code == 403
    assert list(service.corrections.approved()) == []
    approved = bob.post(place)
    assert approved.status_code == 201
    assert approved.json()["approver"] == "bob"
    assert bob.post(place).status_code == 409
    assert ann.get(f"{API}/jobs/{job}/files/correction-1").json()["approver"] == "bob"
    ((one, mask, folder),) = service.corrections.approved()
    assert (one.number, mask.is_file(), (folder / "case.json").is_file()) == (1, True, True)
    assert ann.delete(place).status_code == 403
    assert bob.delete(place).json()["approver"] is None
    assert bob.delete(place).status_code == 409
    assert bob.post(place).status_code == 201
    assert ann.delete(f"{API}/jobs/{job}/correction/1").json()["approver"] is None
    assert bob.post(place).status_code == 409
    assert list(service.corrections.approved()) == []
    entries = service.audit.entries()
    done = [entry.action for entry in entries if entry.action.startswith("correction.")]
    kinds = ("create", "approve", "unapprove", "approve", "withdraw")
    assert done == [f"correction.{kind}" for kind in kinds]
    assert service.audit.broken_at() is None


def test_a_reviewer_sees_and_corrects_but_commands_nothing(
    service: Service, bob: TestClient, tmp_path: Path
) -> None:
    job = done_job(service)
    assert [one["id"] for one in bob.get(f"{API}/jobs").json()] == [job]
    assert send(bob, job, nifti(tmp_path, corrected())).status_code == 201
    both = client(service, token_of(service, "bob", "read", "submit", "review"))
    assert both.delete(f"{API}/jobs/{job}").status_code == 403
    assert both.delete(f"{API}/jobs/{job}/files").status_code == 403
    upload = service.queue.get(Access("bob", frozenset(("review",))), job).upload
    assert both.get(f"{API}/uploads/{upload}").status_code == 404


@pytest.mark.parametrize(
    ("mask", "affine", "said"),
    [
        (corrected()[:5], AFFINE, "shape=(5, 7, 5), allowed (6, 7, 5)"),
        (corrected(), MOVED, "not at the position"),
        (corrected() * 2, AFFINE, "voxels=4, allowed 0, 1, 2, 3"),
        (corrected() + np.float32(0.5), AFFINE, "0.5"),
        (np.stack([corrected()] * 2, -1), AFFINE, "shape=(6, 7, 5, 2)"),
    ],
)
def test_a_mask_of_something_else_is_refused(
    service: Service, ann: TestClient, tmp_path: Path, mask: Any, affine: Any, said: str
) -> None:
    job = done_job(service)
    answer = send(ann, job, nifti(tmp_path, mask, affine))
    assert answer.status_code == 422
    assert said in answer.json()["text"]
    assert str(tmp_path) not in answer.json()["text"]
    assert ann.get(f"{API}/jobs/{job}/corrections").json()["corrections"] == []
    assert list(service.folder.temporary.iterdir()) == []
    assert list(service.folder.corrections(job).iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no image", b"\x1f\x8b\x08broken"])
def test_what_is_no_mask_is_refused(service: Service, ann: TestClient, content: bytes) -> None:
    job = done_job(service)
    answer = send(ann, job, content)
    assert answer.status_code == 422, answer.text
    assert str(service.folder.root) not in answer.json()["text"]


def test_what_can_not_be_corrected(service: Service, ann: TestClient, tmp_path: Path) -> None:
    job = done_job(service)
    content, base = nifti(tmp_path, corrected()), base_of(ann, job)
    place = f"{API}/jobs/{job}/correction"
    other = {"base": base, "case": "p2"}
    assert ann.put(place, params=other, content=content).status_code == 404
    assert ann.put(place, content=content).status_code == 422
    service.supervisor.problem = "the workers are starting"
    del service.supervisor.run
    answer = ann.put(place, params={"base": base}, content=content)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert ann.get(f"{API}/jobs/{job}/layers/image-flair").content[:2] == b"\x1f\x8b"
    assert ann.get(f"{API}/jobs/{job}/layers/..%2fcase.json").status_code == 404
    assert ann.get(f"{API}/jobs/{job}/layers/case").status_code == 404
    access = Access("ann", frozenset(("submit",)))
    upload = service.uploads.create(access).id
    waiting = service.queue.add(access, "predict", upload, {})[0].id
    refused = ann.put(f"{API}/jobs/{waiting}/correction", params={"base": base}, content=content)
    assert refused.status_code == 409


def test_a_result_that_was_corrected_is_kept_longer_and_then_leaves_nothing(
    service: Service, ann: TestClient, tmp_path: Path
) -> None:
    job = done_job(service, case="Mueller-Hans")
    before = ann.get(f"{API}/jobs/{job}").json()["expires"]
    send(ann, job, nifti(tmp_path, corrected()))
    assert ann.get(f"{API}/jobs/{job}").json()["expires"] > before
    service.supervisor.tidy(job)
    assert ann.get(f"{API}/jobs/{job}/files/mask-1").status_code == 200
    assert ann.delete(f"{API}/jobs/{job}/files").json()["state"] == "expired"
    assert ann.get(f"{API}/jobs/{job}/corrections").json()["corrections"] == []
    assert list(service.folder.jobs.iterdir()) == []
    for path in service.folder.root.glob("serve.sqlite*"):
        assert b"Mueller-Hans" not in path.read_bytes()


def test_the_number_of_corrections_has_a_limit(tmp_path: Path) -> None:
    with running(tmp_path / "data", limits={"corrections": 1}) as service:
        work_here(service)
        ann, job = client(service, token_of(service)), done_job(service)
        assert send(ann, job, nifti(tmp_path, corrected())).status_code == 201
        assert send(ann, job, nifti(tmp_path, a_mask())).status_code == 409


def test_what_a_killed_server_left_is_in_nobodys_way(
    service: Service, ann: TestClient, tmp_path: Path
) -> None:
    job = done_job(service)
    left = service.folder.corrections(job) / "1"
    left.mkdir(parents=True)
    (left / "half.nii.gz").write_bytes(b"half")
    assert send(ann, job, nifti(tmp_path, corrected())).status_code == 201
    names = sorted(path.name for path in left.iterdir())
    assert names == ["p1-a_correction-1.json", "p1-a_correction-1_mask.nii.gz"]
