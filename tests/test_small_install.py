"""What ``pip install gliomask`` without an extra can do: prediction and scoring, without PyTorch.

Packages of extras are hidden, as if they were not installed; ``make dist`` tries the real thing.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import gliomask
from gliomask.config import shipped
from gliomask.core.extras import has_extra, install_hint, load_extra, missing_package
from gliomask.errors import PackageError
from gliomask.formats.nifti import write_nifti
from gliomask.formats.volumes import volume_format
from gliomask.inference.engines.first_run import run_engines
from gliomask.nets.arrays import read_arrays
from gliomask.workflows import doctor as doctors
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import FakeModel, head_labels, head_volume
from tests.nets.foreign.keras2 import layers
from tests.nets.foreign.keras2 import write as write_keras
from tests.nets.foreign.nets import arrays_of, trained
from tests.workflows.test_predict_dicom import write_head_as_dicom

OF_EXTRAS = (
    "torch", "lightning_fabric", "monai", "matplotlib", "zarr", "onnx", "highdicom", "SimpleITK",
    "nilearn", "tensorboard", "sklearn", "pandas", "h5py", "onnxruntime", "openvino", "imagecodecs",
)  # fmt: skip
SCRIPT = f"""
import importlib.metadata, sys
for name in {OF_EXTRAS!r}:
    sys.modules[name] = None

def hidden(name, known=importlib.metadata.Distribution.from_name):
    if name.replace("-", "_") in {OF_EXTRAS!r}:
        raise importlib.metadata.PackageNotFoundError(name)
    return known(name)

importlib.metadata.Distribution.from_name = staticmethod(hidden)
from gliomask.cli.main import main
for words in sys.argv[1].split(";"):
    sys.argv = ["gliomask", *words.split()]
    try:
        main()
    except SystemExit as ended:
        print("ENDED", ended.code)
