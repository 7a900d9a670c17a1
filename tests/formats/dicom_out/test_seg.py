"""What a Segmentation says, where its voxels lie, and that nobody is mirrored."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_charset_files

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.errors import CaseError, GliomaskError
from gliomask.formats.dicom_out import seg as dicom_seg
from gliomask.formats.dicom_out import source_images
from gliomask.formats.dicom_out.referenced_series import Plane
from gliomask.formats.dicom_out.seg import write_dicom_seg
from tests.formats.dicom_series import (
    AXIAL,
    CORONAL,
    MAKER,
    OBLIQUE,
    SAGITTAL,
    Grid,
    coded,
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
    "signed": Grid(signed=True),
}


def on_sources(path: Path, sources: list[Path]) -> tuple[npt.NDArray[np.int64], hd.Volume]:
    """By highdicom alone: the segments as coded voxels, and the series, on the same grid."""
    series = hd.get_volume_from_series([dcmread(source) for source in sources])
    segments = hd.seg.segread(path).get_volume().match_geometry(series)
    array = segments.array.reshape(*series.spatial_shape, -1)
    return np.tensordot(array, 2 ** np.arange(array.shape[-1]), 1), series


@pytest.mark.parametrize("name", GRIDS)
def test_voxels_and_geometry_come_back(tmp_path: Path, name: str) -> None:
    grid, masks = GRIDS[name], nested(GRIDS[name].shape)
    sources = write_series(tmp_path / "series", grid, coded(masks))
    write_dicom_seg(tmp_path / "a.dcm", drawn(masks, grid.affine()), sources, MAKER)
    found, series = on_sources(tmp_path / "a.dcm", sources)
    assert np.array_equal(found, series.array)
    assert found.max() == 7


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(True, False, False), (False, True, True), (True, True, True)])
def test_the_order_of_files_and_axes_does_not_matter(
    tmp_path: Path, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    grid = GRIDS["oblique"]
    masks = nested(grid.shape)
    sources = write_series(tmp_path / "series", grid, coded(masks))
    shuffled = [sources[n] for n in (3, 0, 5, 1, 4, 2)]
    moved = drawn(*turned(masks, grid.affine(), axes, flips))
    write_dicom_seg(tmp_path / "a.dcm", moved, shuffled, MAKER)
    found, series = on_sources(tmp_path / "a.dcm", sources)
    assert np.array_equal(found, series.array)


@pytest.mark.parametrize(
    ("orientation", "reverse"),
    [
        *((orientation, False) for orientation in (AXIAL, SAGITTAL, CORONAL, OBLIQUE)),
        (OBLIQUE, True),
        *(
            pytest.param(orientation, True, marks=pytest.mark.slow)
            for orientation in (AXIAL, SAGITTAL, CORONAL)
        ),
    ],
)
def test_a_lesion_stays_on_the_patients_side(
    tmp_path: Path, orientation: tuple[float, ...], reverse: bool
) -> None:
    """A ball 20 mm to the patient's left, 10 mm to the front, 5 mm up."""
    grid = Grid((40, 40, 40), orientation, (2.0, 2.0, 2.0))
    middle = grid.affine() @ [19.5, 19.5, 19.5, 1]
    grid = replace(grid, origin=tuple(np.array(grid.origin) + middle[:3] * (1, 1, -1)))
    places = np.tensordot(grid.affine()[:3, :3], np.indices(grid.shape), 1)
    away = places + grid.affine()[:3, 3, np.newaxis, np.newaxis, np.newaxis]
    centre_ras = np.array([-20.0, 10.0, 5.0])
    ball = np.linalg.norm(away - centre_ras[:, None, None, None], axis=0) < 9
    sources = write_series(tmp_path / "series", grid)
    masks, affine = turned(ball[np.newaxis], grid.affine(), (0, 1, 2), (reverse,) * 3)
    write_dicom_seg(tmp_path / "a.dcm", drawn(masks, affine, ("whole",)), sources, MAKER)
    volume = hd.seg.segread(tmp_path / "a.dcm").get_volume(combine_segments=True)
    centre_lps = volume.map_indices_to_reference(np.argwhere(volume.array)).mean(axis=0)
    assert np.abs(centre_lps - [20.0, -10.0, 5.0]).max() < 0.5


