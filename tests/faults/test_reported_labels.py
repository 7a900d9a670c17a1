"""What the numbers in masks mean."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gliomask.core.regions import region_masks
from gliomask.formats.nifti import write_nifti
from gliomask.formats.pictures import write_picture
from gliomask.store.store import open_store
from tests.fakes import head_labels
from tests.faults.situations import GRID, Command, mask, nnunet, numbered, rows, scores


def test_01_predictions_are_read_as_the_set_that_they_are_compared_with(
    gliomask: Command, tmp_path: Path
) -> None:
    """1 is oedema and 2 the core: as BraTS 2023 the core would score about 0."""
    images = np.random.default_rng(0).random((8, 8, 6, 4)).astype(np.float32)
    for case in ("c1", "c2"):
        write_nifti(tmp_path / "set" / "imagesTr" / f"{case}.nii.gz", images, GRID)
        mask(tmp_path / "set" / "labelsTr" / f"{case}.nii.gz", 1, 2, 3)
        mask(tmp_path / "pred" / f"{case}.nii.gz", 1, 2, 3)
    labels = {"0": "background", "1": "edema", "2": "non-enhancing tumor", "3": "enhancing tumour"}
    modality = {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
    text = json.dumps({"modality": modality, "labels": labels})
    (tmp_path / "set" / "dataset.json").write_text(text)
    out = tmp_path / "out"
    said = gliomask("score", tmp_path / "set", tmp_path / "pred", "--out", out, "--no-report")
    assert said.code == 0
    assert len(scores(out)) == 6
    assert set(scores(out).values()) == {1.0}
    core = rows(out)["c1", "core"]["volume_reference_px"]
    assert core == "8"


def test_03_the_numbers_of_brats_ped(gliomask: Command, tmp_path: Path) -> None:
    """1 enhancing, 2 non-enhancing, 3 cystic, 4 oedema: all of it is tumour."""
    for number in range(3):
        name = f"BraTS-PED-0000{number}-000"
        for seed, kind in enumerate(("t1n", "t1c", "t2w", "t2f")):
            image = np.random.default_rng(seed).normal(500, 90, (8, 8, 6)).astype(np.float32)
            write_nifti(tmp_path / "set" / name / f"{name}-{kind}.nii.gz", image, GRID)
        mask(tmp_path / "set" / name / f"{name}-seg.nii.gz", 4, 1, 2, 3)
    said = gliomask("inspect", tmp_path / "set", "--full", "--json")
    assert [case["tumour_voxels"] for case in said.keys["cases"]] == [144, 144, 144]
    words = ("prepare", tmp_path / "set", "--out", tmp_path / "store", "--workers", "1")
    assert gliomask(*words).code == 0
    store = open_store(tmp_path / "store")
    labels = store.reference(store.cases[0].id)
    sizes = region_masks(labels, ("whole", "core", "enhancing")).sum(axis=(1, 2, 3))
    assert sizes.tolist() == [144, 12, 4]


def test_04_the_cavity_of_brats_2024_is_no_tumour(gliomask: Command, tmp_path: Path) -> None:
    """144 voxels of 0.192 ml, 4 of them cavity."""
    for case in ("BraTS-GLI-00005-100", "BraTS-GLI-00006-100"):
        mask(tmp_path / "ref" / f"{case}-seg.nii.gz", 2, 1, 3, 4)
        mask(tmp_path / "pred" / f"{case}.nii.gz", 2, 1, 3, 4)
    words = ("score", tmp_path / "ref", tmp_path / "pred", "--out", tmp_path / "out", "--no-report")
    assert gliomask(*words).code == 0
    found = rows(tmp_path / "out")
    volumes = [row["volume_reference_ml"] for (case, _), row in found.items() if "05" in case]
    assert [float(volume) for volume in volumes] == pytest.approx([140 * 0.192, 1.536, 0.768])
    assert {region for _, region in found} == {"whole", "core", "enhancing"}


def grey() -> npt.NDArray[np.uint8]:
    """A probability map (20, 20): 4 x 4 pixels of 200, a rim of 25 shades of up to 60 beside it."""
    shades = np.zeros((20, 20), np.uint8)
    shades[3:8, 12:17] = np.linspace(10, 60, 25).reshape(5, 5).astype(np.uint8)
    shades[4:8, 4:8] = 200
    return shades


def test_06_grey_masks_need_a_threshold(gliomask: Command, tmp_path: Path) -> None:
    crisp = ((grey() > 127) * 255).astype(np.uint8)
    for case in ("A", "B"):
        for k in (1, 2, 3):
            write_picture(tmp_path / "ref" / case / f"{case}_{k}.png", crisp)
            write_picture(tmp_path / "pred" / case / f"{case}_{k}.png", grey())
    out = tmp_path / "out"
    words = ("score", tmp_path / "ref", tmp_path / "pred", "--out", out, "--no-report")
    refused = gliomask(*words)
    assert refused.code == 2
    assert "many grey levels" in refused.err
    assert "threshold=128" in refused.err
    assert not out.exists()
    assert gliomask(*words, "--prediction-labels", "threshold=128").code == 0
    assert scores(out) == {("A", "whole"): 1.0, ("B", "whole"): 1.0}
    assert rows(out)["A", "whole"]["volume_predicted_px"] == "48"


def test_06_grey_masks_beside_colour_slices(gliomask: Command, tmp_path: Path) -> None:
    for k in (1, 2, 3):
        image = np.random.default_rng(k).integers(0, 255, (20, 20, 3)).astype(np.uint8)
        write_picture(tmp_path / "set" / "A" / f"A_{k}.tif", image)
        write_picture(tmp_path / "set" / "A" / f"A_{k}_mask.tif", grey())
    refused = gliomask("inspect", tmp_path / "set", "--full")
    assert refused.code == 2
    command = f"gliomask inspect {tmp_path / 'set'} --full --labels threshold=128"
    assert command in refused.err
    assert "empty" not in refused.out
    assert "no mask could be read" in refused.out
    said = gliomask("inspect", tmp_path / "set", "--full", "--json", "--labels", "threshold=128")
    assert said.keys["cases"][0]["tumour_voxels"] == 48


def test_07_only_what_is_called_tumour_is_tumour(gliomask: Command, tmp_path: Path) -> None:
    numbers = np.ones(head_labels().shape, np.uint8)
    numbers[2:6, 2:6, 2] = 2
    numbers[head_labels() > 0] = 3
    labels = {"background": 0, "brain": 1, "ventricle": 2, "tumor": 3}
    data = nnunet(tmp_path / "set", {f"case_{n}": numbers for n in range(3)}, labels)
    said = gliomask("inspect", data, "--full", "--json")
    assert [case["tumour_voxels"] for case in said.keys["cases"]] == [90, 90, 90]
    words = ("prepare", data, "--out", tmp_path / "store", "--workers", "1", "--json")
    assert gliomask(*words).code == 0
    store = open_store(tmp_path / "store")
    assert (store.reference("case_0") > 0).sum() == 90


@pytest.mark.parametrize("name", ["no tumor", "healthy brain"])
def test_07_names_that_deny_a_tumour(name: str, gliomask: Command, tmp_path: Path) -> None:
    labels = {"background": 0, name: 1, "tumor": 2}
    numbers = np.ones(head_labels().shape, np.uint8) + head_labels()
    data = nnunet(tmp_path / "set", {f"case_{n}": numbers for n in range(3)}, labels)
    said = gliomask("inspect", data, "--full", "--json")
    assert said.code == 2 or said.keys["cases"][0]["tumour_voxels"] == 90


def test_blocks() -> None:
    """What the numbers above are counted from."""
    found = numbered(2, 1, 3, 4)
    assert [(found == n).sum() for n in (1, 2, 3, 4)] == [4, 132, 4, 4]
