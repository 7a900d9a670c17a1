"""``predict`` on DICOM series: the mask lies where the tumour is, on the grid of the series."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.geometry import axis_codes, spacing_mm
from gliomask.formats.archive import all_unpacked
from gliomask.formats.nifti import read_nifti_labels
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import FakeModel, head_labels, head_volume, world_points
from tests.formats.dicom.made import Plan, save, series

LPS = ((0, 1, 2), (0, 1))
TAGS: dict[str, dict[str, Any]] = {
    "t1": {"SeriesDescription": "Ax T1", "RepetitionTime": 500.0, "EchoTime": 10.0},
    "flair": {"SeriesDescription": "Ax FLAIR", "InversionTime": 2400.0},
}


def write_head_as_dicom(folder: Path) -> None:
    """The head of the other tests, its slices axial as scanners store them."""
    volume = head_volume(*LPS)
    assert axis_codes(volume.affine) == "LPS"
    columns, rows, slices = volume.shape
    between_columns, between_rows, step = spacing_mm(volume.affine)
    x, y, z = volume.affine[:3, 3]
    plan = Plan(
        between_rows=between_rows,
        between_columns=between_columns,
        step=step,
        origin=(-x, -y, z),
        slices=slices,
        rows=rows,
        columns=columns,
    )
    for number, (name, image) in enumerate(zip(volume.sequences, volume.array, strict=True), 1):
        stored = np.rint(100 * image).astype(int).transpose(2, 1, 0)
        save(folder, series(plan, stored, number, **TAGS[name]))


@pytest.mark.parametrize("packed", [False, True])
def test_a_study(packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.workflows.predict.load_predictor", FakeModel(size=64))
    place = tmp_path / "in"
    write_head_as_dicom(place)
    if packed:
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            for path in place.iterdir():
                archive.write(path, path.name)
        place = tmp_path / "in.zip"
    with all_unpacked([place]) as inputs:
        result = predict_files(PredictOptions(inputs=inputs, out=tmp_path / "out", model="fake"))
    (case,) = result.cases
    assert (case.case, case.used) == ("P1_20010203", ("t1", "flair"))
    mask, affine = read_nifti_labels(tmp_path / "out" / "P1_20010203_mask.nii.gz")
    volume = head_volume(*LPS)
    assert np.allclose(affine, volume.affine, atol=1e-4)
    truth = world_points(head_labels(*LPS), volume.affine)
    found = world_points(mask, volume.affine)
    assert len(truth & found) / len(truth | found) > 0.7
