"""Whose images and masks these are."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import head_labels
from tests.faults.situations import Command, box, mask, nnunet, rows, scan, scores
from tests.formats.dicom.made import pixels, save, series
from tests.studies.test_dicom_study import FLAIR, PLAN, T1


def masks(folder: Path) -> set[str]:
    return {path.name.removesuffix("_mask.nii.gz") for path in folder.glob("*_mask.nii.gz")}


def table(folder: Path) -> list[str]:
    """The cases in ``cases.csv``."""
    with (folder / "cases.csv").open(encoding="utf-8") as file:
        return [row["case"] for row in csv.DictReader(file)]


def test_14_sessions_of_a_patient_stay_on_one_side(gliomask: Command, tmp_path: Path) -> None:
    cases = {f"sub-{p:02d}_ses-{v}": head_labels() for p in range(1, 7) for v in (1, 2)}
    data = nnunet(tmp_path / "set", cases, {"background": 0, "tumor": 1})
    words = ("prepare", data, "--out", tmp_path / "store", "--workers", "1")
    said = gliomask(*words)
    assert "12 cases" in said.out
    assert "6 patients prepared" in said.out
    split = json.loads((tmp_path / "store" / "split.json").read_text())
    patients = {f"sub-{p:02d}" for p in range(1, 7)}
    for parts in (split, *split["folds"]):
        every = [*parts["train"], *parts["validation"], *parts["test"]]
        assert (len(every), set(every)) == (6, patients)


NAMES = ("张三", "李四", "王五", "赵六", "Müller", "Möller")


def test_15_names_of_any_script_are_different_patients(gliomask: Command, tmp_path: Path) -> None:
    lines = ["patient,flair,mask"]
    for n, name in enumerate(NAMES):
        mask(tmp_path / "ref" / f"{name}_seg.nii.gz", 1)
        mask(tmp_path / "pred" / f"{name}_seg.nii.gz", 1)
        scan(tmp_path / "set" / f"{n}_f.nii.gz", n)
        box(tmp_path / "set" / f"{n}_m.nii.gz")
        lines.append(f"{name},{n}_f.nii.gz,{n}_m.nii.gz")
    (tmp_path / "set" / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    words = ("score", tmp_path / "ref", tmp_path / "pred", "--out", tmp_path / "out", "--no-report")
    assert gliomask(*words).code == 0
    assert len({row["patient"] for row in rows(tmp_path / "out").values()}) == 6
    cases = gliomask("inspect", tmp_path / "set" / "t.csv", "--json").keys["cases"]
    assert len({case["case"] for case in cases}) == len({case["patient"] for case in cases}) == 6


def test_16_masks_of_two_patients_are_no_pair(gliomask: Command, tmp_path: Path) -> None:
    mask(tmp_path / "ref" / "patient_A_seg.nii.gz", 1)
    mask(tmp_path / "pred" / "patient_B_seg.nii.gz", 1)
    said = gliomask("score", tmp_path / "ref", tmp_path / "pred", "--out", tmp_path / "out")
    assert said.code == 2
    assert "patient_A: no prediction for" in said.err
    assert "patient_B: no reference for" in said.err
    assert "--pairs" in said.line
    assert not (tmp_path / "out").exists()


def test_17_folders_of_one_name_are_two_results(gliomask: Command, tmp_path: Path) -> None:
    out = tmp_path / "masks"
    for seed, person in enumerate(("patient_A", "patient_B")):
        scan(tmp_path / person / "mri" / "flair.nii.gz", seed)
        words = ("predict", tmp_path / person / "mri", "--out", out, "--quick", "--write", "nifti")
        assert gliomask(*words).code == 0
    assert masks(out) == {"patient_A", "patient_B"}
    assert table(out) == ["patient_A", "patient_B"]


def test_17_a_result_of_other_images_is_not_replaced(gliomask: Command, tmp_path: Path) -> None:
    out = tmp_path / "masks"
    for seed, place in enumerate(("one", "other")):
        scan(tmp_path / place / "p1_flair.nii.gz", seed)
    quick = ("--out", out, "--quick", "--write", "nifti")
    assert gliomask("predict", tmp_path / "one" / "p1_flair.nii.gz", *quick).code == 0
    before = (out / "p1.json").read_bytes()
    said = gliomask("predict", tmp_path / "other" / "p1_flair.nii.gz", *quick)
    assert said.code == 2
    assert "the result p1 of other images" in said.line
    assert (out / "p1.json").read_bytes() == before


def test_18_two_names_in_one_study_are_refused(gliomask: Command, tmp_path: Path) -> None:
    """The identifiers were made alike, the names were forgotten."""
    numbers = {("A", 5): FLAIR, ("A", 3): T1, ("B", 2): FLAIR, ("B", 9): T1}
    for (person, number), tags in numbers.items():
        plan = replace(PLAN, slices=4)
        more = {**tags, "PatientID": "ANON", "PatientName": f"Doe^{person}"}
        made = series(plan, pixels(plan, number), number, **more)
        save(tmp_path / "all" / person / str(number), made)
    said = gliomask("predict", tmp_path / "all", "--out", tmp_path / "out", "--quick")
    assert said.code == 2
    assert "one study of two people: PatientName differs" in said.err
    assert "Doe" not in said.err
    assert not masks(tmp_path / "out")


def bids(root: Path) -> None:
    text = '{"Name": "x", "BIDSVersion": "1.8.0"}'
    for n, (person, visit) in enumerate((p, v) for p in ("01", "02") for v in (1, 2)):
        base = f"sub-{person}_ses-{visit}"
        folder = root / f"sub-{person}" / f"ses-{visit}" / "anat"
        for seed, kind in enumerate(("FLAIR", "T1w", "ce-gadolinium_T1w")):
            scan(folder / f"{base}_{kind}.nii.gz", n + seed)
    (root / "dataset_description.json").write_text(text)


def test_27_a_bids_tree(gliomask: Command, tmp_path: Path) -> None:
    bids(tmp_path / "bids")
    words = ("predict", tmp_path / "bids", "--out", tmp_path / "out", "--quick", "--write", "nifti")
    assert gliomask(*words).code == 0
    assert masks(tmp_path / "out") == {f"sub-0{p}_ses-{v}" for p in (1, 2) for v in (1, 2)}


@pytest.mark.parametrize("inputs", ["archive", "archive/patient_*"])
def test_27_deep_folders(inputs: str, gliomask: Command, tmp_path: Path) -> None:
    for person in (1, 2):
        for visit in (1, 2):
            folder = tmp_path / "archive" / f"patient_0{person}" / f"visit_{visit}"
            scan(folder / "flair.nii.gz", 2 * person + visit)
    words = ("--out", tmp_path / "out", "--quick", "--write", "nifti")
    assert gliomask("predict", *sorted(tmp_path.glob(inputs)), *words).code == 0
    expected = {f"patient_0{p}_visit_{v}" for p in (1, 2) for v in (1, 2)}
    assert masks(tmp_path / "out") == expected
    assert set(table(tmp_path / "out")) == expected


def test_30_one_file_name_in_all_folders_of_cases(gliomask: Command, tmp_path: Path) -> None:
    for case in ("c1", "c2"):
        mask(tmp_path / "ref" / case / "seg.nii.gz", 1)
        mask(tmp_path / "pred" / case / "prediction.nii.gz", 1)
    words = ("score", tmp_path / "ref", tmp_path / "pred", "--out", tmp_path / "out", "--no-report")
    assert gliomask(*words).code == 0
    assert scores(tmp_path / "out") == {("c1", "whole"): 1.0, ("c2", "whole"): 1.0}
