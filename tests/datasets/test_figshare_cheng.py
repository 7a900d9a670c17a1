"""The figshare set: slices of patients as MATLAB files, and as the pictures that are passed on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.label_scheme import CORE_ONLY
from gliomask.core.labels import CORE
from gliomask.core.regions import region_masks
from gliomask.datasets import figshare_cheng as reader
from gliomask.datasets.figshare_cheng import cases, looks_like
from gliomask.datasets.load import load_case
from gliomask.formats.pictures import write_picture
from gliomask.phantom.write_figshare import write_slice
from tests.datasets.tiny import labels_of

IMAGE = np.arange(20, dtype=np.int16).reshape(4, 5)
MASK = np.zeros((4, 5), bool)
MASK[1:3, 3] = True


def test_each_slice_is_a_case_of_its_patient(tmp_path: Path) -> None:
    slices = ((1, "100360", 1), (2, "100360", 1), (716, "MR017260F", 2), (10, "9", 3))
    for number, patient, label in slices:
        folder = tmp_path / f"brainTumorDataPublic_{1 + number // 700}"
        write_slice(folder / f"{number}.mat", IMAGE, MASK, patient, label)
    assert looks_like(tmp_path).fits
    found, problems = cases(tmp_path)
    assert not problems
    assert [(case.id, case.patient) for case in found] == [
        ("meningioma-0001", "Cheng-100360"),
        ("meningioma-0002", "Cheng-100360"),
        ("pituitary-0010", "Cheng-9"),
        ("glioma-0716", "Cheng-MR017260F"),
    ]
    assert all(case.patient_known for case in found)
    assert {case.scheme for case in found} == {CORE_ONLY}


def test_the_outline_is_the_core_and_nothing_else_is_told(tmp_path: Path) -> None:
    write_slice(tmp_path / "1.mat", IMAGE, MASK, "9")
    ((case,), _) = cases(tmp_path)
    assert case.regions == ("core",)
    labels = labels_of(case)
    assert np.unique(labels).tolist() == [0, CORE]
    assert region_masks(labels, ("core",)).sum() == 2
    assert load_case(case)[0].sequences == ("t1ce",)


def test_a_damaged_slice_is_one_problem(tmp_path: Path) -> None:
    for number in (1, 2):
        write_slice(tmp_path / f"{number}.mat", IMAGE, MASK, "9")
    (tmp_path / "1.mat").write_bytes(b"x")
    (tmp_path / "cvind.mat").write_bytes(b"x")  # not a slice: its name is no number
    found, (problem,) = cases(tmp_path)
    assert [case.id for case in found] == ["glioma-0002"]
    assert problem.case == "1"


def test_pictures_are_of_the_set_if_they_are_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SLICES", 3)
    for number in (1, 2, 3):
        write_picture(tmp_path / "images" / f"{number}.png", IMAGE.astype(np.uint8))
        write_picture(tmp_path / "masks" / f"{number}.png", np.uint8(255) * MASK.astype(np.uint8))
    assert "patients' names" in looks_like(tmp_path).why
    found, _ = cases(tmp_path)
    assert [case.id for case in found] == ["slice-0001", "slice-0002", "slice-0003"]
    assert not any(case.patient_known for case in found)
    assert region_masks(labels_of(found[1]), ("core",)).sum() == 2
    (tmp_path / "masks" / "2.png").unlink()
    assert not looks_like(tmp_path).fits
