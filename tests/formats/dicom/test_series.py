"""What belongs together in a mixture of files, and what is told of it."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import RLELossless

from gliomask.core.case import ImageFile
from gliomask.errors import FormatError
from gliomask.formats.dicom.magic import is_dicom
from gliomask.formats.dicom.read import read_series
from gliomask.formats.dicom.series import Survey, survey_files
from gliomask.formats.headers import image_header
from gliomask.formats.images import is_series, read_image, read_labels
from tests.formats.dicom.made import CORONAL, SAGITTAL, Plan, oblique, pixels, save, series

PLAN = Plan()


def survey(folder: Path) -> Survey:
    return survey_files(sorted(path for path in folder.rglob("*") if path.is_file()))


def test_two_series(tmp_path: Path) -> None:
    for number in (1, 2):
        save(tmp_path, series(PLAN, pixels(PLAN, number), number))
    found = survey(tmp_path).series
    assert [one.tags.series_number for one in found] == ["1", "2"]
    for number, one in enumerate(found, start=1):
        assert np.array_equal(
            read_series(one.image.paths)[0], pixels(PLAN, number).transpose(2, 1, 0)
        )


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    plan = replace(PLAN, directions=oblique(17))
    save(tmp_path, series(plan, pixels(plan)))
    paths = sorted(tmp_path.iterdir())
    for seed in range(20):
        (found,) = survey_files(random.Random(seed).sample(paths, len(paths))).series
        array, affine = read_series(random.Random(seed + 99).sample(paths, len(paths)))
        assert np.array_equal(array, pixels(plan).transpose(2, 1, 0))
        assert np.array_equal(affine, found.affine)


def test_two_patients_whose_series_have_one_uid(tmp_path: Path) -> None:
    for patient in ("A", "B"):
        save(tmp_path / patient, series(PLAN, pixels(PLAN), PatientID=patient))
    assert [one.tags.patient_id for one in survey(tmp_path).series] == ["A", "B"]


@pytest.mark.parametrize("shift", [0.5, 6.0], ids=["between", "above"])
@pytest.mark.parametrize(
    "other",
    [{"PatientName": "B"}, {"PatientBirthDate": "19990101"}, {"PatientSex": "F"}],
    ids=lambda other: next(iter(other)),
)
def test_slices_of_two_people_are_no_volume(
    tmp_path: Path, shift: float, other: dict[str, str]
) -> None:
    """One PatientID, as of anonymisers, and one SeriesInstanceUID."""
    known: dict[str, Any] = {"PatientName": "A", "PatientBirthDate": "19800101", "PatientSex": "M"}
    origin = (*PLAN.origin[:2], PLAN.origin[2] + shift * PLAN.step)
    save(tmp_path / "a", series(PLAN, pixels(PLAN), **known))
    second = series(replace(PLAN, origin=origin), pixels(PLAN), **{**known, **other})
    for dataset in second:
        dataset.SOPInstanceUID += ".9"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    save(tmp_path / "b", second)
    surveyed = survey(tmp_path)
    assert surveyed.series == ()
    assert f"({next(iter(other))}=several, allowed one)" in surveyed.refused[0].reason


def test_names_that_are_written_differently_are_of_one_person(tmp_path: Path) -> None:
    datasets = series(PLAN, pixels(PLAN), PatientName="Müller^Hans")
    datasets[2].PatientName, datasets[3].PatientName = "HANS MULLER", ""
    save(tmp_path, datasets)
    assert len(survey(tmp_path).series) == 1


@pytest.mark.parametrize("ending", [".dcm", ".IMA", ""])
@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", ": empty;"), (bytes(5000), ": damaged: it does not begin like a DICOM file;")],
    ids=["empty", "zeros"],
)
def test_a_destroyed_slice_at_the_end_is_missed(
    tmp_path: Path, ending: str, content: bytes, words: str
) -> None:
    datasets = series(PLAN, pixels(PLAN))
    save(tmp_path, datasets, ending)
    last = tmp_path / f"{(5 * 7 + 3) % 101:03d}-1{ending}"
    last.write_bytes(content)
    surveyed = survey(tmp_path)
    assert surveyed.series == ()
    damaged, incomplete = surveyed.refused
    assert damaged.files == (last,)
    assert words in damaged.reason
    assert f"(file={last.name})" in incomplete.reason
    last.unlink()
    assert len(survey(tmp_path).series) == 1


def test_other_files_beside_slices_are_no_slices(tmp_path: Path) -> None:
    save(tmp_path, series(PLAN, pixels(PLAN)), "")
    (tmp_path / "DONE").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("x")
    surveyed = survey(tmp_path)
    assert (len(surveyed.series), surveyed.refused, surveyed.skipped) == (1, (), 2)


def test_a_dual_echo_is_two_volumes(tmp_path: Path) -> None:
    """As in LGG-1p19qDeletion: proton density and T2 in one series, at the same positions."""
    early = series(PLAN, pixels(PLAN, 1), EchoTime=17.0)
    late = series(PLAN, pixels(PLAN, 2), EchoTime=102.0)
    for dataset in late:
        dataset.SOPInstanceUID += "0"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    save(tmp_path / "a", [*late, *early])
    found = sorted(survey(tmp_path).series, key=lambda one: one.tags.echo_time or 0)
    assert [one.tags.echo_time for one in found] == [17.0, 102.0]
    for seed, one in enumerate(found, start=1):
        array, _ = read_series(one.image.paths)
        assert np.array_equal(array, pixels(PLAN, seed).transpose(2, 1, 0))
    with pytest.raises(FormatError, match="several volumes in one series"):
        read_series([path for one in found for path in one.image.paths])


def test_a_localizer_of_three_planes_is_no_volume(tmp_path: Path) -> None:
    planes = []
    for n, directions in enumerate((PLAN.directions, SAGITTAL, CORONAL)):
        plan = replace(PLAN, directions=directions, slices=1)
        planes += series(plan, pixels(plan, n))
        planes[-1].SOPInstanceUID += f".{n}"
    save(tmp_path, planes)
    reasons = [one.reason for one in survey(tmp_path).refused]
    assert reasons == [
        "series 1 (Ax T2 FSE): a single slice is not a volume (slices=1, allowed 2 and more, or "
        "one with SpacingBetweenSlices); give all slices of the series"
    ] * len(planes)


@pytest.mark.parametrize("height", [1.0, 6.0, -50.0], ids=["at a slice", "between two", "apart"])
def test_a_localizer_of_another_size_in_the_series_is_no_slice_of_it(
    height: float, tmp_path: Path
) -> None:
    stack = series(PLAN, pixels(PLAN))
    scout = replace(PLAN, rows=24, columns=26, slices=1)
    (image,) = series(scout, pixels(scout, 9))
    first = np.array(stack[0].ImagePositionPatient, float)
    normal = np.array(stack[1].ImagePositionPatient, float) - first
    image.ImagePositionPatient = [*np.round(first + height / 4 * normal - [7.5, 8.5, 0], 4)]
    image.SOPInstanceUID += ".9"
    save(tmp_path, [*stack, image])
    found = survey(tmp_path)
    (volume,) = found.series
    assert np.array_equal(read_series(volume.image.paths)[0], pixels(PLAN).transpose(2, 1, 0))
    assert [len(refused.files) for refused in found.refused] == [1]
    assert "a single slice is not a volume" in found.refused[0].reason


def test_slices_of_another_size_that_continue_a_stack_refuse_it(tmp_path: Path) -> None:
    stack = series(PLAN, pixels(PLAN))
    for dataset in stack[-2:]:
        dataset.ImagePositionPatient = [
            float(x) + d for x, d in zip(dataset.ImagePositionPatient, (3, 3, 0), strict=True)
        ]
        dataset.PixelSpacing = [0.7, 0.7]
    save(tmp_path, stack)
    found = survey(tmp_path)
    assert not found.series
    assert "slices differ in spacing" in found.refused[0].reason


def test_an_image_in_two_transfer_syntaxes_is_read_once(tmp_path: Path) -> None:
    save(tmp_path / "plain", series(PLAN, pixels(PLAN)))
    packed = series(PLAN, pixels(PLAN))
    for dataset in packed[:3]:
        dataset.compress(RLELossless, generate_instance_uid=False)
    save(tmp_path / "packed", packed[:3])
    (volume,) = survey(tmp_path).series
    assert volume.notes == ("3 copies of files were left out",)
    assert np.array_equal(read_series(volume.image.paths)[0], pixels(PLAN).transpose(2, 1, 0))


def test_images_of_one_instance_with_other_pixels_are_no_copies(tmp_path: Path) -> None:
    save(tmp_path / "plain", series(PLAN, pixels(PLAN)))
    other = series(PLAN, pixels(PLAN, 7))[:1]
    other[0].compress(RLELossless, generate_instance_uid=False)
    save(tmp_path / "packed", other)
    found = survey(tmp_path)
    assert not found.series
    assert "several images at one position" in found.refused[0].reason


def test_kinds_of_image_are_kept_apart(tmp_path: Path) -> None:
    for n, kind in enumerate("MP"):
        image_type = ["ORIGINAL", "PRIMARY", kind, "ND"]
        datasets = series(PLAN, pixels(PLAN, n), ImageType=image_type)
        for dataset in datasets:
            dataset.SOPInstanceUID += str(n)
        save(tmp_path / kind, datasets)
    assert [one.tags.image_type[2] for one in survey(tmp_path).series] == ["M", "P"]


def test_tags_are_one_printable_line(tmp_path: Path) -> None:
    wild = "T2\r\nAx \x1b[31m<b>" + "x" * 40
    save(tmp_path, series(PLAN, pixels(PLAN), SeriesDescription=wild, ContrastBolusAgent=""))
    tags = survey(tmp_path).series[0].tags
    assert tags.description == "T2  Ax  [31m<b>" + "x" * 40
    assert tags.label == f"series 1 ({tags.description})"
    assert tags.contrast_agent == ""
    assert (tags.patient_id, tags.study_date, tags.field_strength) == ("P1", "20010203", 3.0)


def test_a_path_is_never_made_of_a_value(tmp_path: Path) -> None:
    hostile = "../../outside"
    datasets = series(PLAN, pixels(PLAN), PatientID=hostile, SeriesDescription="/etc/passwd")
    save(tmp_path / "in", datasets)
    found = survey(tmp_path).series[0]
    assert found.tags.patient_id == hostile
    assert {path.parent for path in found.image.paths} == {tmp_path / "in"}


def test_nothing_and_what_is_no_dicom(tmp_path: Path) -> None:
    assert survey_files([]) == Survey((), (), 0)
    (tmp_path / "a.dcm").write_text("x" * 1000)
    assert survey_files([tmp_path / "a.dcm"]) == Survey((), (), 1)
    assert not is_dicom(tmp_path / "absent")


def test_an_image_file_may_be_a_series(tmp_path: Path) -> None:
    save(tmp_path, series(PLAN, pixels(PLAN)), ending="")
    (found,) = survey(tmp_path).series
    assert is_series(found.image.paths)
    image = read_image(found.image)
    assert image.has_world
    assert np.array_equal(image.array, pixels(PLAN).transpose(2, 1, 0))
    with pytest.raises(FormatError, match="a DICOM series instead of a mask"):
        read_labels(found.image)
    header = image_header(found.image)
    assert header.shape == (12, 10, 6)
    assert np.array_equal(header.affine, image.affine)


def test_files_of_several_series_are_no_image(tmp_path: Path) -> None:
    for number in (1, 2):
        save(tmp_path, series(PLAN, pixels(PLAN, number), number))
    with pytest.raises(FormatError, match=r"files of several series \(SeriesInstanceUID=2"):
        read_image(ImageFile(tuple(sorted(tmp_path.iterdir()))))
