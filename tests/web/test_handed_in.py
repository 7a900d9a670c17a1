"""Masks that MONAI Label clients hand in for an image that was segmented: corrections of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from gliomask.core.labels import LabelArray
from gliomask.formats.itk import read_labels, write_volume
from gliomask.formats.nifti import read_nifti_labels
from gliomask.web.service import Service
from gliomask.web.tokens import Access
from tests.web.corrected import AFFINE, a_mask, base_of, done_job, nifti
from tests.web.service import API, client, token_of

OURS = ["necrotic or non-enhancing tumour core", "oedema", "enhancing tumour"]
NAMES = [{"name": name, "idx": number} for number, name in enumerate(OURS, 1)]
ANN = Access("ann", frozenset(("read", "submit")))


def monai(service: Service, owner: str, *more: Any) -> TestClient:
    """A client of the address with a token."""
    one = client(service)
    one.base_url = one.base_url.join(f"/k/{token_of(service, owner, 'monai', *more)}/")
    return one


@pytest.fixture
def ann(service: Service) -> TestClient:
    return monai(service, "ann")


@pytest.fixture
def page(service: Service) -> TestClient:
    """The same person on the page."""
    return client(service, token_of(service, "ann"))


def segmented(service: Service, ann: TestClient, **more: str) -> str:
    """The image "head" of Ann's, and the job that has segmented it."""
    files = {"file": ("head.nii.gz", b"voxels")}
    assert ann.put("datastore/", params={"image": "head"}, files=files).status_code == 200
    job = done_job(service, **more)
    service.images.note_job(service.images.get(ANN, "head"), job)
    return job


def more(mask: LabelArray, *voxels: tuple[int, int, int]) -> LabelArray:
    """The mask with these voxels added to the whole tumour."""
    for voxel in voxels:
        mask[voxel] = 2
    return mask


def nrrd(folder: Path, mask: LabelArray) -> bytes:
    path = folder / "label.nrrd"
    write_volume(path, mask, AFFINE)
    return path.read_bytes()


def hand_in(
    one: TestClient, content: bytes, names: Any = NAMES, image: str = "head", **params: str
) -> Any:
    told = {"params": json.dumps({"label_info": names, "client_id": "slicer"})}
    files = {"label": ("/home/ann/label.nrrd", content)}
    asked = {"image": image, **params}
    return one.put("datastore/label", params=asked, data=told, files=files)


def labels_of(one: TestClient, image: str = "head") -> dict[str, Any]:
    answer = one.get("datastore/", params={"output": "all"})
    found: dict[str, Any] = answer.json()["objects"][image]["labels"]
    return found


def test_a_label_becomes_a_correction_like_one_of_the_page(
    service: Service, ann: TestClient, page: TestClient, tmp_path: Path
) -> None:
    job = segmented(service, ann)
    base = base_of(page, job)
    numbered = np.array([0, 3, 1, 2], np.uint8)[more(a_mask(), (5, 6, 4))]
    names = [{"name": name, "idx": n} for n, name in enumerate([OURS[1], OURS[2], OURS[0]], 1)]
    content = nrrd(tmp_path, numbered)
    answer = hand_in(ann, content, names)
    assert answer.status_code == 200, answer.text
    assert answer.json()["correction"] == 1
    (made,) = page.get(f"{API}/jobs/{job}/corrections").json()["corrections"]
    assert (made["author"], made["base"], made["approver"]) == ("ann", base, None)
    whole = {"added_voxels": 1, "removed_voxels": 0, "added_ml": 0.02, "removed_ml": 0.0}
    assert made["changes"]["whole"] == pytest.approx({**whole, "volume_ml": 0.5})
    assert made["changes"]["core"]["added_voxels"] == 0
    stored = tmp_path / "stored.nii.gz"
    stored.write_bytes(page.get(f"{API}/jobs/{job}/files/mask-1").content)
    mask, affine = read_nifti_labels(stored)
    np.testing.assert_array_equal(mask, more(a_mask(), (5, 6, 4)))
    np.testing.assert_array_equal(affine, AFFINE)
    got = ann.get("datastore/label", params={"label": "head", "tag": "final"})
    assert got.content == content  # as it was handed in
    assert ann.get("info/").json()["datastore"] == {"total": 1, "completed": 1}
    assert ann.post("activelearning/first", json={}).json() == {}
    actions = [(entry.actor, entry.action, entry.object) for entry in service.audit.entries()]
    assert ("ann", "correction.create", f"{job}/1") in actions
    second = hand_in(ann, nrrd(tmp_path, more(a_mask(), (5, 6, 4), (0, 0, 0))))
    assert second.json()["correction"] == 2
    changes = page.get(f"{API}/jobs/{job}/corrections").json()["corrections"][1]["changes"]
    assert changes["whole"]["added_voxels"] == 1  # drawn on the first
    assert list(service.folder.temporary.iterdir()) == []
    assert len(list(service.folder.uploads.iterdir())) == 1 + 1  # the image's, and the job's


