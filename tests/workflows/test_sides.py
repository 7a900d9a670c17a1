"""A tumour on the patient's right stays there, from any input into every output."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from pydicom import dcmread

from gliomask.core.regions import REGIONS
from gliomask.formats.case_record import CaseRecord
from gliomask.formats.nifti import read_nifti_labels
from gliomask.report.drawing import Anchor, Canvas
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import FakeModel, head_volume, write_head
from tests.formats.dicom.made import AXIAL, CORONAL, SAGITTAL, oblique
from tests.workflows.heads import box_centre, head_centre, write_dicom_head

Points = npt.NDArray[np.float64]
NIFTI = {"RAS": (), "LAS": (0,), "LPS": (0, 1)}
DICOM = {
    "axial": AXIAL,
    "sagittal": SAGITTAL,
    "coronal": CORONAL,
    "oblique": oblique(20, 0, oblique(15, 1)),
}
NEAR_MM = 2.5
"""Between the middle of the box and that of what the stand-in marks: under a voxel's diagonal."""


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))


def predicted(place: Path, *write: str) -> tuple[CaseRecord, Path]:
    out = place.parent / "out"
    options = PredictOptions.model_validate(
        {
            "inputs": (place,),
            "out": out,
            "model": Path("fake"),
            "write": write,
            "uncertainty": False,
        }
    )
    (case,) = predict_files(options).cases
    return case, out / case.case


def beside(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


def assert_at_the_box(points: Points) -> None:
    """Points (N, 3) in RAS+ mm lie about the box, which is right, in front and above."""
    assert (box_centre() - head_centre() > (2, 1, 1)).all()
    assert len(points) > 3
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    assert np.linalg.norm(middle - box_centre()) < NEAR_MM


def points_of_mask(path: Path) -> Points:
    mask, affine = read_nifti_labels(path)
    points: Points = np.argwhere(mask) @ affine[:3, :3].T + affine[:3, 3]
    return points


def points_of_seg(path: Path) -> Points:
    """By highdicom: the volume of the segmentation, and its place in LPS mm."""
    volume = hd.seg.segread(path).get_volume()
    array = np.asarray(volume.array)
    index = np.argwhere(array if array.ndim == 3 else array[..., 0])
    lps: Points = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    return lps * (-1, -1, 1)


def points_of_contours(path: Path) -> Points:
    (region,) = dcmread(path).ROIContourSequence
    lps = [np.reshape(one.ContourData, (-1, 3)).astype(float) for one in region.ContourSequence]
    return np.concatenate(lps) * (-1, -1, 1)


def centroids(stem: Path) -> list[tuple[float, ...]]:
    record = json.loads(beside(stem, ".json").read_text())
    return [tuple(lesion["centroid_mm"]) for lesion in record["lesions"]]


def points_of_page(path: Path) -> Points:
    """The voxel that the viewer opens at, by the affine that it is told."""
    text = path.read_text()
    (data,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    settings = json.loads(data)
    return np.array([(np.array(settings["affine"]) @ [*settings["open"], 1])[:3]])


@pytest.mark.parametrize("axes", NIFTI)
def test_nifti(tmp_path: Path, axes: str) -> None:
    volume = head_volume(flips=NIFTI[axes])
    write_head(tmp_path / "in", "BraTS-GLI-00001-000", volume)
    _, stem = predicted(tmp_path / "in", "nifti", "html")
    assert_at_the_box(points_of_mask(beside(stem, "_mask.nii.gz")))
    (centroid,) = centroids(stem)
    assert np.linalg.norm(np.array(centroid) - box_centre()) < NEAR_MM
    assert json.loads(beside(stem, ".json").read_text())["axes"] == axes
    (opened,) = points_of_page(beside(stem, ".html"))
    assert (abs(opened - box_centre()) <= (4, 4, 4)).all()


@pytest.mark.parametrize("directions", DICOM)
def test_dicom(tmp_path: Path, directions: str) -> None:
    write_dicom_head(tmp_path / "in", DICOM[directions])
    _, stem = predicted(tmp_path / "in", "nifti", "html", "dicom-seg", "rtstruct")
    mask = points_of_mask(beside(stem, "_mask.nii.gz"))
    assert_at_the_box(mask)
    segmentation = points_of_seg(beside(stem, ".seg.dcm"))
    assert_at_the_box(segmentation)
    assert {tuple(p) for p in segmentation.round(2) + 0.0} == {
        tuple(p) for p in mask.round(2) + 0.0
    }
    assert_at_the_box(points_of_contours(beside(stem, ".rtstruct.dcm")))
    (centroid,) = centroids(stem)
    assert np.linalg.norm(np.array(centroid) - box_centre()) < NEAR_MM
    (opened,) = points_of_page(beside(stem, ".html"))
    assert (abs(opened - box_centre()) <= (4, 4, 4)).all()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
@pytest.mark.parametrize("directions", ["axial", "oblique"])
def test_the_judge_finds_no_error_in_the_segmentation(tmp_path: Path, directions: str) -> None:
    write_dicom_head(tmp_path / "in", DICOM[directions])
    _, stem = predicted(tmp_path / "in", "dicom-seg", "rtstruct")
    for ending, kind in ((".seg.dcm", "Segmentation"), (".rtstruct.dcm", "RTStructureSet")):
        words = ["dciodvfy", str(beside(stem, ending))]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
        said = (done.stdout + done.stderr).splitlines()
        assert kind in said
        assert not [line for line in said if line.startswith("Error")]


@pytest.mark.parametrize("kind", ["RAS", "LPS", "axial"])
def test_the_picture(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outline of a tumour on the right lies on the left of each panel, beside the letter R."""
    placed: dict[str, list[float]] = {}
    write = Canvas.text

    def spy(
        canvas: Canvas,
        place: tuple[float, float],
        words: str,
        size: float,
        colour: str,
        anchor: Anchor = "mm",
    ) -> None:
        placed.setdefault(words, []).append(place[0])
        write(canvas, place, words, size, colour, anchor)

    monkeypatch.setattr(Canvas, "text", spy)
    if kind in NIFTI:
        write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume(flips=NIFTI[kind]))
    else:
        write_dicom_head(tmp_path / "in", DICOM[kind])
    _, stem = predicted(tmp_path / "in", "png")
    assert placed["R"]
    assert all(right < left for right, left in zip(placed["R"], placed["L"], strict=True))
    with Image.open(beside(stem, ".png")) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    for panel in panels(pixels):
        near = np.abs(panel - np.rint(255 * np.array(to_rgb(REGIONS["whole"].colour)))) < 30
        rows, columns = np.nonzero(near.all(axis=2))
        if not len(columns):
            continue
        height, width = panel.shape[:2]
        assert columns.max() < 0.55 * width
        assert columns.mean() < 0.45 * width
        assert rows.mean() < 0.5 * height
        return
    pytest.fail("no outline in the picture")


def panels(pixels: npt.NDArray[np.integer]) -> list[npt.NDArray[np.integer]]:
    """The panels of the lower row: runs of columns that are dark somewhere below the middle."""
    grey = pixels.max(axis=2) - pixels.min(axis=2) < 4
    dark = grey & (pixels.max(axis=2) < 60)
    rows = np.flatnonzero(dark.mean(axis=1) > 0.1)
    lower = pixels[pixels.shape[0] // 2 : rows[-1] + 1]
    held = (dark[pixels.shape[0] // 2 : rows[-1] + 1].mean(axis=0) > 0.1).astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], held, [0]])))
    return [lower[:, a:b] for a, b in edges.reshape(-1, 2) if b - a > 60]
