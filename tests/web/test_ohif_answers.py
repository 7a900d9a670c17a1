"""What OHIF's MONAI Label plugin gets: it names a series by its UID and ignores NRRD's geometry."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from httpx2 import Client, Response

from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.formats.dicom.made import AXIAL, CORONAL, ROOT, SAGITTAL, Plan
from tests.web.live import Server, served
from tests.workflows.heads import write_dicom_head

pytestmark = pytest.mark.server

MODEL = "u2netp-glioma"
ORIGIN = {"origin": "https://viewer.example"}
NUMBERS = {"whole": 2, "core": 1, "enhancing": 3}
"""Region -> the number of its own voxels; later ones lie inside."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("ohif") / "data") as one:
        yield one


@pytest.fixture
def ohif(server: Server) -> Iterator[Client]:
    """A page of another site, which sends no token but that in the address."""
    token = Tokens(open_database(server.data)).create("ann", ["monai"], 1.0)
    base = f"{server.address.partition('/?')[0]}/k/{token}"
    with Client(base_url=base, headers=ORIGIN, timeout=90) as one:
        yield one


def send(ohif: Client, folder: Path, name: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as members:
        for path in folder.rglob("*.dcm"):
            members.write(path, path.relative_to(folder))
    files = {"file": ("study.zip", packed.getvalue())}
    assert ohif.put("/datastore/", params={"image": name}, files=files).status_code == 200


def infer(ohif: Client, series: str, output: str, **params: Any) -> Response:
    """As ``MonaiLabelClient.js`` asks."""
    told = {
        "result_extension": ".nrrd",
        "result_dtype": "uint8",
        "result_compress": False,
        "restore_label_idx": False,
        "uncertainty": False,
        **params,
    }
    answer = ohif.post(
        f"/infer/{MODEL}",
        params={"image": series, "output": output},
        files={"params": (None, json.dumps(told))},
    )
    assert answer.status_code == 200, answer.text
    return answer


def voxels_for_ohif(content: bytes, plan: Plan) -> Any:
    """The bytes as the plugin takes them: columns fastest, then rows, then slices."""
    head, _, data = content.partition(b"\n\n")
    fields = dict(line.split(b": ", 1) for line in head.split(b"\n") if b": " in line)
    assert fields[b"encoding"] == b"raw"
    assert fields[b"type"] in (b"unsigned char", b"uint8")
    assert fields[b"sizes"].split() == [b"%d" % n for n in (plan.columns, plan.rows, plan.slices)]
    return np.frombuffer(data, np.uint8).reshape(plan.slices, plan.rows, plan.columns)


def voxels_of_seg(content: bytes, plan: Plan) -> Any:
    """The same of a DICOM Segmentation, its frames ordered along the normal of the series."""
    seg = pydicom.dcmread(io.BytesIO(content))
    segments: Mapping[int, str] = {
        one.SegmentNumber: one.SegmentLabel.lower() for one in seg.SegmentSequence
    }
    frames = np.atleast_3d(seg.pixel_array.reshape(-1, plan.rows, plan.columns))
    mask = np.zeros((plan.slices, plan.rows, plan.columns), np.uint8)
    ordered = sorted(range(len(frames)), key=lambda n: _rank(seg, segments, n))
    for n in ordered:
        groups = seg.PerFrameFunctionalGroupsSequence[n]
        place = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
        k = round(float((place - plan.position(0)) @ plan.normal) / plan.step)
        mask[k][frames[n] > 0] = NUMBERS[_region(segments[_segment(seg, n)])]
    return mask


def _segment(seg: pydicom.Dataset, n: int) -> int:
    groups = seg.PerFrameFunctionalGroupsSequence[n]
    if "SegmentIdentificationSequence" not in groups:
        groups = seg.SharedFunctionalGroupsSequence[0]
    return int(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber)


def _region(label: str) -> str:
    return next(name for name in NUMBERS if name in label)


def _rank(seg: pydicom.Dataset, segments: Mapping[int, str], n: int) -> int:
    return list(NUMBERS).index(_region(segments[_segment(seg, n)]))


@pytest.mark.parametrize(
    "directions",
    [
        pytest.param(AXIAL, id="ax"),
        pytest.param(SAGITTAL, id="sag"),
        pytest.param(CORONAL, id="cor", marks=pytest.mark.slow),
    ],
)
def test_the_voxels_are_those_of_the_segmentation_in_the_order_of_ohif(
    ohif: Client, server: Server, tmp_path: Path, directions: tuple[float, ...]
) -> None:
    """Of a study that was sent once, for a series that is not the one that others are put on."""
    plan = write_dicom_head(tmp_path, directions)
    send(ohif, tmp_path, "study")
    series = f"{ROOT}1.1"  # T1
    answer = infer(ohif, series, "image")
    assert answer.headers["access-control-allow-origin"] == "*"
    found = voxels_for_ohif(answer.content, plan)
    seg = infer(ohif, series, "dicom_seg").content
    assert found.any()
    assert np.array_equal(found, voxels_of_seg(seg, plan))
    jobs = server.client.get("/jobs").json()
    assert [job["kind"] for job in jobs[:2]] == ["predict", "predict"]
    assert jobs[0]["options"]["reference"] == "t1"
    assert jobs[0]["options"]["series"] == {"t1": series}


def test_a_series_that_nobody_sent(ohif: Client) -> None:
    form = {"params": (None, "{}")}
    answer = ohif.post(f"/infer/{MODEL}", params={"image": "1.2.3.4.5"}, files=form)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_page_of_another_site_may_ask_there_only(ohif: Client, server: Server) -> None:
    asked = ohif.options("/datastore/label")
    assert asked.status_code == 204
    assert "PUT" in asked.headers["access-control-allow-methods"]
    base = server.address.partition("/?")[0]
    for path in ("/monai/info/", "/api/v1/health", "/k"):
        assert server.client.get(f"{base}{path}", headers=ORIGIN).status_code == 403
