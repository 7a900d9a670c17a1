"""Which layout a folder is in: told by its content, one or two folders down, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.core.case import Case
from gliomask.datasets.find import LAYOUTS, find_cases, scan, unique
from gliomask.errors import LayoutError
from tests.datasets.tiny import brats, kaggle, mask
from tests.datasets.tiny import scan as write_scan

PLAIN = ("t1", "t1ce", "t2", "flair")


@pytest.mark.parametrize("above", ["", "one", "one/two"])
def test_the_root_may_lie_deeper(tmp_path: Path, above: str) -> None:
    brats(tmp_path / above, "BraTS2021_00000", 1, sequences=PLAIN)
    found = find_cases(tmp_path)
    assert found.layout == "brats"
    assert [case.source for case in found.cases] == ["brats"]
    assert (f"(in {above})" in found.explanation[0]) == bool(above)


def test_not_any_deeper(tmp_path: Path) -> None:
    brats(tmp_path / "1" / "2" / "3", "BraTS2021_00000", 1)
    with pytest.raises(LayoutError):
        find_cases(tmp_path)


@pytest.mark.parametrize("content", ["nothing", "strange"])
def test_unknown_folders_are_told_what_was_looked_for(tmp_path: Path, content: str) -> None:
    if content == "strange":
        write_scan(tmp_path / "patient" / "image.nii.gz")
        (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(LayoutError) as refusal:
        find_cases(tmp_path)
    text = str(refusal.value)
    assert all(f"{layout.name}: " in text for layout in LAYOUTS)
    assert "\n" not in text
    assert "..." not in text[-3:]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="no such file or folder"):
        find_cases(tmp_path / "lost")
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(LayoutError, match="no data set in a known layout"):
        find_cases(tmp_path / "file.txt")


def test_several_data_sets_are_named(tmp_path: Path) -> None:
    brats(tmp_path / "train", "BraTS2021_00000", 1)
    kaggle(tmp_path / "kaggle_3m")
    with pytest.raises(LayoutError, match=r"several data sets: lgg_kaggle in .*, brats in .*train"):
        find_cases(tmp_path)
    assert find_cases(tmp_path / "train").layout == "brats"


def test_a_missing_mask_is_a_problem_where_others_have_one(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS2021_00000", 1)
    brats(tmp_path, "BraTS2021_00002")
    found = find_cases(tmp_path)
    assert [case.id for case in found.cases] == ["BraTS2021_00000"]
    assert [(problem.case, problem.reason) for problem in found.problems] == [
        ("BraTS2021_00002", "no mask")
    ]
    assert len(scan(tmp_path).cases) == 2


def test_a_set_without_masks_is_all_cases(tmp_path: Path) -> None:
    for name in ("BraTS2021_00000", "BraTS2021_00002"):
        brats(tmp_path, name)
    found = find_cases(tmp_path)
    assert len(found.cases) == 2
    assert not found.problems


def test_sequences_come_in_canonical_order(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS2021_00000", 1, sequences=("flair", "t2", "t1ce", "t1"))
    assert tuple(find_cases(tmp_path).cases[0].images) == PLAIN


def test_the_phantoms_mark(tmp_path: Path) -> None:
    kaggle(tmp_path)
    (case,) = find_cases(tmp_path).cases
    assert not case.synthetic
    (tmp_path / "SYNTHETIC").touch()
    (case,) = find_cases(tmp_path).cases
    assert case.synthetic
    assert case.licence is None


def test_folders_without_a_case_are_said(tmp_path: Path) -> None:
    brats(tmp_path, "BraTS2021_00000", 1)
    mask(tmp_path / "BraTS2021_00001" / "BraTS2021_00001_seg.nii.gz", 1)
    (tmp_path / "docs").mkdir()
    found = find_cases(tmp_path)
    assert found.left_out == (tmp_path / "docs",)
    assert found.explanation[1] == "no case in docs"


def test_a_missing_sequence_is_said_once(tmp_path: Path) -> None:
    brats(tmp_path / "b", "BraTS2021_00000", 1, sequences=PLAIN)
    brats(tmp_path / "b", "BraTS2021_00002", 1, sequences=("t1", "flair"))
    whole, partial = find_cases(tmp_path / "b").cases
    assert not whole.notes
    assert partial.notes == ("t1ce is missing", "t2 is missing")
    kaggle(tmp_path / "k")
    kaggle(tmp_path / "k", "TCGA_DU_5849_19950405", copies=(2,))
    assert len(find_cases(tmp_path / "k").cases[1].notes) == 1


def test_ids_are_made_unique() -> None:
    cases = [Case(id=name, patient="p", images={}) for name in ("a", "A", "a-3", "a", "b")]
    assert [case.id for case in unique(cases)] == ["a", "A-2", "a-3", "a-4", "b"]