"""


def run(folder: Path, *commands: str, script: str = SCRIPT) -> subprocess.CompletedProcess[str]:
    """Commands in one process that has none of the packages."""
    words = [sys.executable, "-c", script, ";".join(commands)]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_it_predicts_and_scores(tmp_path: Path) -> None:
    volume = head_volume()
    for name, image in zip(("t1", "flair"), volume.array, strict=True):
        write_nifti(tmp_path / "scan" / f"p1_{name}.nii.gz", image, volume.affine)
    write_nifti(tmp_path / "references" / "p1_mask.nii.gz", head_labels(), volume.affine)
    done = run(
        tmp_path,
        "predict scan --out masks",
        "score references masks --out scored",
        "inspect scan",
        "models u2netp-lgg",
    )
    assert done.stdout.count("ENDED 0") == 4, done.stderr
    assert {path.name for path in (tmp_path / "masks").iterdir()} == {
        "cases.csv", "p1.html", "p1.json", "p1.png", "p1_mask.nii.gz",
    }  # fmt: skip
    assert {"metrics.csv", "summary.json", "report.html"} <= {
        path.name for path in (tmp_path / "scored").iterdir()
    }
    assert "without charts: they need matplotlib; pip install 'gliomask[charts]'" in done.stdout
    (warning,) = json.loads((tmp_path / "scored" / "summary.json").read_text())["warnings"]
    assert warning.startswith("Without charts: matplotlib is not installed")
    assert "Without charts" in (tmp_path / "scored" / "report.html").read_text()


def test_what_needs_an_extra_says_so_in_one_line(tmp_path: Path) -> None:
    commands = {
        "train x.store --out run": "torch",
        "phantom cohort": "nilearn",
        "export u2netp-lgg --out bundle": "onnx",
        "demo --out demo": "torch",
    }
    done = run(tmp_path, *commands)
    assert done.stdout.split("\n")[:-1] == ["ENDED 4"] * len(commands)
    lines = done.stderr.splitlines()
    assert len(lines) == len(commands)
    for line, package in zip(lines, commands.values(), strict=True):
        assert line.startswith("error: this needs the package ")
        assert line.endswith(", which is not installed; pip install 'gliomask[train]'")
        assert package in line


def test_it_imports_weights_without_pytorch(tmp_path: Path) -> None:
    """Keras and safetensors; a .pth file is a pickle, which only PyTorch opens."""
    arrays = arrays_of(trained(epsilon=1e-3))
    save_file(arrays, tmp_path / "tensors.safetensors")
    write_keras(tmp_path / "keras.h5", layers(arrays))
    (tmp_path / "pickle.pth").write_bytes(b"\x80")
    done = import_without_pytorch(tmp_path, "tensors.safetensors", "keras.h5", "pickle.pth")
    assert done.stdout.count("ENDED 0") == 2, done.stderr
    assert done.stdout.count("ENDED 4") == 1
    expected = "this needs the package torch, which is not installed; pip install 'gliomask[train]'"
    assert done.stderr.splitlines() == [f"error: {expected}"]
    for name, epsilon in (("tensors", 1e-5), ("keras", 1e-3)):
        written, card = read_arrays(tmp_path / name)
        assert card.norm_epsilon == epsilon
        assert written.keys() == arrays.keys()
        for key in arrays.keys() - {key for key in arrays if "num_batches" in key}:
            np.testing.assert_array_equal(written[key], arrays[key])


def import_without_pytorch(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    known = "--sequences t1ce,t2 --regions whole --size 64"
    commands = [f"models import {name} --out {Path(name).stem} {known}" for name in files]
    hidden = [name for name in OF_EXTRAS if name not in ("h5py", "onnx")]
    return run(folder, *commands, script=SCRIPT.replace(repr(OF_EXTRAS), repr(tuple(hidden))))


def hide(monkeypatch: pytest.MonkeyPatch, package: str, *users: str) -> None:
    """Hides a package from modules of ours that import it."""
    monkeypatch.setitem(sys.modules, package, None)
    for user in users:
        monkeypatch.delitem(sys.modules, f"gliomask.{user}", raising=False)


def dicom_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **more: object
) -> PredictOptions:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    write_head_as_dicom(tmp_path / "study")
    given = {"inputs": (tmp_path / "study",), "out": tmp_path / "out", "model": Path("fake")}
    return PredictOptions.model_validate({**given, "align": False, **more})


def test_a_dicom_study_without_highdicom_has_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "highdicom", "formats.dicom_out.seg", "formats.dicom_out.source_images")
    (case,) = predict_files(dicom_options(tmp_path, monkeypatch)).cases
    assert (tmp_path / "out" / f"{case.case}_mask.nii.gz").is_file()
    assert not (tmp_path / "out" / f"{case.case}.seg.dcm").exists()
    (note,) = [note for note in case.notes if "highdicom" in note]
    assert "pip install 'gliomask[dicom]'" in note


def test_dicom_segmentation_that_was_asked_for_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "highdicom", "formats.dicom_out.seg", "formats.dicom_out.source_images")
    options = dicom_options(tmp_path, monkeypatch, write=("dicom-seg",))
    with pytest.raises(gliomask.GliomaskError) as caught:
        predict_files(options)
    assert "gliomask[dicom]" in str(getattr(caught.value, "failures", caught.value))
    assert not list((tmp_path / "out").glob("P1*"))


def test_nrrd_and_registration_name_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "SimpleITK", "formats.itk")
    (tmp_path / "p1_flair.nrrd").write_bytes(b"NRRD0004\n")
    kind = volume_format(tmp_path / "p1_flair.nrrd")
    assert kind is not None
    with pytest.raises(PackageError, match=r"SimpleITK.*pip install 'gliomask\[itk\]'"):
        kind.codec.read_volumes(tmp_path / "p1_flair.nrrd")
    with pytest.raises(PackageError, match=r"pip install 'gliomask\[itk\]'"):
        load_extra("SimpleITK")


def test_the_python_names_say_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "lightning_fabric", "workflows.train")
    with pytest.raises(PackageError, match=r"lightning_fabric.*gliomask\[train\]"):
        gliomask.train  # noqa: B018


def test_only_packages_of_extras_are_explained() -> None:
    def problem(name: str) -> ModuleNotFoundError:
        return ModuleNotFoundError(f"No module named {name!r}", name=name)

    assert "gliomask[train]" in str(missing_package(problem("lightning_fabric.loggers")))
    assert "gliomask[itk]" in str(missing_package(problem("SimpleITK")))
    for name in ("numpy", "gliomask.nothing", "pytest", "mkdocs"):
        assert missing_package(problem(name)) is None
    assert missing_package(ModuleNotFoundError("no name")) is None
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        load_extra("no_such_package")
    assert load_extra("json") is json
    assert (has_extra("numpy"), has_extra("no_such_package")) == (True, False)
    assert install_hint("matplotlib") == "pip install 'gliomask[charts]'"


def test_the_doctor_runs_the_engines_where_there_is_no_torch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctors, "has_extra", lambda name: False)
    found = doctors.doctor()
    levels = {one.name: one.level for one in found.findings if one.part in ("engines", "GPU")}
    assert levels["mnn"] == levels["to be used"] == levels["torch"] == "ok"
    remarks = {one.name: one.remark for one in found.findings}
    assert "not compared with PyTorch" in remarks["mnn"]
    assert "gliomask[train]" in remarks["torch"]


def test_no_engine_breaks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("gliomask.inference.engines.first_run")
    monkeypatch.setattr(module, "_problem", lambda model, status: "it does not start")
    *rows, used = run_engines(shipped.HOME / shipped.DEFAULT)
    assert {row.level for row in rows} == {"note"}
    assert (used.level, used.found) == ("breaks", "none")


@pytest.mark.parametrize(("value", "problem"), [(np.nan, "NaN or infinity"), (0, "the same for")])
def test_an_answer_that_is_no_number_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, value: float, problem: str
) -> None:
    class Broken:
        def logits(self, inputs: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            return np.full((1, 1, 2, 2), value, np.float32)

    module = importlib.import_module("gliomask.inference.engines.first_run")
    opened = module.open_engine(shipped.HOME / shipped.DEFAULT, "mnn", "cpu", threads=1)
    broken = type(opened)(Broken(), opened.card)
    monkeypatch.setattr(module, "open_engine", lambda *_, **__: broken)
    assert all(problem in row.remark for row in run_engines(Path("m"))[:-1])
