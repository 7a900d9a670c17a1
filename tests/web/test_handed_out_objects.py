"""DICOM objects that a server hands out, judged by programs of others.

    pip install --no-deps --target DIR dcmqi==1.5.7     # segimage2itkimage is below DIR/dcmqi/bin

dciodvfy (Debian: dicom3tools) finds no error, and dcmqi, whose reader is dcmtk's, finds each voxel
of the mask at its place. The server writes Segmentations and RT Structure Sets, no reports.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it
from httpx2 import Client
from pydicom import dcmread

from gliomask.core.regions import REGIONS, region_masks
from gliomask.formats.nifti import read_labels, write_nifti
from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.formats.dicom.made import AXIAL, SAGITTAL, oblique
from tests.web.live import Server, served
from tests.workflows.heads import write_dicom_head

READER, JUDGE = "segimage2itkimage", "dciodvfy"
pytestmark = [
    pytest.mark.server,
    pytest.mark.pacs,
    pytest.mark.skipif(shutil.which(JUDGE) is None, reason=f"{JUDGE} is not installed"),
]
MODEL = "u2netp-glioma"
Points = set[tuple[float, ...]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("objects") / "data") as one:
        yield one


def errors(path: Path) -> list[str]:
    """What dciodvfy calls an error; it warns of what the series of the test leaves empty."""
    done = subprocess.run(
        [JUDGE, str(path)], capture_output=True, text=True, check=False, timeout=120
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert {"Segmentation", "RTStructureSet"} & set(lines)  # what it took the object for
    return [line for line in lines if line.startswith("Error")]


def got(server: Server, job: str, kind: str, place: Path) -> Path:
    answer = server.client.get(f"/jobs/{job}/files/{kind}")
    assert answer.status_code == 200, (kind, answer.text)
    place.write_bytes(answer.content)
    return place


def points(mask: npt.NDArray[Any], affine: npt.NDArray[np.float64]) -> Points:
    """Places of voxels in RAS+ mm, to a hundredth."""
    places = np.argwhere(mask) @ affine[:3, :3].T + affine[:3, 3]
    return {tuple(one) for one in np.round(places, 2) + 0.0}


def by_dcmqi(path: Path, folder: Path) -> dict[str, Points]:
    """Label of a segment -> its voxels."""
    if shutil.which(READER) is None:
        pytest.skip(f"{READER} is not on the PATH (package dcmqi)")
    folder.mkdir()
    words = [READER, "--inputDICOM", str(path), "--outputDirectory", str(folder), "-t", "nrrd"]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    labels = {
        one.SegmentNumber: str(one.SegmentLabel).lower() for one in dcmread(path).SegmentSequence
    }
    found = {}
    for file in folder.glob("*.nrrd"):
        image = sitk.ReadImage(str(file))
        inside = np.argwhere(sitk.GetArrayFromImage(image).T)
        turn = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
        places = (inside @ turn.T + image.GetOrigin()) * (-1, -1, 1)
        found[labels[int(file.stem)]] = {tuple(one) for one in np.round(places, 2) + 0.0}
    return found


def expected(mask: Path, regions: Sequence[str]) -> dict[str, Points]:
    """The same from the mask as NIfTI; segments without voxels are none."""
    labels, affine = read_labels(mask)
    made = {
        REGIONS[name].title: points(one, affine)
        for name, one in zip(
            regions, region_masks(labels.astype(np.uint8), tuple(regions)), strict=True
        )
    }
    return {title: places for title, places in made.items() if places}


def assert_equal(seg: Path, mask: Path, folder: Path) -> None:
    """Voxel for voxel, within 0.02 mm."""
    read, wanted = by_dcmqi(seg, folder), expected(mask, ("whole", "core", "enhancing"))
    read = {title: places for title, places in read.items() if places}
    assert read.keys() == wanted.keys()
    for title, places in wanted.items():
        assert len(read[title]) == len(places) > 0
        one, other = (np.array(sorted(p)) for p in (read[title], places))
        assert np.abs(one - other).max() <= 0.021, title


@pytest.mark.parametrize(
    "directions",
    [AXIAL, pytest.param(SAGITTAL, marks=pytest.mark.slow),
     pytest.param(oblique(20, 0, oblique(15, 1)), marks=pytest.mark.slow)],
    ids=["axial", "sagittal", "oblique"],
)  # fmt: skip
def test_objects(server: Server, tmp_path: Path, directions: Sequence[float]) -> None:
    """Those of the network, and of a correction by hand."""
    write_dicom_head(tmp_path / "study", directions)
    write = ["nifti", "dicom-seg", "rtstruct"]
    upload = server.upload(tmp_path / "study")
    job = server.ended(server.submit(upload, uncertainty=False, write=write))
    assert job["state"] == "done", job["error"]
    mask = got(server, job["id"], "mask", tmp_path / "mask.nii.gz")
    seg = got(server, job["id"], "seg", tmp_path / "seg.dcm")
    contours = got(server, job["id"], "rtstruct", tmp_path / "rt.dcm")
    assert errors(seg) == errors(contours) == []
    assert_equal(seg, mask, tmp_path / "read")
    (case,) = server.client.get(f"/jobs/{job['id']}/corrections").json()["cases"]
    labels, affine = read_labels(mask)
    labels = labels.astype(np.uint8)
    labels[labels > 0] = case["regions"][0]["number"]
    labels[2:4, 3:5, 1] = case["regions"][-1]["number"]
    write_nifti(tmp_path / "drawn.nii.gz", labels, affine)
    content = (tmp_path / "drawn.nii.gz").read_bytes()
    base = {"base": case["sha256"]}
    sent = server.client.put(f"/jobs/{job['id']}/correction", params=base, content=content)
    assert sent.status_code == 201, sent.text
    corrected = got(server, job["id"], "mask-1", tmp_path / "mask-1.nii.gz")
    second = got(server, job["id"], "seg-1", tmp_path / "seg-1.dcm")
    contours = got(server, job["id"], "rtstruct-1", tmp_path / "rt-1.dcm")
    assert errors(second) == errors(contours) == []
    assert_equal(second, corrected, tmp_path / "read-1")
    assert dcmread(seg).SOPInstanceUID != dcmread(second).SOPInstanceUID
    assert b"\0" * 128 == second.read_bytes()[:128] == seg.read_bytes()[:128]


def test_an_object_by_monai_label(server: Server, tmp_path: Path) -> None:
    write_dicom_head(tmp_path / "study")
    archive = Path(shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "study"))
    token = Tokens(open_database(server.data)).create("ann", ["monai"], 1.0)
    with Client(base_url=f"{server.address.partition('/?')[0]}/k/{token}", timeout=300) as ann:
        sent = {"file": (archive.name, archive.read_bytes())}
        assert ann.put("/datastore/", params={"image": "study"}, files=sent).status_code == 200
        asked = {"image": "study", "output": "dicom_seg"}
        form = {"params": (None, '{"uncertainty": false}')}
        answer = ann.post(f"/infer/{MODEL}", params=asked, files=form)
    assert answer.status_code == 200, answer.text
    (tmp_path / "seg.dcm").write_bytes(answer.content)
    assert errors(tmp_path / "seg.dcm") == []
