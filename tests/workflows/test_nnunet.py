"""``nnunet`` in the place of ``nnUNetv2_predict``: its folders, names, numbers and options."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gliomask.errors import BatchError, ConfigError, GliomaskError, LayoutError
from gliomask.formats.nifti import read_nifti_labels, write_nifti
from gliomask.workflows.nnunet import NnunetOptions, predict_nnunet
from tests.commands import run as command
from tests.fakes import FakeModel, head_volume

CHANNELS = {"0": "T1", "1": "FLAIR"}
BINARY = {"background": 0, "lesion": 7}
BRATS = {"background": 0, "edema": 1, "non-enhancing tumor": 2, "enhancing tumour": 3}
REGIONS = {
    "background": 0,
    "whole tumor": [1, 2, 3],
    "tumor core": [2, 3],
    "enhancing tumor": [3],
}


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.workflows.nnunet.load_predictor", FakeModel(size=64))


def describe(path: Path, labels: object = None, **more: object) -> Path:
    content = {"channel_names": CHANNELS, "labels": labels or BINARY, "file_ending": ".nii.gz"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**content, **more}))
    return path


def images(folder: Path, *cases: str) -> Path:
    volume = head_volume()
    for case in cases:
        for k, image in enumerate(volume.array):
            write_nifti(folder / f"{case}_{k:04d}.nii.gz", image, volume.affine)
    return folder


def segment(folder: Path, out: Path, **how: object) -> dict[str, int]:
    options = {"folder": folder, "out": out, "model": "./fake", "quick": True, **how}
    return predict_nnunet(NnunetOptions.model_validate(options)).labels


def test_masks_have_the_names_numbers_and_grid_of_nnunet(tmp_path: Path) -> None:
    folder = images(tmp_path / "raw" / "imagesTs", "BRATS_001", "BRATS_002")
    describe(tmp_path / "raw" / "dataset.json")
    assert segment(folder, tmp_path / "out") == {"background": 0, "tumor": 7}
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"BRATS_001.nii.gz", "BRATS_002.nii.gz", "dataset.json"}
    mask, affine = read_nifti_labels(tmp_path / "out" / "BRATS_002.nii.gz")
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 7}
    np.testing.assert_array_equal(affine, head_volume().affine.astype(np.float32))
    said = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert said["labels"] == {"background": 0, "tumor": 7}
    assert said["channel_names"] == CHANNELS


@pytest.mark.parametrize(
    ("labels", "order", "due"),
    [
        # Our numbers: 1 necrosis, 2 oedema, 3 enhancing.
        (BRATS, None, {1: 2, 2: 1, 3: 3}),
        (REGIONS, [4, 5, 6], {1: 5, 2: 4, 3: 6}),
        (BINARY, None, {1: 7, 2: 7, 3: 7}),
    ],
    ids=["names", "regions", "one label"],
)
def test_numbers_are_those_of_the_data_set(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    labels: dict[str, object],
    order: list[int] | None,
    due: dict[int, int],
) -> None:
    model = FakeModel(level=0.5, size=64, regions=("whole", "core", "enhancing"))
    model.engine.regions = 3
    monkeypatch.setattr("gliomask.workflows.nnunet.load_predictor", model)
    folder = images(tmp_path / "in", "case")
    more = {} if order is None else {"regions_class_order": order}
    file = describe(tmp_path / "in" / "dataset.json", labels, **more)
    segment(folder, tmp_path / "own", own_labels=True)
    segment(folder, tmp_path / "out", description=file)
    own, _ = read_nifti_labels(tmp_path / "own" / "case.nii.gz")
    found, _ = read_nifti_labels(tmp_path / "out" / "case.nii.gz")
    assert set(np.unique(own)) == {0, 1, 2, 3}
    for number, other in {0: 0, **due}.items():
        assert set(np.unique(found[own == number])) == {other}


def test_a_tumour_of_one_number_is_not_called_one_of_its_parts(tmp_path: Path) -> None:
    folder = images(tmp_path / "in", "case")
    describe(tmp_path / "in" / "dataset.json", BRATS)
    with pytest.raises(ConfigError, match=r"no label for a region of the model \(label=tumor"):
        segment(folder, tmp_path / "out")
    assert segment(folder, tmp_path / "out", own_labels=True) == {"background": 0, "tumor": 1}


def test_parts_and_cases_that_are_done(tmp_path: Path) -> None:
    folder = images(tmp_path / "in", "a", "b", "c")
    describe(tmp_path / "in" / "dataset.json")
    how = {"folder": folder, "out": tmp_path / "out", "model": "./fake", "quick": True}
    second = predict_nnunet(NnunetOptions.model_validate({**how, "parts": 2, "part": 1}))
    assert second.done == ("b",)
    before = (tmp_path / "out" / "b.nii.gz").stat().st_mtime_ns
    rest = predict_nnunet(NnunetOptions.model_validate({**how, "keep_done": True}))
    assert (rest.done, rest.earlier) == (("a", "c"), ("b",))
    assert (tmp_path / "out" / "b.nii.gz").stat().st_mtime_ns == before


def test_probabilities(tmp_path: Path) -> None:
    folder = images(tmp_path / "in", "case")
    describe(tmp_path / "in" / "dataset.json")
    segment(folder, tmp_path / "out", probabilities=True)
    with np.load(tmp_path / "out" / "case.npz") as found:
        assert found["regions"].tolist() == ["whole"]
        assert found["probabilities"].shape == (1, *head_volume().shape[::-1])
        above = found["probabilities"][0].transpose(2, 1, 0) >= 0.5
    mask, _ = read_nifti_labels(tmp_path / "out" / "case.nii.gz")
    np.testing.assert_array_equal(mask > 0, above)


def test_a_case_without_a_channel_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = images(tmp_path / "in", "a", "b")
    (folder / "a_0001.nii.gz").unlink()
    describe(tmp_path / "in" / "dataset.json")
    with pytest.raises(BatchError) as caught:
        segment(folder, tmp_path / "out")
    assert caught.value.failures == (("a", "channel files are missing: 0001"),)
    assert (tmp_path / "out" / "b.nii.gz").is_file()


@pytest.mark.parametrize(
    ("wrong", "kind", "text"),
    [
        ("no json", LayoutError, "no dataset.json that defines the channels"),
        ("no cases", LayoutError, "no cases; files are named CASE_0000.nii.gz"),
        ("no folder", LayoutError, "the folder does not exist"),
        ("same", ConfigError, "the masks would be among the images"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, wrong: str, kind: type[GliomaskError], text: str
) -> None:
    folder = tmp_path / "in" if wrong == "no folder" else images(tmp_path / "in", "case")
    if wrong == "no cases":
        for path in folder.iterdir():
            path.unlink()
    if wrong != "no json":
        describe(tmp_path / "dataset.json")
    with pytest.raises(kind, match=text):
        segment(folder, folder if wrong == "same" else tmp_path / "out")


def test_by_command_with_the_options_of_nnunet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = images(tmp_path / "in", "case")
    describe(tmp_path / "in" / "dataset.json")
    words = ("nnunet", "-i", folder, "-o", tmp_path / "out", "--model", "./fake", "--disable_tta")
    theirs = ("-d", "5", "-c", "2d", "-tr", "nnUNetTrainer", "-chk", "best.pth", "-npp", "2")
    assert command(monkeypatch, *words, *theirs, "-f", "0", "1", "2", "-device", "cpu") == 0
    shown = capsys.readouterr()
    assert "ignored options: -d, -c, -tr, -f, -chk, -npp" in shown.err
    assert shown.out.startswith("1 mask by fake")
    assert command(monkeypatch, *words, "-device", "tpu") == 2
    assert "(-device=tpu, allowed auto, cpu, cuda)" in capsys.readouterr().err
    assert command(monkeypatch, *words, "stray") == 2
    assert command(monkeypatch, *words, "-prev_stage_predictions", "x") == 2
