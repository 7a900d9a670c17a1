"""``predict`` into a BIDS data set: names, what stands in the files, and what is never replaced."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.identity import bids_label
from gliomask.core.label_scheme import BINARY
from gliomask.core.labels import ENHANCING, NECROSIS, OEDEMA
from gliomask.datasets.bids import cases
from gliomask.datasets.find import find_cases
from gliomask.errors import CaseError, InputError
from gliomask.formats.nifti import read_nifti_labels, write_nifti
from gliomask.results.prediction.summary import PredictResult
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import BrightEngine, FakeModel, head_volume, write_head, write_picture_head
from tests.workflows.heads import write_dicom_head

OURS = "derivatives/gliomask"
MASK = f"{OURS}/sub-01/ses-1/anat/sub-01_ses-1_space-orig_label-tumor_mask.nii.gz"
PARTS = f"{OURS}/sub-01/ses-1/anat/sub-01_ses-1_space-orig_dseg.nii.gz"
THREE = ("whole", "core", "enhancing")


def use(monkeypatch: pytest.MonkeyPatch, *regions: str) -> None:
    model = FakeModel(size=64, regions=regions)
    model.engine = BrightEngine(2.0, regions=len(regions))
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", model)


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "whole")


def tree(root: Path) -> Path:
    """A raw data set of one subject with one session."""
    volume = head_volume()
    for name, array in zip(("T1w", "FLAIR"), volume.array, strict=True):
        path = root / f"sub-01/ses-1/anat/sub-01_ses-1_{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_nifti(path, array, volume.affine)
    return root


def run(inputs: Path, root: Path, **changes: Any) -> PredictResult:
    out = root.with_name("out")
    options = PredictOptions(
        **{"inputs": (inputs,), "out": out, "model": Path("m"), "write": ("nifti",), **changes},
        bids=root,
    )
    return predict_files(options)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_mask_in_a_raw_tree(tmp_path: Path) -> None:
    root = tree(tmp_path / "raw")
    before = files(root)
    (case,) = run(root, root).cases
    written = {f"{OURS}/dataset_description.json", MASK, MASK.replace(".nii.gz", ".json")}
    assert files(root) - before == written
    mask, affine = read_nifti_labels(root / MASK)
    usual, _ = read_nifti_labels(tmp_path / "out" / "sub-01_ses-1_mask.nii.gz")
    assert np.array_equal(mask, usual)
    assert int(mask.sum()) == case.voxels["whole"] > 0
    assert np.allclose(affine, head_volume().affine)
    told = json.loads((root / OURS / "dataset_description.json").read_text())
    assert (told["DatasetType"], told["GeneratedBy"][0]["Name"]) == ("derivative", "gliomask")
    assert {"Name", "BIDSVersion"} <= told.keys()
    keys = json.loads((root / MASK.replace(".nii.gz", ".json")).read_text())
    base = "bids:raw:sub-01/ses-1/anat/sub-01_ses-1"
    assert keys["Type"] == "Lesion"
    assert keys["Sources"] == [f"{base}_T1w.nii.gz", f"{base}_FLAIR.nii.gz"]
    assert keys["SpatialReference"] in keys["Sources"]
    assert str(tmp_path) not in json.dumps([told, keys])


def test_it_is_read_back_as_a_mask_but_never_as_our_own_reference(tmp_path: Path) -> None:
    root = tree(tmp_path / "raw")
    run(root, root)
    ((case,), problems) = cases(root)
    assert case.label is None
    assert not problems
    shutil.move(root / OURS, root / "derivatives" / "manual")
    ((case,), problems) = cases(root)
    assert not problems
    assert case.label is not None
    assert case.label.paths == (root / MASK.replace("gliomask", "manual"),)
    assert case.scheme == BINARY


def test_several_regions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path / "raw")
    run(root, root)
    use(monkeypatch, *THREE)
    run(root, root)
    assert not (root / MASK).exists(), "a mask of an older result beside the new one"
    rows = (root / PARTS.replace(".nii.gz", ".tsv")).read_text().splitlines()
    assert rows == [
        "index\tname",
        "0\tbackground",
        "1\tnecrotic or non-enhancing tumour core",
        "2\toedema",
        "3\tenhancing tumour",
    ]
    shutil.move(root / OURS, root / "derivatives" / "manual")
    (case,) = find_cases(root).cases
    assert case.scheme is not None
    assert dict(case.scheme.values) == {1: NECROSIS, 2: OEDEMA, 3: ENHANCING}


def test_what_is_no_bids_gets_the_name_of_its_case(tmp_path: Path) -> None:
    write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume())
    write_dicom_head(tmp_path / "dicom")
    for name, case in (("in", "BraTSGLI00001000"), ("dicom", "P120010203")):
        run(tmp_path / name, tmp_path / "bids")
        folder = tmp_path / "bids" / OURS / f"sub-{case}" / "anat"
        mask, _ = read_nifti_labels(folder / f"sub-{case}_space-orig_label-tumor_mask.nii.gz")
        assert mask.any()


def test_pictures_have_no_bids_mask(tmp_path: Path) -> None:
    write_picture_head(tmp_path, "TCGA_CS_4941_19960909")
    with pytest.raises(CaseError, match="pictures have no place"):
        run(tmp_path / "TCGA_CS_4941_19960909", tmp_path / "bids")
    assert not (tmp_path / "bids").exists()


def test_a_run_goes_on_where_the_mask_is_missing(tmp_path: Path) -> None:
    root = tree(tmp_path / "raw")
    assert not run(root, root).earlier
    assert run(root, root).earlier
    (root / MASK).unlink()
    assert not run(root, root).earlier
    assert (root / MASK).is_file()


@pytest.mark.parametrize("left", ["nothing", "json"])
def test_a_mask_that_somebody_changed_stays(tmp_path: Path, left: str) -> None:
    root = tree(tmp_path / "raw")
    run(root, root)
    by_hand = (root / MASK).read_bytes() + b"\0"
    (root / MASK).write_bytes(by_hand)
    if left == "nothing":
        (root / MASK.replace(".nii.gz", ".json")).unlink()
    with pytest.raises(CaseError, match=r"not as gliomask wrote it.*move it away"):
        run(root, root, again=True)
    assert (root / MASK).read_bytes() == by_hand


class _KilledError(BaseException):
    """What nothing catches."""


@pytest.mark.parametrize("ending", [".json", ".nii.gz"])
def test_a_run_that_was_killed_while_it_wrote_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    root = tree(tmp_path / "raw")
    run(root, root)
    before = (root / MASK).read_bytes()
    for name, array in zip(("T1w", "FLAIR"), head_volume().array, strict=True):
        path = root / f"sub-01/ses-1/anat/sub-01_ses-1_{name}.nii.gz"
        write_nifti(path, np.roll(array, 3, axis=0), head_volume().affine)
    move = Path.replace

    def killed_at(source: Path, target: Path) -> Path:
        if target == root / MASK.replace(".nii.gz", ending):
            raise _KilledError
        return move(source, target)

    monkeypatch.setattr(Path, "replace", killed_at)
    with pytest.raises(_KilledError):
        run(root, root)
    monkeypatch.setattr(Path, "replace", move)
    run(root, root)
    after = (root / MASK).read_bytes()
    assert after != before
    (root / MASK).unlink()
    run(root, root)
    assert (root / MASK).read_bytes() == after


@pytest.mark.parametrize(
    "said", [None, "", "[]", '{"Name": "x", "GeneratedBy": [{"Name": "fmriprep"}]}']
)
def test_a_derivative_of_somebody_else_stays(tmp_path: Path, said: str | None) -> None:
    root = tree(tmp_path / "raw")
    (root / OURS).mkdir(parents=True)
    (root / OURS / "README").touch()
    if said is not None:
        (root / OURS / "dataset_description.json").write_text(said)
    before = files(root)
    with pytest.raises(InputError, match="not written by gliomask"):
        run(root, root)
    assert files(root) == before


def test_the_mask_of_other_images_stays(tmp_path: Path) -> None:
    for place in ("a", "b"):
        tree(tmp_path / place)
    run(tmp_path / "a", tmp_path / "bids", out=tmp_path / "one")
    replace = r"use another folder: `bids`, or replace it: `\.\.\. again=True`"
    with pytest.raises(CaseError, match=f"the mask of other images; {replace}"):
        run(tmp_path / "b", tmp_path / "bids", out=tmp_path / "two")
    run(tmp_path / "b", tmp_path / "bids", out=tmp_path / "two", again=True)


def test_two_cases_with_one_bids_name(tmp_path: Path) -> None:
    assert bids_label("p_1") == bids_label("p1") == "sub-p1"
    for name in ("p_1", "p1"):
        volume = head_volume()
        (tmp_path / name).mkdir()
        for end, array in zip(("t1", "flair"), volume.array, strict=True):
            write_nifti(tmp_path / name / f"{name}_{end}.nii.gz", array, volume.affine)
    run(tmp_path / "p_1", tmp_path / "bids")
    with pytest.raises(CaseError, match="p1: the mask of p-1, whose BIDS name is the same"):
        run(tmp_path / "p1", tmp_path / "bids", again=True)