def test_frames_of_a_multi_frame_image_are_found_by_place(tmp_path: Path) -> None:
    grid = Grid(shape=(3, 8, 9))
    masks = np.zeros((1, 3, 8, 9), np.bool_)
    masks[0, 2, 1, 5] = True
    source = write_enhanced(tmp_path / "e.dcm", grid, order=[2, 0, 1])
    made = drawn(masks, grid.affine(), ("whole",))
    write_dicom_seg(tmp_path / "a.dcm", made, [source], MAKER)
    back = hd.seg.segread(tmp_path / "a.dcm")
    (frame,) = back.PerFrameFunctionalGroupsSequence
    image = frame.DerivationImageSequence[0].SourceImageSequence[0]
    assert image.ReferencedFrameNumber == 1
    assert image.ReferencedSOPInstanceUID == dcmread(source).SOPInstanceUID
    assert list(frame.PlanePositionSequence[0].ImagePositionPatient) == grid.position(2)
    assert np.argwhere(back.pixel_array).tolist()[-1][-2:] == [1, 5]


def test_each_frame_names_the_image_it_lies_on(tmp_path: Path) -> None:
    grid = Grid()
    masks = np.zeros((1, *grid.shape), np.bool_)
    masks[0, 4, 3, 2] = True
    sources = write_series(tmp_path / "series", grid)
    made = drawn(masks, grid.affine(), ("whole",))
    write_dicom_seg(tmp_path / "a.dcm", made, sources[::-1], MAKER)
    back = dcmread(tmp_path / "a.dcm")
    (frame,) = back.PerFrameFunctionalGroupsSequence
    image = frame.DerivationImageSequence[0].SourceImageSequence[0]
    assert image.ReferencedSOPInstanceUID == dcmread(sources[4]).SOPInstanceUID
    (series,) = back.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == dcmread(sources[0]).SeriesInstanceUID
    assert len(series.ReferencedInstanceSequence) == 6
    assert back.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness == 3


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    grid = Grid()
    sources = write_series(tmp_path / "series", grid)
    made = drawn(nested(grid.shape), grid.affine())
    written = write_dicom_seg(tmp_path / "a.dcm", made, sources, MAKER)
    back, source = dcmread(tmp_path / "a.dcm"), dcmread(sources[0])
    for keyword in (
        *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID"),
        *("StudyID", "StudyDate", "AccessionNumber", "FrameOfReferenceUID"),
    ):
        assert back[keyword].value == source[keyword].value
    assert (back.SOPInstanceUID, back.SeriesInstanceUID) == (written.sop_instance, written.series)
    assert len({back.SOPInstanceUID, back.SeriesInstanceUID, source.SeriesInstanceUID}) == 3
    assert (back.Modality, back.SegmentationType, back.SegmentsOverlap) == ("SEG", "BINARY", "YES")
    assert RESEARCH_USE_ONLY in back.SeriesDescription
    assert RESEARCH_USE_ONLY in back.ContentDescription
    assert (back.ContentDate, back.ContentTime) == ("20240506", "070809")
    assert [s.SegmentLabel for s in back.SegmentSequence] == [
        *("Whole tumour", "Tumour core", "Enhancing tumour")
    ]
    first, _, third = back.SegmentSequence
    assert first.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == "108369006"
    assert third.SegmentedPropertyTypeCodeSequence[0].CodeValue == "C113842"
    (algorithm,) = first.SegmentationAlgorithmIdentificationSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("gliomask", "0.1.0")
    assert algorithm.AlgorithmParameters == "model=demo,weights=" + "ab" * 32


