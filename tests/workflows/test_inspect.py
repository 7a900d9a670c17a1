"""What is there, said before anything is done with it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gliomask.errors import LayoutError
from gliomask.formats.nifti import write_nifti
from gliomask.studies.find import survey
from gliomask.workflows.inspect import EXAMINATIONS, InspectOptions, inspect
from tests.datasets import tiny
from tests.datasets.test_real_data import real
from tests.formats.dicom.made import CORONAL, pixels, save, series
from tests.studies.test_dicom_study import PLAN, T1, T2, study


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


def test_a_study_is_told_series_by_series(tmp_path: Path) -> None:
    found = inspect(InspectOptions(paths=(study(tmp_path),)))
    assert found.layout == EXAMINATIONS
    (case,) = found.cases
    assert case.uses == {
        "t1": "series 1 (Ax T1)",
        "t1ce": "series 2 (Ax T1 +C)",
        "t2": "series 3 (Gad Ax T2 Straight)",
        "flair": "series 4 (Ax FLAIR)",
    }
    assert [(one.sequence, one.case, one.axes) for one in found.series] == [
        *((name, "P1_20010203", "LPS") for name in ("t1", "t1ce", "t2", "flair")),
        (None, "P1_20010203", "LIP"),
    ]
    chosen = inspect(InspectOptions(paths=(tmp_path,), series={"t2": "4"}))
    assert chosen.cases[0].uses["t2"] == "series 4 (Ax FLAIR)"


def test_it_takes_what_predict_takes(tmp_path: Path) -> None:
    """What it says is used are the very cases of the survey that predict runs."""
    study(tmp_path / "a")
    write_nifti(tmp_path / "n" / "n_t1.nii.gz", pixels(PLAN).astype(np.int16), np.eye(4))
    found = inspect(InspectOptions(paths=(tmp_path,)))
    cases, _ = survey([tmp_path])
    assert [(one.case, one.sequences) for one in found.cases] == [
        (case.id, tuple(case.images)) for case in cases
    ]


def test_series_on_other_grids_are_said_to_be_aligned(tmp_path: Path) -> None:
    other = replace(PLAN, directions=CORONAL)
    save(tmp_path, series(PLAN, pixels(PLAN, 1), 1, **T1))
    save(tmp_path, series(other, pixels(other, 2), 2, **T2))
    found = inspect(InspectOptions(paths=(tmp_path,)))
    assert len(found.cases) == 1
    assert not found.problems
    told = "on another grid than t2: predict resamples it to that grid"
    assert [(one.used, one.problems) for one in found.series] == [(True, (told,)), (True, ())]


def test_files_are_rows_of_the_same_table(tmp_path: Path) -> None:
    for name, step in (("t1", 1.0), ("flair", 3.0)):
        affine = np.diag([-1.0, -1.0, step, 1.0])
        path = tmp_path / f"x_{name}.nii.gz"
        write_nifti(path, np.arange(504, dtype=np.int16).reshape(7, 8, 9), affine)
    found = inspect(InspectOptions(paths=tuple(sorted(tmp_path.iterdir()))))
    assert [(one.series, one.sequence, one.axes, one.spacing_mm) for one in found.series] == [
        ("x_t1.nii.gz", "t1", "LPS", (1.0, 1.0, 1.0)),
        ("x_flair.nii.gz", "flair", "LPS", (1.0, 1.0, 3.0)),
    ]
    told = "on another grid than flair: predict resamples it to that grid"
    assert [one.problems for one in found.series] == [(told,), ()]
    assert len(found.cases) == 1


def test_an_archive_of_a_study_or_of_a_data_set(tmp_path: Path) -> None:
    study(tmp_path / "a")
    tiny.brats(tmp_path / "b", "BraTS2021_00000", 1, 2, 4)
    for name, layout in (("a", EXAMINATIONS), ("b", "brats")):
        packed = Path(shutil.make_archive(str(tmp_path / name), "zip", tmp_path / name))
        found = inspect(InspectOptions(paths=(packed,)))
        assert (found.layout, len(found.cases)) == (layout, 1)


def test_the_real_derived_series_is_used_when_it_is_chosen() -> None:
    place = real("dicom") / "structural_t1w.zip"
    assert not inspect(InspectOptions(paths=(place,))).cases
    (case,) = inspect(InspectOptions(paths=(place,), series={"t1": "401"})).cases
    assert (case.grid, case.uses) == ((274, 384, 128), {"t1": "series 401 (anat-T1w)"})