def test_the_network_s_mask_that_is_handed_in_is_accepted_and_no_correction(
    service: Service, ann: TestClient, page: TestClient, tmp_path: Path
) -> None:
    job = segmented(service, ann)
    answer = hand_in(ann, nifti(tmp_path, a_mask()))
    assert (answer.status_code, answer.json()["correction"]) == (200, None)
    assert page.get(f"{API}/jobs/{job}/corrections").json()["corrections"] == []
    assert "final" in labels_of(ann)


def test_nobody_overwrites_what_they_have_not_seen(
    service: Service, ann: TestClient, page: TestClient, tmp_path: Path
) -> None:
    job = segmented(service, ann)
    elsewhere = nifti(tmp_path, more(a_mask(), (0, 0, 0)))
    place = f"{API}/jobs/{job}/correction"
    assert page.put(place, params={"base": base_of(page, job)}, content=elsewhere).is_success
    late = hand_in(ann, nrrd(tmp_path, more(a_mask(), (5, 6, 4))))
    assert late.status_code == 409
    assert "load the label final again" in late.json()["text"]
    assert labels_of(ann)["final"]["ext"] == ".nii.gz"
    assert labels_of(ann)["final"]["info"]["label_info"] == NAMES
    got = ann.get("datastore/label", params={"label": "head", "tag": "final"})
    assert got.headers["content-disposition"].endswith('"head.nii.gz"')
    (tmp_path / "got.nii.gz").write_bytes(got.content)
    mask = more(read_nifti_labels(tmp_path / "got.nii.gz")[0].astype(np.uint8), (5, 6, 4))
    answer = hand_in(ann, nrrd(tmp_path, mask))
    assert answer.json()["correction"] == 2
    assert page.delete(f"{place}/2").is_success  # then the first counts again
    back = ann.get("datastore/label", params={"label": "head", "tag": "final"})
    assert back.content == got.content


@pytest.mark.parametrize(
    ("names", "status", "said"),
    [
        ([{"name": "ventricle", "idx": 1}, *NAMES[1:]], 422, "not part of the tumour here"),
        (NAMES[:1], 422, "a label without a name"),
        ([{"name": "oedema"}], 422, "label_info: allowed a list"),
        ([NAMES[0], NAMES[0]], 422, "two labels of one number"),
        (3, 422, "label_info: allowed a list"),
    ],
)
def test_a_label_that_can_not_be_understood_leaves_nothing(
    service: Service, ann: TestClient, tmp_path: Path, names: Any, status: int, said: str
) -> None:
    job = segmented(service, ann)
    kept = hand_in(ann, nrrd(tmp_path, more(a_mask(), (0, 0, 1))))
    assert kept.status_code == 200
    answer = hand_in(ann, nrrd(tmp_path, more(a_mask(), (5, 6, 4))), names)
    assert answer.status_code == status
    assert said in answer.json()["text"]
    assert len(service.corrections.listing(job)) == 1
    got = ann.get("datastore/label", params={"label": "head"})
    (tmp_path / "got.nrrd").write_bytes(got.content)
    np.testing.assert_array_equal(read_labels(tmp_path / "got.nrrd")[0], more(a_mask(), (0, 0, 1)))


def test_a_label_of_an_image_that_was_never_segmented_is_kept_as_it_is(
    service: Service, ann: TestClient
) -> None:
    files = {"file": ("head.nii.gz", b"voxels")}
    ann.put("datastore/", params={"image": "head"}, files=files)
    answer = hand_in(ann, b"anything")
    assert (answer.status_code, answer.json()["correction"]) == (200, None)
    assert ann.get("datastore/label", params={"label": "head"}).content == b"anything"


