"""MONAI Label's protocol, asked for by MONAI Label's own client (``monai_clients``)."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it

from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.commands import run
from tests.fakes import head_volume, write_head
from tests.web.live import Server, served
from tests.web.monai_clients import load_client

pytestmark = [
    pytest.mark.server,
    # the client closes neither its files nor its connections
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:The 'warn' function:DeprecationWarning"),
]
MODEL = "u2netp-glioma"
LABELS = {"necrotic or non-enhancing tumour core": 1, "oedema": 2, "enhancing tumour": 3}
QUICK = {"uncertainty": False, "result_extension": ".nrrd", "result_dtype": "uint8"}


@pytest.fixture(scope="module")
def module() -> Any:
    return load_client()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("monai") / "data") as one:
        yield one


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return Tokens(open_database(server.data)).create("ann", ["monai"], 1.0)


@pytest.fixture
def base(server: Server) -> str:
    return server.address.partition("/?")[0]


@pytest.fixture
def client(module: Any, base: str, token: str, tmp_path: Path) -> Any:
    """A client of the address with a token, as a person pastes it."""
    return module.MONAILabelClient(f"{base}/k/{token}/", str(tmp_path), "user-xyz")


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return write_head(tmp_path / "scans", "case1", head_volume())


def predicted(monkeypatch: pytest.MonkeyPatch, out: Path, *words: str | Path) -> Path:
    """The NRRD that the command writes."""
    assert run(monkeypatch, "predict", *words, "--out", out, "--write", "nrrd") == 0
    (found,) = out.glob("*_mask.nrrd")
    return found


def same(found: str | Path, expected: Path) -> bool:
    """Whether two masks have the same voxels at the same places, of which some are tumour."""
    one, other = (sitk.ReadImage(str(path)) for path in (found, expected))
    assert sitk.GetArrayViewFromImage(other).any()
    grids = [(i.GetSize(), i.GetOrigin(), i.GetSpacing(), i.GetDirection()) for i in (one, other)]
    same_voxels = np.array_equal(sitk.GetArrayViewFromImage(one), sitk.GetArrayViewFromImage(other))
    return grids[0] == grids[1] and same_voxels


def test_what_a_client_asks_first(client: Any) -> None:
    assert client.auth_enabled() is False
    info = client.info()
    assert info["labels"] == list(LABELS)
    assert info["models"][MODEL]["labels"] == LABELS
    assert info["models"][MODEL]["type"] == "segmentation"
    assert info["models"][MODEL]["config"]["sequence"] == ["by name", "t1", "t1ce", "t2", "flair"]
    assert "config" not in info  # Slicer would ask for another server
    for name in ("trainers", "strategies", "train_stats"):
        assert isinstance(info[name], dict)
    assert client.train_status(check_if_running=True) is False
    asked = (
        client.train_status,
        client.train_stop,
        lambda: client.train_start("", {}),
        lambda: client.wsi_infer(MODEL, "x"),
    )
    for one in asked:
        with pytest.raises(Exception) as refused:  # noqa: PT011 (its text is in an attribute)
            one()
        assert "Status: 404" in refused.value.msg  # type: ignore[attr-defined]


def test_images_of_several_sequences_and_masks_that_a_person_hands_in(
    client: Any, server: Server, head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    t1, flair = (head / f"case1-{kind}.nii.gz" for kind in ("t1n", "t2f"))
    told = client.upload_image(str(t1), "case1 T1")
    assert told == {"image": "case1 T1"}
    client.upload_image(str(flair), "case1 FLAIR")
    sample = client.next_sample("first", {})
    digest = hashlib.sha256(t1.read_bytes()).hexdigest()
    assert sample == {
        "id": "case1 T1", "name": "case1 T1.nii.gz", "checksum": f"SHA256:{digest}"
    }  # fmt: skip
    both = {**QUICK, "flair": "case1 FLAIR", "t1ce": ""}  # as Slicer sends empty fields
    mask, params = client.infer(MODEL, "case1 T1", both)
    assert mask.endswith(".nrrd")
    words = ("--t1", t1, "--flair", flair, "--reference", "t1", "--quick")
    expected = predicted(monkeypatch, tmp_path / "out", *words)
    assert same(mask, expected)
    assert Path(mask).read_bytes() == expected.read_bytes()
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(mask))
    assert set(params["label_names"].values()) == set(np.unique(voxels)) - {0}
    assert params["label_names"].items() <= LABELS.items()
    assert params["used"] == ["t1", "flair"]
    original = client.download_label("case1 T1", "original")
    assert same(original, expected)
    objects = client.datastore()["objects"]
    assert objects["case1 T1"]["image"]["ext"] == ".nii.gz"
    info = objects["case1 T1"]["labels"]["original"]["info"]
    assert info["params"]["label_names"] == params["label_names"]
    hand_in_and_review(client, "case1 T1", expected)
    hand_in_what_was_drawn(client, server, params["job"], mask, tmp_path)
    assert client.next_sample("first", {})["id"] == "case1 FLAIR"
    assert client.info()["datastore"] == {"total": 2, "completed": 1}


def hand_in_and_review(client: Any, image: str, mask: Path) -> None:
    """As Slicer's extension hands in, and its Reviewer reads and judges."""
    info = {"label_info": [{"name": n, "idx": i} for n, i in LABELS.items()], "model": MODEL}
    assert client.save_label(image, str(mask), params=info)["tag"] == "final"
    assert Path(client.download_label(image, "final")).read_bytes() == mask.read_bytes()
    server = load_client("MONAILabelReviewerLib/MonaiServerREST.py")
    reviewer = server.MonaiServerREST(client.get_server_url())
    assert reviewer.checkServerConnection() is True
    labels = reviewer.requestDataStoreInfo()["objects"][image]["labels"]
    assert labels["final"]["info"]["client_id"] == "user-xyz"
    assert labels["final"]["info"]["label_info"] == info["label_info"]
    assert reviewer.requestSegmentation(image, "").content == mask.read_bytes()
    meta = {"segmentationMeta": {"status": "approved", "comment": "", "level": "easy"}}
    assert reviewer.updateLabelInfo(image, "final", meta) == 200
    labels = reviewer.requestDataStoreInfo()["objects"][image]["labels"]
    assert labels["final"]["info"]["segmentationMeta"]["status"] == "approved"
    assert reviewer.saveLabel(image, str(mask), "version_1", info) == 200
    assert reviewer.deleteLabelByVersionTag(image, "version_1") == 200
    assert set(reviewer.requestDataStoreInfo()["objects"][image]["labels"]) == {"original", "final"}


