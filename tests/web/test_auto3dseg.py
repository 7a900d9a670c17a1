"""The protocol of MONAIAuto3DSeg's remote server.

The requests here are written after the remote logic of ``MONAIAuto3DSeg.py``
(SlicerMONAIAuto3DSeg, commit 9cdf2df). ``tests/slicer/test_auto3dseg_client.py`` runs that logic
itself where a checkout of it is at hand.
"""

from __future__ import annotations

import csv
import fnmatch
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it
from httpx2 import Client, Response

from gliomask.formats import itk
from tests.commands import run
from tests.fakes import head_volume
from tests.web.live import Server, served

pytestmark = pytest.mark.server

MODEL = "u2netp-glioma"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without tokens: this client sends none."""
    with served(tmp_path_factory.mktemp("auto3d") / "data", "--no-token") as one:
        yield one


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(base_url=f"{server.address.rstrip('/')}/monai", timeout=90) as one:
        yield one


@pytest.fixture
def volumes(tmp_path: Path) -> dict[str, Path]:
    """T1 and FLAIR as Slicer writes them, in the order of the nodes."""
    head, found = head_volume(), {}
    for number, name in enumerate(("flair", "t1")):
        found[name] = tmp_path / f"input-volume{number}.nrrd"
        image = head.array[head.sequences.index(name)]
        itk.write_volume(found[name], image, head.affine)
    return found


def infer(client: Client, model: str, *paths: Path) -> Response:
    names = ("image_file", "image_file_2", "image_file_3", "image_file_4")
    files = {name: (path.name, path.read_bytes()) for name, path in zip(names, paths, strict=False)}
    return client.post(f"/infer?model_name={model}", files=files)


def test_models(client: Client) -> None:
    models = client.get("/models").json()
    assert len(models) == 15  # every set of four sequences but the empty one
    full, *others = models
    assert full["id"] == f"{MODEL}.flair-t1ce-t1-t2"
    assert [one["title"] for one in full["inputs"]] == ["FLAIR", "post-contrast T1", "T1", "T2"]
    names = ("BraTS-GLI-00001-000-t2f", "x-t1c", "x-t1n", "x-t2w")
    patterns = [one["namePattern"] for one in full["inputs"]]
    assert all(map(fnmatch.fnmatchcase, names, patterns))
    assert len({one["id"] for one in models}) == 15
    for one in models:
        for key in ("title", "version", "description", "imagingModality", "details"):
            assert isinstance(one[key], str)
        assert isinstance(one["segmentNames"], list)
        assert one["deprecated"] is False
    assert [len(one["inputs"]) for one in others] == [3] * 4 + [2] * 6 + [1] * 4
    assert client.get("/modelinfo", params={"id": full["id"]}).json() == full
    assert client.get("/monaiinfo").json().startswith("gliomask ")


def test_label_descriptions(client: Client) -> None:
    text = client.get(f"/labelDescriptions?id={MODEL}.flair-t1").text
    header, *rows = csv.reader(text.splitlines())
    assert len(header) == 2 + 3 * 5
    told = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(one["LabelValue"], one["Name"]) for one in told] == [
        ("1", "necrotic or non-enhancing tumour core"),
        ("2", "oedema"),
        ("3", "enhancing tumour"),
    ]
    kind = "SegmentedPropertyTypeCodeSequence"
    assert told[2][f"{kind}.CodingSchemeDesignator"] == "NCIt"
    assert told[2][f"{kind}.CodeValue"] == "C113842"
    assert told[0]["AnatomicRegionSequence.CodeMeaning"] == "Brain"
    assert told[0]["AnatomicRegionModifierSequence.CodeValue"] == ""


def test_two_volumes_give_the_mask_of_the_command(
    client: Client,
    volumes: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = infer(client, f"{MODEL}.flair-t1", volumes["flair"], volumes["t1"])
    assert answer.status_code == 200, answer.text
    got = tmp_path / "output-segmentation.nrrd"
    got.write_bytes(answer.content)
    given = ("--flair", volumes["flair"], "--t1", volumes["t1"])
    out = tmp_path / "out"
    assert run(monkeypatch, "predict", *given, "--out", out, "--write", "nrrd") == 0
    (expected,) = out.glob("*_mask.nrrd")
    assert answer.content == expected.read_bytes()
    mask = sitk.ReadImage(str(got))
    assert np.any(sitk.GetArrayViewFromImage(mask))
    assert mask.GetOrigin() == pytest.approx(sitk.ReadImage(str(volumes["flair"])).GetOrigin())


def test_what_is_refused(client: Client, server: Server, volumes: dict[str, Path]) -> None:
    flair = volumes["flair"]
    assert infer(client, "other.flair", flair).status_code == 404
    assert infer(client, f"{MODEL}.flair-flair", flair).status_code == 404
    lacking = infer(client, f"{MODEL}.flair-t1", flair)
    assert lacking.status_code == 422
    assert "needs 2 volumes: FLAIR, T1" in lacking.json()["text"]
    assert infer(client, f"{MODEL}.flair", flair, volumes["t1"]).status_code == 422
    flair.write_bytes(b"NRRD0004\n\nnothing")
    damaged = infer(client, f"{MODEL}.flair", flair)
    assert damaged.status_code == 422
    assert str(server.data) not in damaged.text
    assert client.post(f"/infer?model_name={MODEL}.flair", content=b"x").status_code == 422
    assert not list((server.data / "uploads").iterdir())
