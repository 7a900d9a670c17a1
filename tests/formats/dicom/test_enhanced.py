"""Enhanced MR Images: one file, one volume or several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from gliomask.core.case import ImageFile
from gliomask.errors import FormatError
from gliomask.formats.dicom.read import read_series
from gliomask.formats.dicom.series import survey_files
from gliomask.formats.headers import image_header
from gliomask.formats.images import read_images
from tests.formats.dicom.enhanced import Part, enhanced, write
from tests.formats.dicom.made import (
    CORONAL,
    SAGITTAL,
    Plan,
    assert_same_in_world,
    by_dcm2niix,
    oblique,
    pixels,
)

PLAN = Plan()


@pytest.mark.parametrize("directions", [PLAN.directions, SAGITTAL, CORONAL, oblique(21)])
def test_one_volume(directions: tuple[float, ...], tmp_path: Path) -> None:
    plan = replace(PLAN, directions=directions)
    stored = pixels(plan)
    path = write(tmp_path / "in" / "a", enhanced([Part(plan, stored)], [3, 1, 5, 0, 2, 4]))
    (found,) = survey_files([path]).series
    assert found.image == ImageFile((path,))
    array, affine = read_series((path,))
    assert np.array_equal(array, stored.transpose(2, 1, 0))
    assert np.allclose((affine @ (11, 9, 5, 1))[:3], plan.world(11, 9, 5), atol=1e-6)
    (judged,) = by_dcm2niix(tmp_path / "in", tmp_path / "out")
    assert_same_in_world(array, affine, *judged)


def test_its_tags(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", enhanced([Part(PLAN, pixels(PLAN), echo=101.5)]))
    tags = survey_files([path]).series[0].tags
    timing = (tags.echo_time, tags.repetition_time, tags.inversion_time, tags.slice_thickness)
    assert timing == (101.5, 4000.0, 2400.0, 3.5)
    assert tags.scanning_sequence == ("SE", "IR")
    assert tags.image_type == ("ORIGINAL", "PRIMARY", "M", "NONE", "MAGNITUDE")


def test_its_diffusion_and_its_part_of_the_body(tmp_path: Path) -> None:
    dataset = enhanced([Part(PLAN, pixels(PLAN))])
    (shared,) = dataset.SharedFunctionalGroupsSequence
    region, anatomy, diffusion = Dataset(), Dataset(), Dataset()
    region.CodeMeaning, anatomy.AnatomicRegionSequence = "Cervical spine", [region]
    diffusion.DiffusionBValue = 1000.0
    shared.FrameAnatomySequence, shared.MRDiffusionSequence = [anatomy], [diffusion]
    tags = survey_files([write(tmp_path / "a.dcm", dataset)]).series[0].tags
    assert (tags.body_part, tags.b_value) == ("Cervical spine", 1000.0)


def test_two_echoes_and_two_stacks(tmp_path: Path) -> None:
    other = replace(PLAN, origin=(3.0, 4.0, 300.0))
    parts = [
        Part(PLAN, pixels(PLAN, 1), echo=14.0),
        Part(PLAN, pixels(PLAN, 2), echo=98.0),
        Part(other, pixels(other, 3), echo=98.0, stack="2"),
    ]
    interleaved = [n + 6 * part for n in range(6) for part in range(3)]
    path = write(tmp_path / "a.dcm", enhanced(parts, interleaved))
    found = survey_files([path]).series
    assert [one.image.channel for one in found] == [0, 1, 2]
    assert [one.tags.echo_time for one in found] == [14.0, 98.0, 98.0]
    images = read_images([one.image for one in found])
    for part, image, one in zip(parts, images, found, strict=True):
        assert np.array_equal(image.array, part.stored.transpose(2, 1, 0))
        assert np.allclose(image.affine[:3, 3], part.plan.world(0, 0, 0))
        assert np.array_equal(image_header(one.image).affine, image.affine)
    with pytest.raises(FormatError, match=r"several volumes in one series.*volumes=3"):
        read_series((path,))
    with pytest.raises(FormatError, match=r"no such volume \(channel=3, allowed 0 to 2\)"):
        read_series((path,), 3)


def test_frames_are_scaled_each(tmp_path: Path) -> None:
    part = Part(PLAN, pixels(PLAN), scale=(0.25, -3.0))
    array, _ = read_series((write(tmp_path / "a.dcm", enhanced([part])),))
    assert np.array_equal(array, (part.stored * 0.25 - 3).transpose(2, 1, 0))


def test_a_volume_in_two_files(tmp_path: Path) -> None:
    """Frames are put together across files."""
    stored = pixels(PLAN)
    whole = [Part(PLAN, stored)]
    paths = [write(tmp_path / str(n), enhanced(whole, range(n * 3, n * 3 + 3))) for n in (0, 1)]
    for path, number in zip(paths, "12", strict=True):
        _rename(path, number)
    (found,) = survey_files(paths).series
    assert np.array_equal(read_series(found.image.paths)[0], stored.transpose(2, 1, 0))


def test_fewer_headers_than_frames(tmp_path: Path) -> None:
    dataset = enhanced([Part(PLAN, pixels(PLAN))])
    del dataset.PerFrameFunctionalGroupsSequence[2]
    (refused,) = survey_files([write(tmp_path / "a.dcm", dataset)]).refused
    told = "not a header for each frame (PerFrameFunctionalGroupsSequence=5, allowed 6 items)"
    assert told in refused.reason


def test_a_frame_without_position(tmp_path: Path) -> None:
    dataset = enhanced([Part(PLAN, pixels(PLAN))])
    del dataset.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    (refused,) = survey_files([write(tmp_path / "a.dcm", dataset)]).refused
    assert "frame 3: a field is missing (ImagePositionPatient=nothing)" in refused.reason


def test_frames_that_are_not_there(tmp_path: Path) -> None:
    dataset = enhanced([Part(PLAN, pixels(PLAN))])
    dataset.NumberOfFrames = 200000
    (refused,) = survey_files([write(tmp_path / "a.dcm", dataset)]).refused
    assert "NumberOfFrames=200000, allowed 0 to 10000" in refused.reason


def test_too_many_kinds(tmp_path: Path) -> None:
    parts = [Part(replace(PLAN, slices=1), pixels(PLAN)[:1], echo=n) for n in range(65)]
    (refused,) = survey_files([write(tmp_path / "a.dcm", enhanced(parts))]).refused
    assert "too many echoes, kinds or orientations" in refused.reason


def _rename(path: Path, number: str) -> None:
    """Another SOPInstanceUID of the same length."""
    content = path.read_bytes()
    path.write_bytes(content.replace(b"498.1.1.1", b"498.1.1." + number.encode()))