def hand_in_what_was_drawn(client: Any, server: Server, job: str, mask: str, folder: Path) -> None:
    """As Slicer's extension exports segments: those of the mask, counted from 1."""
    image = sitk.ReadImage(mask)
    voxels = sitk.GetArrayFromImage(image)
    voxels[0, 0, 0] = 2  # a voxel of the whole tumour outside the head
    present = np.unique(voxels[voxels > 0]).tolist()
    counted = np.zeros_like(voxels)
    for number, value in enumerate(present, 1):
        counted[voxels == value] = number
    names = {value: name for name, value in LABELS.items()}
    info = [{"name": names[value], "idx": n} for n, value in enumerate(present, 1)]
    drawn = sitk.GetImageFromArray(counted)
    drawn.CopyInformation(image)
    sitk.WriteImage(drawn, str(folder / "label.nii.gz"))
    told = client.save_label("case1 T1", str(folder / "label.nii.gz"), params={"label_info": info})
    assert told["correction"] == 1
    (made,) = server.client.get(f"/jobs/{job}/corrections").json()["corrections"]
    assert (made["author"], made["changes"]["whole"]["added_voxels"]) == ("ann", 1)
    assert made["changes"]["whole"]["removed_voxels"] == 0
    (folder / "stored.nii.gz").write_bytes(server.client.get(f"/jobs/{job}/files/mask-1").content)
    stored = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "stored.nii.gz")))
    assert np.array_equal(stored, voxels)