def test_an_image_that_was_segmented_in_a_session_before_it_was_sent(
    service: Service, ann: TestClient, tmp_path: Path
) -> None:
    """3D Slicer's way: a session, its mask, then the image and the mask."""
    files = {"files": ("tmpx1.nii.gz", b"voxels")}
    session = ann.put("session/", files=files).json()["session_id"]
    job = done_job(service)
    service.images.note_job(service.images.get(ANN, session, session=True), job)
    for name, content in (("head", b"voxels"), ("other", b"others")):
        ann.put("datastore/", params={"image": name}, files={"file": ("x.nii.gz", content)})
    mask = nrrd(tmp_path, more(a_mask(), (5, 6, 4)))
    assert hand_in(ann, mask).json()["correction"] == 1
    assert hand_in(ann, mask, image="other").json()["correction"] is None


def test_a_second_reader_reviews_in_a_client(
    service: Service, ann: TestClient, page: TestClient, tmp_path: Path
) -> None:
    job = segmented(service, ann)
    hand_in(ann, nrrd(tmp_path, more(a_mask(), (5, 6, 4))))
    bob, eve = monai(service, "bob", "review"), monai(service, "eve")
    assert eve.get("datastore/", params={"output": "all"}).json()["objects"] == {}
    assert list(bob.get("datastore/", params={"output": "all"}).json()["objects"]) == ["head (ann)"]

    def judge(one: TestClient, image: str, status: str, tag: str = "final") -> int:
        meta = {"params": json.dumps({"segmentationMeta": {"status": status}})}
        where = {"label": image, "tag": tag}
        code: int = one.put("datastore/updatelabelinfo", params=where, data=meta).status_code
        return code

    def approver() -> str | None:
        (*_, last) = page.get(f"{API}/jobs/{job}/corrections").json()["corrections"]
        found: str | None = last["approver"]
        return found

    assert judge(ann, "head", "approved") == 403
    assert judge(eve, "head (ann)", "approved") == 404
    assert labels_of(ann)["final"]["info"].get("segmentationMeta") is None
    assert judge(bob, "head (ann)", "approved") == 200
    assert approver() == "bob"
    assert labels_of(ann)["final"]["info"]["segmentationMeta"] == {"status": "approved"}
    assert judge(bob, "head (ann)", "flagged") == 200
    assert approver() is None
    # what the reviewer changes is a correction of their own, under a tag of their own
    assert bob.get("datastore/image", params={"image": "head (ann)"}).content == b"voxels"
    assert bob.get("datastore/label", params={"label": "head (ann)", "tag": "final"}).is_success
    changed = nrrd(tmp_path, more(a_mask(), (5, 6, 4), (0, 0, 0)))
    assert hand_in(bob, changed, image="head (ann)").status_code == 409
    answer = hand_in(bob, changed, image="head (ann)", tag="version_1")
    assert answer.json()["correction"] == 2
    listed = page.get(f"{API}/jobs/{job}/corrections").json()["corrections"]
    assert [one["author"] for one in listed] == ["ann", "bob"]
    assert judge(ann, "head", "approved", tag="version_1") == 200
    assert approver() == "ann"
    gone = {"id": "head (ann)", "tag": "final"}
    assert bob.delete("datastore/label", params=gone).status_code == 403
    assert bob.delete("datastore/image", params={"id": "head (ann)"}).status_code == 403
    gone["tag"] = "version_1"
    assert bob.delete("datastore/label", params=gone).is_success
    listed = page.get(f"{API}/jobs/{job}/corrections").json()["corrections"]
    assert [one["withdrawn"] is None for one in listed] == [True, False]
    kinds = [entry.action for entry in service.audit.entries() if "correction." in entry.action]
    assert kinds == [
        f"correction.{kind}"
        for kind in ("create", "approve", "unapprove", "create", "approve", "withdraw")
    ]


def test_a_correction_of_a_result_that_expired_is_gone_and_the_label_stays(
    service: Service, ann: TestClient, page: TestClient, tmp_path: Path
) -> None:
    job = segmented(service, ann)
    content = nrrd(tmp_path, more(a_mask(), (5, 6, 4)))
    hand_in(ann, content)
    assert page.delete(f"{API}/jobs/{job}/files").is_success
    assert ann.get("datastore/label", params={"label": "head"}).status_code == 200
    assert ann.delete("datastore/label", params={"id": "head", "tag": "final"}).is_success
