"""What a mask is corrected on: exact images, probabilities around the threshold, headers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from gliomask.config.correct import CorrectOptions
from gliomask.core.case import ImageFile
from gliomask.core.volume import Volume
from gliomask.errors import CaseError
from gliomask.formats.dicom.read import series_grid
from gliomask.formats.editable_case import read_editable_case
from gliomask.formats.nifti import read_nifti, read_nifti_labels, write_nifti
from gliomask.results.correction.corrected import write_corrected
from gliomask.results.correction.editable import stored_probability, write_editable_case
from gliomask.results.prediction.outcome import Outcome
from gliomask.results.prediction.write import write_outputs
from tests.formats.dicom_series import Grid, coded, nested, write_series
from tests.predictions import outcome_of


def test_stored_probabilities_meet_the_threshold_exactly() -> None:
    """Whatever the threshold: 128 is where the network's mask begins."""
    below = np.nextafter(np.float32(0.35), np.float32(0))
    values = np.array([0, 0.175, below, 0.35, 0.675, 1], np.float32)
    assert stored_probability(values, float(np.float32(0.35))).tolist() == [
        *(0, 64, 127, 128, 191, 255)
    ]
    assert stored_probability(np.array([0.999, 1], np.float32), 1.0).tolist() == [127, 128]


def outcome() -> Outcome:
    mask = np.zeros((5, 6, 4), np.uint8)
    mask[1:3, 2:5, 1] = 1
    affine = np.diag([1.0, -1.0, 3.0, 1.0])
    probabilities = np.where(mask, np.float32(0.5), np.float32(0.25))[np.newaxis]
    made = outcome_of("a", mask, affine, probabilities=probabilities, patient="p")
    images = np.arange(240, dtype=np.float32).reshape(2, 5, 6, 4) - 7
    images[1] += 0.25
    return replace(made, volume=Volume(images, affine, ("t1", "flair")))


def test_everything_is_there_and_exact(tmp_path: Path) -> None:
    made = outcome()
    case = write_editable_case(tmp_path / "e", made, tmp_path)
    assert case == read_editable_case(tmp_path / "e")
    assert case is not None
    assert case.layers == ("mask", "image-flair", "image-t1", "probability-whole")
    assert case.voxel_ml == pytest.approx(0.003)
    assert case.patient == "p"
    for name, image in zip(("t1", "flair"), made.volume.array, strict=True):
        found, affine = read_nifti(tmp_path / "e" / f"image-{name}.nii.gz")
        np.testing.assert_array_equal(found, image)
        np.testing.assert_array_equal(affine, made.prediction.affine)
    stored, _ = read_nifti_labels(tmp_path / "e" / "probability-whole.nii.gz")
    np.testing.assert_array_equal(stored >= 128, made.prediction.mask)


def test_pictures_can_not_be_corrected(tmp_path: Path) -> None:
    made = outcome()
    flat = replace(made, prediction=replace(made.prediction, has_world=False))
    assert write_editable_case(tmp_path / "e", flat, tmp_path) is None
    assert not (tmp_path / "e").exists()


def test_corrections_of_a_dicom_case_are_dicom_too(tmp_path: Path) -> None:
    """Drawn on the headers alone: the series itself is gone by then."""
    grid, masks = Grid(), nested(Grid().shape)
    sources = write_series(tmp_path / "series", grid, coded(masks))
    lies = series_grid(tuple(sources), None)
    mask = np.zeros(lies.shape, np.uint8)
    mask[3:6, 4:7, 1:4] = 1
    made = outcome_of("a", mask, lies.affine)
    made = replace(made, case=replace(made.case, images={"flair": ImageFile(tuple(sources))}))
    written = tmp_path / "result"
    written.mkdir()
    write_outputs(written, made, ("nifti", "dicom-seg", "rtstruct"))
    case = write_editable_case(tmp_path / "e", made, written)
    assert case is not None
    for path in sources:
        path.unlink()
    mask[3, 4, 1] = 0
    drawn, out = tmp_path / "drawn.nii", tmp_path / "out"
    write_nifti(drawn, mask, lies.affine)
    out.mkdir()
    base = tmp_path / "e" / "mask.nii.gz"
    keys = {"case": tmp_path / "e", "base": base, "out": out, "author": "ann"}
    found = write_corrected(CorrectOptions(drawn=drawn, name="a-1", **keys), case)
    assert found.files == ("a-1_mask.nii.gz", "a-1.seg.dcm", "a-1.rtstruct.dcm")
    assert found.notes == ()
    changed = found.changes["whole"]
    assert (changed.added_voxels, changed.removed_voxels) == (0, 1)
    first, second = dcmread(written / "a.seg.dcm"), dcmread(out / "a-1.seg.dcm")
    (source,) = second.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert int(first.pixel_array.sum()) == 1 + int(second.pixel_array.sum())
    with pytest.raises(CaseError, match="nothing was changed"):
        write_corrected(CorrectOptions(drawn=base, name="a-2", **keys), case)
