"""BIDS trees, raw and derived: sessions, sequences, and which mask is the tumour's."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.datasets.bids import cases, looks_like
from gliomask.datasets.find import find_cases
from gliomask.datasets.study import find_studies
from tests.datasets.tiny import labels_of, mask, scan

RAW = "sub-01/anat/sub-01"
DERIVED = "derivatives/manual/sub-01/anat/sub-01"


def put(root: Path, *names: str) -> Path:
    for name in names:
        path = root / f"{name}.nii.gz"
        if name.endswith(("_mask", "_dseg")):
            mask(path, 1)
        else:
            scan(path, len(name))
    return root


def test_sessions_are_cases_of_one_patient(tmp_path: Path) -> None:
    for person in ("01", "02"):
        for visit in ("1", "2"):
            base = f"sub-{person}/ses-{visit}/anat/sub-{person}_ses-{visit}"
            put(tmp_path, f"{base}_FLAIR", f"{base}_T1w", f"{base}_ce-gadolinium_T1w")
    assert looks_like(tmp_path).fits
    found, problems = cases(tmp_path)
    assert not problems
    assert [(case.id, case.patient) for case in found] == [
        ("sub-01_ses-1", "sub-01"),
        ("sub-01_ses-2", "sub-01"),
        ("sub-02_ses-1", "sub-02"),
        ("sub-02_ses-2", "sub-02"),
    ]
    assert {tuple(sorted(case.images)) for case in found} == {("flair", "t1", "t1ce")}
    assert [case.id for case in find_studies([tmp_path])] == [case.id for case in found]


@pytest.mark.parametrize(
    ("name", "sequence"),
    [
        ("T1w", "t1"),
        ("ce-gadolinium_T1w", "t1ce"),
        ("acq-mprage_T1w", "t1"),
        ("acq-postcontrast_T1w", "t1ce"),
        ("acq-tse_run-1_T2w", "t2"),
        ("FLAIR", "flair"),
    ],
)
def test_sequences(tmp_path: Path, name: str, sequence: str) -> None:
    ((case,), _) = cases(put(tmp_path, f"{RAW}_{name}"))
    assert tuple(case.images) == (sequence,)


@pytest.mark.parametrize("name", ["T1map", "PDw", "T2starw", "bold"])
def test_other_images_are_no_case(tmp_path: Path, name: str) -> None:
    assert not looks_like(put(tmp_path, f"{RAW}_{name}")).fits


@pytest.mark.parametrize(
    "name",
    [
        f"{DERIVED}_label-tumor_mask",
        f"{DERIVED}_desc-lesion_mask",
        f"{DERIVED}_space-orig_label-wholetumor_mask",
        f"{DERIVED}_mask",
        "derivatives/sub-01/anat/sub-01_label-tumor_mask",
        f"{RAW}_label-tumor_mask",
    ],
)
def test_masks(tmp_path: Path, name: str) -> None:
    put(tmp_path, f"{RAW}_T1w", f"{RAW}_FLAIR", name, f"{DERIVED}_desc-brain_mask")
    put(tmp_path, "derivatives/gliomask/sub-01/anat/sub-01_label-tumor_mask")
    (case,) = find_cases(tmp_path).cases
    assert case.label is not None
    assert case.label.paths[0] == tmp_path / f"{name}.nii.gz"
    assert labels_of(case).any()
    assert case.scheme is not None
    assert case.scheme.regions == ("whole",)


def test_a_mask_of_the_brain_is_none_of_the_tumour(tmp_path: Path) -> None:
    put(tmp_path, f"{RAW}_T1w", f"{DERIVED}_desc-brain_mask", f"{DERIVED}_label-WM_mask")
    ((case,), _) = cases(tmp_path)
    assert case.label is None


def test_images_in_the_space_of_the_mask_go_with_it(tmp_path: Path) -> None:
    put(tmp_path, f"{RAW}_T1w", f"{RAW}_FLAIR")
    put(tmp_path, f"{DERIVED}_space-MNI_T1w", f"{DERIVED}_space-MNI_label-tumor_mask")
    ((case,), _) = cases(tmp_path)
    assert case.images["t1"].paths == (tmp_path / f"{DERIVED}_space-MNI_T1w.nii.gz",)
    assert "flair" not in case.images


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ((f"{RAW}_run-1_T1w", f"{RAW}_run-2_T1w"), "two images for t1: sub-01_run-1_T1w.nii.gz"),
        ((f"{RAW}_T1w", f"{RAW}_mask", f"{DERIVED}_mask"), "several masks: "),
        ((f"{RAW}_T1w", "sub-01/anat/sub-02_FLAIR"), "lies in sub-01"),
    ],
)
def test_doubt_is_a_problem(tmp_path: Path, names: tuple[str, ...], reason: str) -> None:
    _, (problem,) = cases(put(tmp_path, *names))
    assert reason in problem.reason