def test_sessions(
    client: Any, module: Any, head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One image whose name tells nothing, as Slicer sends it; and a whole examination."""
    nameless = tmp_path / "tmpx12.nii.gz"
    nameless.write_bytes((head / "case1-t2f.nii.gz").read_bytes())
    session = client.create_session(str(nameless))["session_id"]
    with pytest.raises(module.MONAILabelClientException) as refused:
        client.infer(MODEL, "x", dict(QUICK), session_id=session)
    assert "choose it as the model's option sequence" in refused.value.msg
    mask, params = client.infer(MODEL, "x", {**QUICK, "sequence": "flair"}, session_id=session)
    words = ("--flair", head / "case1-t2f.nii.gz", "--quick")
    expected = predicted(monkeypatch, tmp_path / "out", *words)
    assert same(mask, expected)
    assert params["missing"] == ["t1", "t1ce", "t2"]
    client.remove_session(session)
    with pytest.raises(module.MONAILabelClientException) as gone:
        client.get_session(session)
    assert gone.value.status_code == 404
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w") as members:
        for path in head.iterdir():
            members.write(path, path.name)
    session = client.create_session(str(archive))["session_id"]
    assert client.get_session(session)["files"] == 1
    mask, params = client.infer(MODEL, "x", dict(QUICK), session_id=session)
    assert params["used"] == ["t1", "flair"]
    assert same(mask, predicted(monkeypatch, tmp_path / "both", head, "--quick"))


def test_a_file_in_the_request_itself(client: Any, module: Any, head: Path) -> None:
    image = str(head / "case1-t2f.nii.gz")
    mask, params = client.infer(MODEL, "", dict(QUICK), file=image)
    assert mask
    assert params["used"] == ["flair"]
    with pytest.raises(module.MONAILabelClientException) as refused:
        client.infer(MODEL, "", dict(QUICK), file=image, label_in=image)
    assert "no model here takes scribbles" in refused.value.msg


def test_sign_in_with_the_token_as_password(
    module: Any, base: str, token: str, head: Path, tmp_path: Path
) -> None:
    def new() -> Any:
        return module.MONAILabelClient(f"{base}/monai", str(tmp_path), "user-xyz")

    one = new()
    assert one.auth_enabled() is True
    with pytest.raises(module.MONAILabelClientException) as refused:
        one.info()
    assert refused.value.status_code == 401
    with pytest.raises(module.MONAILabelClientException) as refused:
        one.auth_token("ann", "wrong")
    assert refused.value.status_code == 401
    signed = one.auth_token("ann", token)

    def signed_in() -> Any:  # Slicer makes a client for each call
        made = new()
        made.update_auth(signed)
        return made

    assert signed_in().auth_valid_token() is True
    assert signed_in().info()["name"].startswith("gliomask")
    session = signed_in().create_session(str(head / "case1-t2f.nii.gz"))["session_id"]
    mask, _ = signed_in().infer(MODEL, "x", dict(QUICK), session_id=session)
    assert sitk.ReadImage(mask).GetSize() == (24, 20, 8)


def test_addresses_without_a_valid_token_are_nowhere(base: str, server: Server) -> None:
    tokens = Tokens(open_database(server.data))
    plain = tokens.create("ann", ["read", "submit"], 1.0)
    for key in (plain, server.address.partition("token=")[2], "x"):
        for path in ("", "/", "/info/", "/models", "/datastore/?output=all"):
            answer = server.client.get(f"{base}/k/{key}{path}")
            assert (answer.status_code, answer.json()["text"]) == (404, "no such address")
    assert (
        server.client.get(f"{base}/monai/info/", headers={"origin": "https://x"}).status_code == 403
    )


def test_images_belong_to_their_owner(base: str, token: str, server: Server) -> None:
    other = Tokens(open_database(server.data)).create("bob", ["monai"], 1.0)
    path = f"{base}/k/{token}/datastore/"
    server.client.put(path, params={"image": "own"}, files={"file": ("a.nii", b"1")})
    got = server.client.get(f"{base}/k/{other}/datastore/image", params={"image": "own"})
    assert got.status_code == 404
    got = server.client.get(f"{base}/k/{token}/datastore/image", params={"image": "own"})
    assert got.content == b"1"
    assert server.client.delete(path, params={"id": "own"}).status_code == 200
    assert server.client.get(path, params={"output": "all"}).json()["objects"].get("own") is None
