"""The true reason comes first, and what is not read is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from gliomask.formats.pictures import write_picture
from tests.fakes import head_labels
from tests.faults.situations import HEAD_MM, Command, flair, nnunet, scan


@pytest.mark.parametrize(
    ("channels", "labels", "why"),
    [
        ({"0": "FLAIR"}, {"background": "0", "tumor": "1"}, "not a whole number (labels='0'"),
        ({"0": "T1 gd", "1": "T1 post"}, {"background": 0, "tumor": 1}, "two channels for t1ce"),
        ({"1": "FLAIR"}, {"background": 0, "tumor": 1}, 'allowed numbers from "0" on'),
    ],
)
def test_25_a_wrong_dataset_json(
    channels: dict[str, str], labels: dict[str, Any], why: str, gliomask: Command, tmp_path: Path
) -> None:
    cases = {f"case_{n}": head_labels() for n in range(3)}
    data = nnunet(tmp_path / "set", cases, labels, channel_names=channels)
    said = gliomask("inspect", data)
    assert said.code == 2
    assert said.line.startswith(f"error: {data / 'dataset.json'}: ")
    assert why in said.line


@pytest.mark.parametrize("kind", ["mgz", "pair", "jpg"])
def test_26_formats_beside_nifti(kind: str, gliomask: Command, tmp_path: Path) -> None:
    folder = tmp_path / kind
    folder.mkdir()
    if kind == "mgz":
        nib.save(nib.MGHImage(flair(), HEAD_MM), folder / "flair.mgz")
    elif kind == "pair":
        nib.save(nib.Nifti1Pair(flair(), HEAD_MM), folder / "flair.img")
    else:
        shades = np.clip(flair() / flair().max() * 255, 0, 255).astype(np.uint8)
        for k in range(shades.shape[2]):
            Image.fromarray(shades[:, :, k].T).save(folder / f"flair_{k + 1}.jpg")
    said = gliomask("predict", folder, "--out", tmp_path / "out", "--quick", "--json")
    assert said.code == 0
    assert said.keys["cases"][0]["sequences_used"] == ["flair"]


def test_26_a_format_beside_another_is_used(gliomask: Command, tmp_path: Path) -> None:
    scan(tmp_path / "mixed" / "p1_flair.nii.gz")
    nib.save(nib.MGHImage(flair(1), HEAD_MM), tmp_path / "mixed" / "p1_t1ce.mgz")
    said = gliomask("inspect", tmp_path / "mixed", "--json")
    uses = said.keys["cases"][0]["uses"]
    assert uses == {"t1ce": "p1_t1ce.mgz", "flair": "p1_flair.nii.gz"}


def test_26_formats_that_are_not_read_are_named(gliomask: Command, tmp_path: Path) -> None:
    for k in range(2):
        (tmp_path / f"scan_{k}.bmp").write_bytes(b"BM")
    said = gliomask("predict", tmp_path, "--out", tmp_path / "out", "--quick")
    assert said.code == 2
    assert "2 .bmp" in said.line
    assert "convert them to .nii.gz" in said.line


def test_28_every_part_of_a_split_holds_a_tumour(gliomask: Command, tmp_path: Path) -> None:
    """Every other one of 8 patients is healthy, and one patient validates."""
    data = half_healthy(tmp_path / "set")
    for seed in ("0", "1"):
        store = tmp_path / f"store{seed}"
        words = ("prepare", data, "--out", store, "--workers", "1", "--seed", seed)
        assert gliomask(*words).code == 0
        split = json.loads((store / "split.json").read_text())
        for part in ("train", "validation", "test"):
            assert {"p1", "p3", "p5", "p7"}.intersection(split[part])


@pytest.mark.slow
def test_28_such_a_split_is_trained_on(gliomask: Command, tmp_path: Path) -> None:
    store, run = tmp_path / "store", tmp_path / "run"
    words = ("prepare", half_healthy(tmp_path / "set"), "--out", store, "--workers", "1")
    assert gliomask(*words).code == 0
    small = ("network=u2net-tiny", "epochs=1", "input.size=32", "batch_size=4")
    sets = [word for key in small for word in ("--set", key)]
    assert gliomask("train", store, "--out", run, *sets, "--device", "cpu").code == 0
    assert (run / "card.json").is_file()


def half_healthy(folder: Path) -> Path:
    """8 patients, of whom p1, p3, p5 and p7 have a tumour."""
    cases = {f"p{n}": head_labels() * np.uint8(n % 2) for n in range(8)}
    return nnunet(folder, cases, {"background": 0, "tumor": 1})


def test_28_a_part_without_a_tumour_is_named(gliomask: Command, tmp_path: Path) -> None:
    cases = {f"p{n}": head_labels() * np.uint8(n == 0) for n in range(4)}
    data = nnunet(tmp_path / "set", cases, {"background": 0, "tumor": 1})
    assert gliomask("prepare", data, "--out", tmp_path / "store", "--workers", "1").code == 0
    said = gliomask("train", tmp_path / "store", "--out", tmp_path / "run", "--device", "cpu")
    assert said.code == 2
    assert "no slice with tumour in the " in said.line
    assert "patients" in said.line
    assert "--seed" in said.line


def test_a_colour_slice_alone(gliomask: Command, tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (24, 20, 3)).astype(np.uint8)
    write_picture(tmp_path / "A_1.tif", picture)
    said = gliomask("inspect", tmp_path / "A_1.tif", "--json")
    assert said.code == 0
    assert list(said.keys["cases"][0]["uses"]) == ["t1", "t1ce", "flair"]


def test_a_colour_slice_whose_name_tells_nothing(gliomask: Command, tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (24, 20, 3)).astype(np.uint8)
    write_picture(tmp_path / "one" / "brain.tif", picture)
    said = gliomask("predict", tmp_path / "one" / "brain.tif")
    assert said.code == 2
    assert "--t1" not in said.line
    assert said.line.endswith("rename it to brain_1.tif")
    (tmp_path / "one" / "brain.tif").rename(tmp_path / "one" / "brain_1.tif")
    shown = gliomask("inspect", tmp_path / "one" / "brain_1.tif", "--json")
    assert list(shown.keys["cases"][0]["uses"]) == ["t1", "t1ce", "flair"]
    write_picture(tmp_path / "two" / "brain.png", picture[..., 0])
    said = gliomask("predict", tmp_path / "two" / "brain.png")
    assert f"gliomask predict --flair {tmp_path / 'two' / 'brain.png'}" in said.line


def test_a_gap_among_grey_pictures(gliomask: Command, tmp_path: Path) -> None:
    for k in (1, 2, 4, 5):
        picture = np.random.default_rng(k).integers(0, 255, (24, 20)).astype(np.uint8)
        write_picture(tmp_path / "one" / "flair" / f"{k}.png", picture)
    said = gliomask("predict", tmp_path / "one", "--out", tmp_path / "out", "--quick")
    assert said.code == 2
    assert "slices are missing: 3" in said.line