def test_the_colour_is_the_reports(tmp_path: Path) -> None:
    """#E69F00 is L* 70.8, a* 16.6, b* 75.0 under D50 (worked out by the formulas of sRGB)."""
    grid = Grid()
    made = drawn(nested(grid.shape)[:1], grid.affine(), ("whole",))
    write_dicom_seg(tmp_path / "a.dcm", made, write_series(tmp_path / "s", grid), MAKER)
    stored = dcmread(tmp_path / "a.dcm").SegmentSequence[0].RecommendedDisplayCIELabValue
    light, red, yellow = stored[0] / 655.35, stored[1] / 257 - 128, stored[2] / 257 - 128
    assert (light, red, yellow) == (
        pytest.approx(70.8, abs=1.0),
        pytest.approx(16.6, abs=1.5),
        pytest.approx(75.0, abs=1.5),
    )


def test_the_preamble_holds_nothing_and_the_file_can_not_run(tmp_path: Path) -> None:
    grid = Grid()
    sources = write_series(tmp_path / "s", grid)
    assert sources[0].read_bytes()[:4] == b"II*\0"
    write_dicom_seg(tmp_path / "a.dcm", drawn(nested(grid.shape), grid.affine()), sources, MAKER)
    assert (tmp_path / "a.dcm").read_bytes()[:132] == bytes(128) + b"DICM"
    assert (tmp_path / "a.dcm").stat().st_mode & 0o111 == 0


