"""Each benchmark from end to end, as small as it gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.growth import curves as growth
from benchmarks.random_model import random_model
from benchmarks.speed import case as case_speed
from benchmarks.speed import network as network_speed
from benchmarks.speed import training as training_speed
from benchmarks.speed.timed_slices import phantom_store, tumour_slices
from benchmarks.tables import Table, output
from tests.benchmarks.authors_stand_in import write_stand_in


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phantom_store(tmp_path_factory.mktemp("phantom"), patients=5)


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmarks set these for their children; they are put back."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")


def rows(table: Table) -> dict[object, dict[str, object]]:
    """By the first cell."""
    return {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


@pytest.mark.slow
def test_network_speed(store: Path, tmp_path: Path) -> None:
    words = ["--slices", str(store), "--network", "u2net-tiny", "--size", "32", "--keep-memory"]
    words += ["--rounds", "2", "--warm-up", "1", "--sgemm", "64", "--json", str(tmp_path / "f")]
    options = network_speed.parse(words)
    report = network_speed.run(options, tmp_path)
    (table,) = report.tables
    found = rows(table)
    assert {"gliomask torch", "gliomask torch, memory kept", "MONAI UNet"} <= found.keys()
    assert found["gliomask torch"]["largest difference"] == 0
    assert found["gliomask torch"]["parameters"] == 96469  # as the spec says
    for name, row in found.items():
        assert isinstance(row["ms"], float)
        assert row["ms"] > 0
        if str(name).startswith("gliomask"):
            assert isinstance(row["largest difference"], float)
            assert row["largest difference"] < 0.01
    output(report, options)
    assert json.loads((tmp_path / "f").read_text())["tables"][0]["rows"]


@pytest.mark.slow
def test_network_speed_with_the_authors(store: Path, tmp_path: Path) -> None:
    checkout = write_stand_in(tmp_path / "checkout")
    words = ["--slices", str(store), "--size", "32", "--rounds", "1", "--sgemm", "64"]
    words += ["--no-peers", "--authors", str(checkout), "--threads", "2"]
    (table,) = network_speed.run(network_speed.parse(words), tmp_path).tables
    found = rows(table)
    assert "wall time" in table.title
    assert found["authors"]["times as fast"] == "1.00 (1.00 to 1.00)"
    assert found["authors"]["largest difference"] == pytest.approx(0, abs=5e-3)


@pytest.mark.slow
def test_training_speed(store: Path, tmp_path: Path) -> None:
    checkout = write_stand_in(tmp_path / "checkout")
    words = ["--store", str(store), "--size", "32", "--batch", "2", "--steps", "2"]
    words += ["--rounds", "2", "--authors", str(checkout)]
    report = training_speed.run(training_speed.parse(words), tmp_path)
    found = rows(report.tables[0])
    assert {"gliomask", "authors", "MONAI UNet"} <= found.keys()
    for row in found.values():
        assert isinstance(row["slices/s"], float)
        assert row["slices/s"] > 0
        assert isinstance(row["loss"], float)
        assert 0 < row["loss"] < 20
    assert found["authors"]["times as fast"] == "1.00 (1.00 to 1.00)"


@pytest.mark.slow
def test_case_speed(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="the plain pipeline needs scikit-image")
    images = tumour_slices(store, ("t1", "flair"), 32, 4).images
    model = random_model(tmp_path / "model", "u2net-tiny", images, ("t1", "flair"))
    words = ["--model", str(model), "--shape", "32", "32", "6", "--rounds", "1"]
    report = case_speed.run(case_speed.parse(words), tmp_path)
    nifti, dicom = map(rows, report.tables)
    assert set(nifti) == {*case_speed.WAYS, case_speed.PLAIN}
    assert set(dicom) == set(case_speed.WAYS)
    assert nifti[case_speed.PLAIN]["times as fast (wall)"] == "1.00 (1.00 to 1.00)"
    assert "segment" in str(nifti["predict"]["steps"])
    for row in (*nifti.values(), *dicom.values()):
        assert isinstance(row["peak MiB"], float)
        assert row["peak MiB"] > 50


@pytest.mark.slow
def test_growth(tmp_path: Path) -> None:
    options = growth.parse(["--small", "--out", str(tmp_path / "curves")])
    report = growth.run(options, tmp_path)
    grown, shared, points = report.tables
    assert [row[1] for row in grown.rows] == ["slice", "pixel", "channel", "patient", "patient"]
    assert len(shared.rows) == 4
    assert len(points.rows) == 14
    assert (tmp_path / "curves" / "growth.svg").is_file()
