"""What is there, said before anything is done with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.errors import LayoutError
from gliomask.workflows.inspect import InspectOptions, inspect
from tests.datasets import tiny


def test_headers_tell_grid_spacing_and_axes(tmp_path: Path) -> None:
    tiny.brats(tmp_path, "BraTS2021_00000", 1, 2, 4)
    found = inspect(InspectOptions(paths=(tmp_path,)))
    (case,) = found.cases
    assert (found.layout, case.sequences, case.grid) == ("brats", ("t1", "flair"), tiny.SHAPE)
    assert (case.spacing_mm, case.axes, case.masked) == ((1.0, 1.0, 2.0), "LPS", True)
    assert case.tumour_voxels is None


def test_all_voxels_are_read_when_that_is_asked_for(tmp_path: Path) -> None:
    tiny.brats(tmp_path, "BraTS2021_00000", 1, 2, 4)
    (case,) = inspect(InspectOptions(paths=(tmp_path,), full=True)).cases
    assert case.tumour_voxels == 12


def test_damage_further_on_is_seen_only_then(tmp_path: Path) -> None:
    scan = tiny.brats(tmp_path, "BraTS2021_00000", 1, 2, 4) / "BraTS2021_00000_t1.nii.gz"
    scan.write_bytes(scan.read_bytes()[:-20])
    assert not inspect(InspectOptions(paths=(tmp_path,))).problems
    found = inspect(InspectOptions(paths=(tmp_path,), full=True))
    assert not found.cases
    assert "BraTS2021_00000_t1.nii.gz" in found.problems[0][1]


def test_pictures_have_no_millimetres(tmp_path: Path) -> None:
    tiny.kaggle(tmp_path)
    found = inspect(InspectOptions(paths=(tmp_path,)))
    (case,) = found.cases
    assert (case.grid, case.spacing_mm, case.site) == ((5, 7, 11), None, "CS")
    assert found.licences == ("CC BY-NC-SA 4.0",)


def test_an_empty_folder_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"lgg_kaggle.*brats.*nnunet.*table"):
        inspect(InspectOptions(paths=(tmp_path,)))