def test_no_tumour_is_an_object_with_an_empty_frame(tmp_path: Path) -> None:
    grid = Grid(shape=(5, 8, 8))
    sources = write_series(tmp_path / "s", grid)
    made = drawn(np.zeros((3, 5, 8, 8), np.bool_), grid.affine())
    write_dicom_seg(tmp_path / "a.dcm", made, sources, MAKER)
    back = hd.seg.segread(tmp_path / "a.dcm")
    assert back.NumberOfFrames == 3
    assert back.pixel_array.sum() == 0
    places = {
        tuple(f.PlanePositionSequence[0].ImagePositionPatient)
        for f in back.PerFrameFunctionalGroupsSequence
    }
    assert places == {tuple(grid.position(2))}
    assert len(back.SegmentSequence) == 3
    assert len(back.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 5


def test_an_empty_region_beside_others_has_empty_frames(tmp_path: Path) -> None:
    grid = Grid()
    masks = nested(grid.shape)
    masks[2] = False
    sources = write_series(tmp_path / "s", grid, coded(masks))
    write_dicom_seg(tmp_path / "a.dcm", drawn(masks, grid.affine()), sources, MAKER)
    back = dcmread(tmp_path / "a.dcm")
    frames = back.PerFrameFunctionalGroupsSequence
    numbers = [f.SegmentIdentificationSequence[0].ReferencedSegmentNumber for f in frames]
    assert numbers == [1] * 5 + [2] * 5 + [3] * 5
    assert back.pixel_array[10:].sum() == 0
    assert len(back.SegmentSequence) == 3


def test_the_same_result_is_the_same_object(tmp_path: Path) -> None:
    grid = Grid()
    masks = nested(grid.shape)
    sources = write_series(tmp_path / "s", grid)
    made = drawn(masks, grid.affine())
    write_dicom_seg(tmp_path / "a.dcm", made, sources, MAKER)
    flipped = drawn(*turned(masks, grid.affine(), (2, 0, 1), (True, False, True)))
    write_dicom_seg(tmp_path / "b.dcm", flipped, sources[::-1], MAKER)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


def test_another_result_is_another_object(tmp_path: Path) -> None:
    grid = Grid()
    masks = nested(grid.shape)
    sources = write_series(tmp_path / "s", grid)
    other = masks.copy()
    other[0, 5, 13, 16] ^= True
    fresh = replace(MAKER, fresh_uids=True)
    renamed = drawn(masks, grid.affine(), ("whole", "enhancing", "core"))
    written = [
        write_dicom_seg(tmp_path / "a.dcm", one, sources, maker)
        for one, maker in (
            (drawn(masks, grid.affine()), MAKER),
            (drawn(other, grid.affine()), MAKER),
            (renamed, MAKER),
            (drawn(masks, grid.affine()), replace(MAKER, model="other")),
            (drawn(masks, grid.affine()), replace(MAKER, weights="cd" * 32)),
            (drawn(masks, grid.affine()), fresh),
            (drawn(masks, grid.affine()), fresh),
        )
    ]
    uids = {uid for one in written for uid in (one.sop_instance, one.series)}
    assert len(uids) == 14
    assert all(len(uid) <= 64 for uid in uids)


def test_times_are_on_the_studys_clock(tmp_path: Path) -> None:
    grid = Grid(changes={"TimezoneOffsetFromUTC": "-0330"})
    made = drawn(nested(grid.shape), grid.affine())
    write_dicom_seg(tmp_path / "a.dcm", made, write_series(tmp_path / "s", grid), MAKER)
    back = dcmread(tmp_path / "a.dcm")
    assert (back.ContentDate, back.ContentTime) == ("20240506", "033809")
    assert back.TimezoneOffsetFromUTC == "-0330"


@pytest.mark.parametrize("file", get_charset_files("*.dcm"), ids=lambda file: Path(file).stem)
def test_names_come_through_in_any_script(tmp_path: Path, file: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of pydicom's own examples aren't quite right
        example = dcmread(file)
        name = str(example.get("PatientName", ""))
    if not name:
        pytest.skip("no name in this example")
    grid = Grid(shape=(2, 8, 8))

    def rename(_: int, image: Dataset) -> None:
        image.SpecificCharacterSet = example.get("SpecificCharacterSet", "")
        image.PatientName = example.PatientName

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sources = write_series(tmp_path / "s", grid, edit=rename)
    made = drawn(np.ones((1, *grid.shape), np.bool_), grid.affine(), ("whole",))
    write_dicom_seg(tmp_path / "a.dcm", made, sources, MAKER)
    back = dcmread(tmp_path / "a.dcm")
    assert back.SpecificCharacterSet == "ISO_IR 192"
    assert str(back.PatientName) == name


def test_a_model_of_any_name(tmp_path: Path) -> None:
    grid = Grid()
    made = drawn(nested(grid.shape), grid.affine())
    maker = replace(MAKER, model="Müller\\s\nmodel " * 20)
    write_dicom_seg(tmp_path / "a.dcm", made, write_series(tmp_path / "s", grid), maker)
    back = dcmread(tmp_path / "a.dcm")
    assert back.ContentDescription.startswith(f"{RESEARCH_USE_ONLY}. Made by Müller_s_model")
    assert len(back.ContentDescription) <= 64


def test_a_mask_of_another_grid_is_refused(tmp_path: Path) -> None:
    grid = Grid()
    sources = write_series(tmp_path / "s", grid)
    moved = grid.affine()
    moved[:3, 3] += (0.3, 0, 0)
    with pytest.raises(CaseError, match=r"a corner of the mask lies 0\.3 mm off"):
        write_dicom_seg(tmp_path / "a.dcm", drawn(nested(grid.shape), moved), sources, MAKER)
    masks = nested(grid.shape)[..., 1:]
    with pytest.raises(CaseError, match=r"columns=6 x 14 x 16, allowed 6 x 14 x 17"):
        write_dicom_seg(tmp_path / "a.dcm", drawn(masks, grid.affine()), sources, MAKER)
    assert not (tmp_path / "a.dcm").exists()


def test_what_does_not_read_back_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that mixes two images up is caught, and what stood there before stays."""
    grid = Grid()
    sources = write_series(tmp_path / "s", grid)
    made = drawn(nested(grid.shape), grid.affine())
    good = source_images.position
    swapped = {0: 1, 1: 0}

    def wrong(plane: Plane) -> hd.PlanePositionSequence:
        number = round((plane.position[2] - grid.origin[2]) / 3)
        return good(replace(plane, position=np.array(grid.position(swapped.get(number, number)))))

    monkeypatch.setattr(dicom_seg, "position", wrong)
    (tmp_path / "a.dcm").write_bytes(b"before")
    with pytest.raises(GliomaskError, match="differs when read again"):
        write_dicom_seg(tmp_path / "a.dcm", made, sources, MAKER)
    assert (tmp_path / "a.dcm").read_bytes() == b"before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.dcm", "s"]
