"""Real DICOM files, where they are: see ``tests/datasets/test_real_data.py``."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gliomask.core.geometry import axis_codes
from gliomask.formats.dicom.pixels import read_pixels
from gliomask.formats.dicom.series import survey_files
from gliomask.formats.images import read_image
from gliomask.studies.dicom_study import only_series
from tests.datasets.test_real_data import real
from tests.finding import dicom_studies
from tests.formats.dicom.made import assert_same_in_world, by_dcm2niix

PHILIPS = "dcm_qa_enh/In/Philips/IM_0027_fMAP.dcm"
SIEMENS = "dcm_qa_enh/In/Siemens/XA10"


def unpack_t1w(folder: Path) -> Path:
    with zipfile.ZipFile(real("dicom") / "structural_t1w.zip") as archive:
        archive.extractall(folder)
    return folder


def test_a_whole_t1w_lies_where_dcm2niix_puts_it(tmp_path: Path) -> None:
    """An oblique 3-D series of 128 slices."""
    folder = unpack_t1w(tmp_path / "in")
    image = read_image(only_series(folder).image)
    assert image.array.shape == (274, 384, 128)
    assert axis_codes(image.affine) == "LPS"
    (judged,) = by_dcm2niix(folder, tmp_path / "out")
    assert_same_in_world(image.array, image.affine, *judged)


def test_its_archive_is_audited() -> None:
    with dicom_studies(real("dicom") / "structural_t1w.zip") as found:
        assert found.skipped == 0
        (audit,) = found.audits
        assert audit.description == "anat-T1w"
        assert audit.shape == (274, 384, 128)
        assert audit.problems == (
            r"not an original image (ImageType=DERIVED\SECONDARY); if it is one, state it: "
            "`series=t1=401` or `series=t1ce=401`",
        )
        assert len(found.problems) == 1


def test_nine_transfer_syntaxes_hold_one_image() -> None:
    """Native in three forms, RLE (4), lossless JPEG (5, 6: the extra ``jpeg``), JPEG-LS (7, 8) and
    JPEG 2000 (9: the extra, or Pillow). All are mosaics, so none is a series for us."""
    files = [real("dicom") / "dcm_qa_ts" / "In" / f"{n}.dcm" for n in range(1, 10)]
    images = [next(read_pixels(path)) for path in files]
    assert images[0].shape == (384, 384)
    assert images[0].max() == 2362
    assert all(np.array_equal(image, images[0]) for image in images)
    assert all("a mosaic" in one.reason for one in survey_files(files).refused)


@pytest.mark.parametrize("name", ["12bitUnsigned", "12bitUnsigned_0x0F0F", "12bitSigned_0x0F0F"])
def test_twelve_bits_are_those_that_dcm2niix_finds(name: str, tmp_path: Path) -> None:
    """The other reader cuts the mosaic into slices, so values are compared without their places."""
    path = real("dicom") / "dcm_qa_12bit" / "In" / f"{name}.dcm"
    (tmp_path / "in").mkdir()
    shutil.copy(path, tmp_path / "in")
    ((judged, _),) = by_dcm2niix(tmp_path / "in", tmp_path / "out")
    ours = next(read_pixels(path))
    blank = ours.size - judged.size
    values, counts = np.unique(ours, return_counts=True)
    judged_values, judged_counts = np.unique(judged, return_counts=True)
    wanted = dict(zip(judged_values.tolist(), judged_counts.tolist(), strict=True))
    found = dict(zip(values.tolist(), counts.tolist(), strict=True))
    assert sum(abs(found[n] - wanted.get(n, 0)) for n in found) == blank
    assert set(wanted) <= set(found)
    assert (min(found), max(found)) == ((-2048, 2047) if "Signed" in name[:12] else (0, max(found)))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_enhanced_siemens(number: int, tmp_path: Path) -> None:
    """Each file is a volume of a time series; all together are several images at one position."""
    (tmp_path / "in").mkdir()
    shutil.copy(real("dicom") / SIEMENS / f"6_{number}.dcm", tmp_path / "in")
    image = read_image(only_series(tmp_path / "in").image)
    (judged,) = by_dcm2niix(tmp_path / "in", tmp_path / "out")
    assert_same_in_world(image.array, image.affine, *judged)
    survey = survey_files(sorted((real("dicom") / SIEMENS).iterdir()))
    assert "several images at one position, 18 too many" in survey.refused[0].reason


def test_enhanced_philips(tmp_path: Path) -> None:
    """One file with the magnitude image and the field map made from it."""
    path = real("dicom") / PHILIPS
    (tmp_path / "in").mkdir()
    shutil.copy(path, tmp_path / "in")
    found = survey_files([path]).series
    assert [one.tags.image_type[3] for one in found] == ["M", "FIELD_MAP"]
    judged = by_dcm2niix(tmp_path / "in", tmp_path / "out")
    assert len(judged) == 2
    for one, other in zip(found, judged, strict=True):
        image = read_image(one.image)
        assert_same_in_world(image.array, image.affine, *other)
