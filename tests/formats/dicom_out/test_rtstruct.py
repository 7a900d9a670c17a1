"""The contours of an RT Structure Set, filled again by others, are the masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.path import Path as MatplotlibPath
from pydicom import dcmread

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.regions import REGIONS
from gliomask.errors import CaseError, GliomaskError
from gliomask.formats.dicom_out import rtstruct
from gliomask.formats.dicom_out.rtstruct import write_rtstruct
from gliomask.formats.dicom_out.seg import write_dicom_seg
from gliomask.formats.dicom_out.segments import DrawnSegments, Maker
from tests.formats.dicom_series import (
    CORONAL,
    MAKER,
    OBLIQUE,
    SAGITTAL,
    Grid,
    drawn,
    nested,
    turned,
    write_enhanced,
    write_series,
)

GRIDS = {
    "axial": Grid(),
    "sagittal": Grid(orientation=SAGITTAL),
    "coronal": Grid(orientation=CORONAL),
    "oblique": Grid(orientation=OBLIQUE),
    "thick": Grid(spacing=(6.0, 1.0, 1.0)),
}


def filled(path: Path, sources: list[Path], regions: int) -> npt.NDArray[np.bool_]:
    """(R, P, rows, columns) by matplotlib, from the places of the pixels' centres in mm."""
    images = [dcmread(source) for source in sources]
    number = {image.SOPInstanceUID: n for n, image in enumerate(images)}
    masks = np.zeros((regions, len(images), images[0].Rows, images[0].Columns), np.bool_)
    for region in dcmread(path).ROIContourSequence:
        for contour in region.get("ContourSequence", []):
            n = number[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
            inside = _inside(np.reshape(contour.ContourData, (-1, 3)).astype(float), images[n])
            masks[region.ReferencedROINumber - 1, n] ^= inside
    return masks


def _inside(points: npt.NDArray[np.float64], image: Any) -> npt.NDArray[np.bool_]:
    row, column = np.reshape(image.ImageOrientationPatient, (2, 3)).astype(float)
    origin = np.array(image.ImagePositionPatient, float)
    assert np.abs((points - origin) @ np.cross(row, column)).max() < 1e-3
    flat = np.stack([(points - origin) @ row, (points - origin) @ column], axis=1)
    rows, columns = np.indices((image.Rows, image.Columns))
    down, across = image.PixelSpacing
    centres = np.stack([columns.ravel() * across, rows.ravel() * down], axis=1)
    path = MatplotlibPath(np.vstack([flat, flat[:1]]), closed=True)
    return path.contains_points(centres).reshape(rows.shape)


@pytest.mark.parametrize(
    "name",
    [
        "axial",
        pytest.param("sagittal", marks=pytest.mark.slow),
        "coronal",
        "oblique",
        pytest.param("thick", marks=pytest.mark.slow),
    ],
)
def test_contours_fill_to_the_masks(tmp_path: Path, name: str) -> None:
    grid, masks = GRIDS[name], nested(GRIDS[name].shape)
    sources = write_series(tmp_path / "s", grid)
    moved = drawn(*turned(masks, grid.affine(), (2, 0, 1), (True, False, True)))
    write_rtstruct(tmp_path / "a.dcm", moved, sources[::-1], MAKER)
    assert np.array_equal(filled(tmp_path / "a.dcm", sources, 3), masks)


def test_points_lie_where_the_pixel_is(tmp_path: Path) -> None:
    """Pixel (row 3, column 2) of image 4, with pixels of 0.9 x 1.1 mm from (-101.5, 87.25)."""
    grid = Grid()
    masks = np.zeros((1, *grid.shape), np.bool_)
    masks[0, 4, 3, 2] = True
    made = drawn(masks, grid.affine(), ("whole",))
    write_rtstruct(tmp_path / "a.dcm", made, write_series(tmp_path / "s", grid), MAKER)
    (region,) = dcmread(tmp_path / "a.dcm").ROIContourSequence
    (contour,) = region.ContourSequence
    x, y, z = -101.5 + 2 * 1.1, 87.25 + 3 * 0.9, -40.125 + 4 * 3
    due = [[x - 0.55, y, z], [x, y - 0.45, z], [x, y + 0.45, z], [x + 0.55, y, z]]
    found = sorted(np.reshape(contour.ContourData, (-1, 3)).astype(float).tolist())
    assert np.allclose(found, due, atol=1e-4)
    assert (contour.ContourGeometricType, contour.NumberOfContourPoints) == ("CLOSED_PLANAR", 4)


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    grid = Grid()
    masks = nested(grid.shape)
    masks[1] = False
    sources = write_series(tmp_path / "s", grid)
    written = write_rtstruct(tmp_path / "a.dcm", drawn(masks, grid.affine()), sources, MAKER)
    back, source = dcmread(tmp_path / "a.dcm"), dcmread(sources[0])
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert back[keyword].value == source[keyword].value
    assert (back.Modality, back.ApprovalStatus) == ("RTSTRUCT", "UNAPPROVED")
    assert (back.SOPInstanceUID, back.SeriesInstanceUID) == (written.sop_instance, written.series)
    assert back.SeriesInstanceUID != source.SeriesInstanceUID
    assert RESEARCH_USE_ONLY in back.SeriesDescription
    assert RESEARCH_USE_ONLY in back.StructureSetName
    assert [r.ROIName for r in back.StructureSetROISequence] == [
        *("Whole tumour", "Tumour core", "Enhancing tumour")
    ]
    first, second, _ = back.ROIContourSequence
    assert list(first.ROIDisplayColor) == [230, 159, 0]
    assert "ContourSequence" not in second
    assert (tmp_path / "a.dcm").read_bytes()[:128] == bytes(128)
    (frame,) = back.ReferencedFrameOfReferenceSequence
    (series,) = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence
    assert series.SeriesInstanceUID == source.SeriesInstanceUID
    assert len(series.ContourImageSequence) == 6


def test_frames_of_a_multi_frame_image(tmp_path: Path) -> None:
    grid = Grid(shape=(3, 8, 9))
    masks = np.zeros((1, 3, 8, 9), np.bool_)
    masks[0, 2, 1, 5] = True
    source = write_enhanced(tmp_path / "e.dcm", grid, order=[2, 0, 1])
    write_rtstruct(tmp_path / "a.dcm", drawn(masks, grid.affine(), ("whole",)), [source], MAKER)
    (contour,) = dcmread(tmp_path / "a.dcm").ROIContourSequence[0].ContourSequence
    assert contour.ContourImageSequence[0].ReferencedFrameNumber == 1
    assert contour.ContourData[2] == pytest.approx(grid.position(2)[2])


def test_a_contour_too_long_for_the_explicit_encoding(tmp_path: Path) -> None:
    """A comb with 1200 teeth: more than 64 KiB of numbers in one contour."""
    mask = np.zeros((1, 1, 12, 2401), np.bool_)
    mask[..., 6:, :] = True
    mask[..., 1::2] = True
    grid = Grid(shape=mask.shape[1:], spacing=(1.0, 0.25, 0.25))
    made = DrawnSegments(mask, (REGIONS["whole"],), grid.affine())
    sources = write_series(tmp_path / "s", grid)
    write_rtstruct(tmp_path / "a.dcm", made, sources, MAKER)
    (contour,) = dcmread(tmp_path / "a.dcm").ROIContourSequence[0].ContourSequence
    assert contour.NumberOfContourPoints > 4800
    assert np.array_equal(filled(tmp_path / "a.dcm", sources, 1), mask)


def test_uids_are_the_results_and_not_the_segmentations(tmp_path: Path) -> None:
    grid = Grid()
    made = drawn(nested(grid.shape), grid.affine())
    sources = write_series(tmp_path / "s", grid)
    once = write_rtstruct(tmp_path / "a.dcm", made, sources, MAKER)
    content = (tmp_path / "a.dcm").read_bytes()
    assert write_rtstruct(tmp_path / "a.dcm", made, sources[::-1], MAKER) == once
    assert (tmp_path / "a.dcm").read_bytes() == content
    other = write_dicom_seg(tmp_path / "b.dcm", made, sources, MAKER)
    fresh = write_rtstruct(tmp_path / "c.dcm", made, sources, replace(MAKER, fresh_uids=True))
    assert len({u for w in (once, other, fresh) for u in (w.sop_instance, w.series)}) == 6


def test_a_mask_of_another_grid_is_refused(tmp_path: Path) -> None:
    grid = Grid()
    affine = grid.affine()
    affine[:3, 0] *= 1.1
    with pytest.raises(CaseError, match="not on the grid of the series"):
        write_rtstruct(
            tmp_path / "a.dcm",
            drawn(nested(grid.shape), affine),
            write_series(tmp_path / "s", grid),
            Maker("demo", "0.1.0"),
        )


def test_what_does_not_read_back_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid, good = Grid(), rtstruct._places
    monkeypatch.setattr(rtstruct, "_places", lambda curve, plane: good(curve + 1, plane))
    made = drawn(nested(grid.shape), grid.affine())
    sources = write_series(tmp_path / "s", grid)
    with pytest.raises(GliomaskError, match="differs when read again"):
        write_rtstruct(tmp_path / "a.dcm", made, sources, MAKER)
    assert [p.name for p in tmp_path.iterdir()] == ["s"]
