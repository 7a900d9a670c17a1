"""A study whose series lie on different grids, from its files to the mask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.alignment.resampling import resample_to
from gliomask.core.volume import Volume
from gliomask.datasets.load import load_case
from gliomask.errors import CaseError, InputError
from gliomask.formats.case_record import CaseRecord
from gliomask.formats.nifti import read_nifti, read_nifti_labels, write_nifti
from gliomask.studies.one_grid import load_on_one_grid
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.alignment.grids import turned
from tests.fakes import FakeModel, head_volume, write_head, write_picture_head
from tests.finding import find_studies

NAME = "BraTS-GLI-00001-000"


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The head with its T1 on a finer, oblique grid."""
    volume = head_volume()
    folder = write_head(tmp_path / "in", NAME, volume)
    middle = volume.affine @ [11.5, 9.5, 3.5, 1]
    affine = turned(8, (1, 2, 3)) @ np.diag([0.9, 0.9, 1.5, 1])
    affine[:3, 3] += middle[:3] - affine[:3] @ [16, 16, 10, 1]
    fine = resample_to(volume.array[0], volume.affine, (33, 33, 21), affine)
    write_nifti(folder / f"{NAME}-t1n.nii.gz", fine, affine)
    return folder


def run(folder: Path, out: Path, **changes: Any) -> CaseRecord:
    keys = {"inputs": (folder,), "out": out, "model": Path("fake"), "write": ("nifti",), **changes}
    (case,) = predict_files(PredictOptions.model_validate(keys)).cases
    return case


def test_other_grids_are_refused_where_nothing_may_be_aligned(study: Path, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="flair is on another grid than t1") as refused:
        run(study, tmp_path / "out", align=False)
    assert "leave out `align=False`" in str(refused.value)
    assert "\n" not in str(refused.value)
    (case,) = find_studies((study,))
    with pytest.raises(CaseError) as refused:  # training has no such option
        load_case(case)
    assert "align=False" not in str(refused.value)
    with pytest.raises(InputError, match="a reference has no effect"):
        run(study, tmp_path / "out", align=False, reference="flair")


def test_by_default_the_others_are_laid_onto_flair(study: Path, tmp_path: Path) -> None:
    case = run(study, tmp_path / "out")
    named = run(study, tmp_path / "named", reference="flair")
    assert "t1 was resampled to the grid of flair" in case.notes
    assert (case.notes, case.voxels) == (named.notes, named.voxels)


def test_a_series_that_the_model_does_not_use_is_never_in_the_way(
    study: Path, tmp_path: Path
) -> None:
    """Not by its grid, nor by what is wrong with it; the mask is as without it."""
    expected = run(study, tmp_path / "expected")
    t2 = study / f"{NAME}-t2w.nii.gz"
    for broken in (np.zeros((5, 6, 7), np.float32), np.full((3, 3, 3), np.nan, np.float32)):
        write_nifti(t2, broken, np.diag([2.0, 2, 2, 1]))
        case = run(study, tmp_path / "out")
        assert case.voxels == expected.voxels
        assert "t2 not used: the model fake takes t1, flair" in case.notes
    t2.write_bytes(b"no image at all")
    assert run(study, tmp_path / "out").voxels == expected.voxels


@pytest.mark.parametrize("reference", ["flair", "t1"])
def test_the_mask_is_on_the_grid_of_the_reference(
    study: Path, tmp_path: Path, reference: str
) -> None:
    case = run(study, tmp_path / "out", reference=reference, probabilities=True)
    kind = {"flair": "t2f", "t1": "t1n"}[reference]
    image, affine = read_nifti(study / f"{NAME}-{kind}.nii.gz")
    mask, found = read_nifti_labels(tmp_path / "out" / f"{NAME}_mask.nii.gz")
    assert mask.shape == image.shape
    np.testing.assert_array_equal(found, affine)
    assert mask.any()
    other = {"flair": "t1", "t1": "flair"}[reference]
    assert any(f"{other} was resampled to the grid of {reference}" in note for note in case.notes)
    keys = json.loads((tmp_path / "out" / f"{NAME}.json").read_text())
    assert keys["provenance"]["alignment"]["reference"] == reference
    assert list(keys["provenance"]["alignment"]["series"]) == [other]
    assert list(case.notes) == keys["notes"]


def test_the_tumour_is_where_it_is_without_resampling(study: Path, tmp_path: Path) -> None:
    """The fake network looks at FLAIR, and FLAIR is the reference: nothing of it may change."""
    run(study, tmp_path / "out", reference="flair")
    mask, _ = read_nifti_labels(tmp_path / "out" / f"{NAME}_mask.nii.gz")
    plain = write_head(tmp_path / "plain", NAME, head_volume())
    run(plain, tmp_path / "expected")
    expected, _ = read_nifti_labels(tmp_path / "expected" / f"{NAME}_mask.nii.gz")
    np.testing.assert_array_equal(mask, expected)


def test_grids_that_agree_are_left_alone(tmp_path: Path) -> None:
    plain = write_head(tmp_path / "plain", NAME, head_volume())
    (case,) = find_studies((plain,))
    expected, _ = load_case(case)
    for reference in (None, "flair"):
        volume = load_on_one_grid(case, reference).volume
        np.testing.assert_array_equal(volume.array, expected.array)
        np.testing.assert_array_equal(volume.affine, expected.affine)
    assert not run(plain, tmp_path / "out").notes
    keys = json.loads((tmp_path / "out" / f"{NAME}.json").read_text())
    assert "alignment" not in keys["provenance"]


def test_shading_is_taken_out_and_told(tmp_path: Path) -> None:
    case = run(write_head(tmp_path / "in", NAME, positive()), tmp_path / "out", n4=True)
    assert "N4 bias-field correction was applied" in case.notes
    keys = json.loads((tmp_path / "out" / f"{NAME}.json").read_text())
    assert keys["provenance"]["alignment"] == {"n4": True}


def test_shading_of_an_image_below_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=f"{NAME}: t1: negative intensities"):
        run(write_head(tmp_path / "in", NAME, head_volume()), tmp_path / "out", n4=True)


def test_a_study_without_the_reference_is_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=rf"{NAME}: the reference is not among the series"):
        run(study, tmp_path / "out", reference="t2")


def test_pictures_of_two_sizes_get_no_advice_that_would_not_help(tmp_path: Path) -> None:
    folder = write_picture_head(tmp_path, "someone")
    (folder / "t1" / "8.png").unlink()
    with pytest.raises(CaseError, match="another grid") as refused:
        run(folder, tmp_path / "out")
    assert "align=False" not in str(refused.value)


def positive() -> Volume:
    """The head as scanners give it: never below 0."""
    volume = head_volume()
    return Volume(np.abs(volume.array), volume.affine, volume.sequences)
