from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from gliomask.formats.nifti import read_header, read_nifti, read_nifti_labels
from gliomask.phantom.write_described import WRITERS
from tests.phantom.made import patient


def written(layout: str, folder: Path) -> set[str]:
    for number in (1, 2):
        WRITERS[layout].patient(folder, patient(number))
    WRITERS[layout].summary(folder, (1, 2))
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def description(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    return content


def values(path: Path) -> list[int]:
    """The numbers of NECROSIS, OEDEMA and ENHANCING in a mask."""
    labels, _ = read_nifti_labels(path)
    assert np.unique(labels).size == 4
    return [int(labels[place]) for place in ((2, 2, 3), (1, 1, 3), (2, 3, 3))]


def test_nnunet(tmp_path: Path) -> None:
    images = {f"imagesTr/PHANTOM_00{n}_000{c}.nii.gz" for n in (1, 2) for c in range(4)}
    labels = {f"labelsTr/PHANTOM_00{n}.nii.gz" for n in (1, 2)}
    assert written("nnunet", tmp_path) == images | labels | {"dataset.json"}
    about = description(tmp_path)
    assert about["channel_names"] == {"0": "T1", "1": "T1Gd", "2": "T2", "3": "FLAIR"}
    assert about["labels"] == {"background": 0, "necrosis": 1, "edema": 2, "enhancing": 3}
    assert (about["numTraining"], about["file_ending"]) == (2, ".nii.gz")
    assert "synthetic" in about["description"]
    assert values(tmp_path / "labelsTr" / "PHANTOM_001.nii.gz") == [1, 2, 3]
    flair, _ = read_nifti(tmp_path / "imagesTr" / "PHANTOM_001_0003.nii.gz")
    assert flair[0, 0, 0] == 400


def test_decathlon(tmp_path: Path) -> None:
    names = [f"BRATS_900{n}.nii.gz" for n in (1, 2)]
    files = {f"{folder}/{n}" for folder in ("imagesTr", "labelsTr") for n in names}
    assert written("msd", tmp_path) == files | {"dataset.json"}
    about = description(tmp_path)
    assert about["modality"] == {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
    assert list(about["labels"].values())[1:] == [
        "edema",
        "non-enhancing tumor",
        "enhancing tumour",
    ]
    assert about["training"][1] == {
        "image": "./imagesTr/BRATS_9002.nii.gz",
        "label": "./labelsTr/BRATS_9002.nii.gz",
    }
    assert (about["numTraining"], about["test"], about["tensorImageSize"]) == (2, [], "4D")
    assert values(tmp_path / "labelsTr" / names[0]) == [2, 1, 3]
    image = tmp_path / "imagesTr" / names[0]
    assert read_header(image).volumes == 4
    assert [read_nifti(image, c)[0][0, 0, 0] for c in range(4)] == [400, 100, 200, 300]


def test_table(tmp_path: Path) -> None:
    kinds = ("t1", "t1ce", "t2", "flair", "mask")
    files = {f"phantom-00{n}/{kind}.nii.gz" for n in (1, 2) for kind in kinds}
    assert written("table", tmp_path) == files | {"cases.csv"}
    text = (tmp_path / "cases.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["patient"] for row in rows] == ["phantom-001", "phantom-002"]
    assert rows[0] == {
        "patient": "phantom-001",
        "case": "phantom-001",
        **{kind: f"phantom-001/{kind}.nii.gz" for kind in kinds},
        "labels": "brats2023",
    }
    assert values(tmp_path / "phantom-001" / "mask.nii.gz") == [1, 2, 3]
