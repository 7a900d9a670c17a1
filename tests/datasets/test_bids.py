"""BIDS trees, raw and derived: sessions, sequences, and which mask is the tumour's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gliomask.core.labels import ENHANCING, OEDEMA
from gliomask.datasets.bids import cases, looks_like
from gliomask.datasets.find import find_cases
from gliomask.errors import QuestionError
from tests.datasets.tiny import labels_of, mask, scan
from tests.finding import find_studies

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
        ("ce-Dotarem_T1w", "t1ce"),
        ("ce-GBCA_T1w", "t1ce"),
        ("ce-Pixxoscan_T1w", "t1ce"),
        ("ce-late_T1w", "t1ce"),
        ("ce-none_T1w", "t1"),
        ("ce-nein_T1w", "t1"),
        ("ce-nocontrast_T1w", "t1"),
        ("acq-mprage_ce-pre_T1w", "t1"),
        ("ce-native_run-1_T1w", "t1"),
        ("ce-none_FLAIR", "flair"),
        ("acq-mprage_T1w", "t1"),
        ("acq-postcontrast_T1w", "t1ce"),
        ("acq-tse_run-1_T2w", "t2"),
        ("FLAIR", "flair"),
    ],
)
def test_sequences(tmp_path: Path, name: str, sequence: str) -> None:
    ((case,), _) = cases(put(tmp_path, f"{RAW}_{name}"))
    assert tuple(case.images) == (sequence,)


@pytest.mark.parametrize(
    "name", ["ce-unknown_T1w", "ce-na_T1w", "ce-0_T1w", "ce-1_T1w", "acq-pre_ce-gd_T1w"]
)
def test_labels_that_neither_name_nor_deny_an_agent_are_asked_for(
    tmp_path: Path, name: str
) -> None:
    found, (problem,) = cases(put(tmp_path, f"{RAW}_{name}"))
    assert found == ()
    assert "before or after contrast?" in problem.reason
    assert "predict t1=" in problem.reason
    assert "predict t1ce=" in problem.reason


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
        ((f"{RAW}_T1w", "sub-01/anat/sub-02_FLAIR"), "is in the folder sub-01"),
    ],
)
def test_doubt_is_a_problem(tmp_path: Path, names: tuple[str, ...], reason: str) -> None:
    _, (problem,) = cases(put(tmp_path, *names))
    assert reason in problem.reason


def segmentation(root: Path, table: str, place: str = f"{DERIVED}_dseg.tsv") -> Path:
    put(root, f"{RAW}_FLAIR", f"{DERIVED}_dseg")
    (root / place).write_text(table)
    return root


@pytest.mark.parametrize(
    "place",
    [f"{DERIVED}_dseg.tsv", "derivatives/manual/dseg.tsv", "derivatives/manual/sub-01/dseg.tsv"],
)
def test_the_table_says_what_the_numbers_are(tmp_path: Path, place: str) -> None:
    rows = "index\tname\tcolor\n0\tBackground\t#000\n1\tEnhancing tumor\t#f00\n2\tOedema\t#0f0\n"
    (case,) = find_cases(segmentation(tmp_path, rows, place)).cases
    assert case.scheme is not None
    assert dict(case.scheme.values) == {1: ENHANCING, 2: OEDEMA}
    assert case.scheme.name == f"as {Path(place).name} names them"


def test_a_table_of_another_mask_says_nothing(tmp_path: Path) -> None:
    rows = "index\tname\n1\tOedema\n"
    place = "derivatives/manual/desc-aseg_dseg.tsv"
    ((case,), _) = cases(segmentation(tmp_path, rows, place))
    assert case.scheme is None


def test_the_nearest_table_counts(tmp_path: Path) -> None:
    segmentation(tmp_path, "index\tname\n1\tOedema\n", "derivatives/manual/dseg.tsv")
    segmentation(tmp_path, "index\tname\n1\tEnhancing tumour\n2\tET\n")
    ((case,), _) = cases(tmp_path)
    assert case.scheme is not None
    assert dict(case.scheme.values) == {1: ENHANCING, 2: ENHANCING}


def test_names_that_are_not_clear_are_asked_about(tmp_path: Path) -> None:
    rows = "index\tname\n1\tGray Matter\n2\tWhite Matter\n"
    with pytest.raises(
        QuestionError, match="Gray Matter, White Matter: some of these names are ambiguous"
    ):
        find_cases(segmentation(tmp_path, rows))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("number\tname\n1\tOedema\n", "lacks a column .column=index"),
        ("index\tname\n1\tOedema\n1\tCore\n", "row 3: not the number of one label .index=1"),
        ("index\tname\none\tOedema\n", "row 2: not the number of one label .index=one"),
    ],
)
def test_a_table_that_can_not_be_used(tmp_path: Path, table: str, said: str) -> None:
    found, problems = cases(segmentation(tmp_path, table))
    assert not found
    assert re.search(said, problems[0].reason)
    assert "_dseg.tsv" in problems[0].reason
