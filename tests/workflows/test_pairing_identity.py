"""Which masks are of one case: nothing is paired where identities differ or can't be told."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gliomask.datasets.case_names import case_id, case_names
from gliomask.datasets.mask_files import find_masks
from gliomask.datasets.mask_pairs import find_pairs
from gliomask.errors import CasesError, InputError
from gliomask.formats.nifti import write_nifti
from gliomask.workflows.score import ScoreOptions, score


def put(folder: Path, *names: str) -> Path:
    mask = np.zeros((4, 3, 2), np.uint8)
    mask[1, 1] = 1
    for name in names:
        write_nifti(folder / name, mask, np.eye(4))
    return folder


def paired(root: Path, drawn: tuple[str, ...], found: tuple[str, ...]) -> dict[str, str]:
    for name, files in (("ref", drawn), ("pred", found)):
        shutil.rmtree(root / name, ignore_errors=True)
        put(root / name, *files)
    pairs, _ = find_pairs(root / "ref", root / "pred")
    return {one.case: str(other.file.paths[0].relative_to(root / "pred")) for one, other in pairs}


def test_one_mask_each_of_different_patients(tmp_path: Path) -> None:
    put(tmp_path / "ref", "patient_A_seg.nii.gz")
    put(tmp_path / "pred", "patient_B_seg.nii.gz")
    options = ScoreOptions(
        references=tmp_path / "ref", predictions=tmp_path / "pred", out=tmp_path / "out"
    )
    with pytest.raises(CasesError, match=r"`score pairs=pairs\.csv`") as refusal:
        score(options)
    assert sorted((case, why.split(" for ")[0]) for case, why in refusal.value.problems) == [
        ("patient_A", "no prediction"),
        ("patient_B", "no reference"),
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("drawn", "found", "pairs"),
    [
        ("p1_seg.nii.gz", "p1.nii.gz", 1),
        ("p1_seg.nii.gz", "prediction.nii.gz", 1),  # its name tells nobody
        ("seg.nii.gz", "p1_mask.nii.gz", 1),
        ("seg.nii.gz", "prediction.nii.gz", 1),
        ("p1/seg.nii.gz", "p1/prediction.nii.gz", 1),
        ("p1/seg.nii.gz", "p2/prediction.nii.gz", 0),
        ("p1/seg.nii.gz", "p2_mask.nii.gz", 0),
        ("1.nii.gz", "2.nii.gz", 0),
        ("sub-01_ses-1_dseg.nii.gz", "sub-01_ses-2_dseg.nii.gz", 0),
        ("张三_seg.nii.gz", "李四_seg.nii.gz", 0),
    ],
)
def test_lone_masks(tmp_path: Path, drawn: str, found: str, pairs: int) -> None:
    assert len(paired(tmp_path, (drawn,), (found,))) == pairs


def test_two_files_that_are_named_are_a_pair(tmp_path: Path) -> None:
    put(tmp_path, "a.nii.gz", "b.nii.gz")
    pairs, failures = find_pairs(tmp_path / "a.nii.gz", tmp_path / "b.nii.gz")
    assert (len(pairs), failures) == (1, ())


def test_the_same_file_name_in_folders_of_cases(tmp_path: Path) -> None:
    found = paired(
        tmp_path,
        ("c1/seg.nii.gz", "c2/seg.nii.gz"),
        ("c2/prediction.nii.gz", "c1/prediction.nii.gz"),
    )
    assert found == {"c1": "c1/prediction.nii.gz", "c2": "c2/prediction.nii.gz"}


@pytest.mark.parametrize(
    "names",
    [
        ("c1/final_v2.nii.gz", "c2/final_v2.nii.gz"),  # it tells something, but not which case
        ("c1/out/mask.nii.gz", "c2/out/mask.nii.gz"),
        ("c1_seg.nii.gz", "c2/seg.nii.gz"),
    ],
)
def test_folders_tell_the_case_where_files_do_not(tmp_path: Path, names: tuple[str, str]) -> None:
    masks = find_masks(put(tmp_path, *names))
    assert [mask.case for mask in masks] == ["c1", "c2"]


def test_visits_of_two_patients(tmp_path: Path) -> None:
    names = [f"p{p}/visit_{v}/seg.nii.gz" for p in (1, 2) for v in (1, 2)]
    masks = find_masks(put(tmp_path, *names))
    assert [mask.case for mask in masks] == [f"p{p}_visit_{v}" for p in (1, 2) for v in (1, 2)]


def test_two_masks_of_one_case_ask_for_pairs(tmp_path: Path) -> None:
    put(tmp_path, "c1/one_seg.nii.gz", "c1/more/one_mask.nii.gz", "c1/one.nii.gz")
    with pytest.raises(InputError, match=r"two masks of one: .*`score pairs=pairs.csv`"):
        find_masks(tmp_path)


def test_names_of_any_script_are_six_patients(tmp_path: Path) -> None:
    people = ("张三", "李四", "王五", "赵六", "Müller", "Möller")
    names = tuple(f"{name}_seg.nii.gz" for name in people)
    found = paired(tmp_path, names, names)
    assert sorted(found.values()) == sorted(names)
    assert len({mask.patient for mask in find_masks(tmp_path / "ref")}) == 6


def test_references_whose_files_share_a_name_are_not_confused(tmp_path: Path) -> None:
    for case in ("p1", "p2"):
        image = np.random.default_rng(0).random((4, 3, 2)).astype(np.float32)
        write_nifti(tmp_path / "set" / case / "flair.nii.gz", image, np.eye(4))
        put(tmp_path / "set" / case, "mask.nii.gz")
    rows = [f"{case},{case}/flair.nii.gz,{case}/mask.nii.gz" for case in ("p1", "p2")]
    (tmp_path / "set" / "t.csv").write_text("\n".join(["patient,flair,mask", *rows]))
    put(tmp_path / "pred", "mask.nii.gz")
    pairs, _ = find_pairs(tmp_path / "set", tmp_path / "pred")
    assert pairs == ()


def test_bids_names() -> None:
    assert case_id("sub-01_ses-2_space-T1w_label-tumor_mask.nii.gz") == "sub-01_ses-2"
    paths = [Path(f"r/sub-01/ses-{n}/anat/mask.nii.gz") for n in (1, 2)]
    names = case_names([(path.name, path) for path in paths], Path("r"))
    assert [name.case for name in names] == ["sub-01_ses-1", "sub-01_ses-2"]
