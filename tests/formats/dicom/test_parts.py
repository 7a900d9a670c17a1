"""A series that its scanner cut up: put together or refused, never read with half of its slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from gliomask.formats.dicom.read import read_series
from gliomask.formats.dicom.series import Survey, survey_files
from tests.formats.dicom.enhanced import Part, enhanced, write
from tests.formats.dicom.made import Plan, pixels, save, series

PLAN = Plan(slices=8)
ND = ["ORIGINAL", "PRIMARY", "M", "ND"]
NORM = ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"]


def cut(tmp_path: Path, change: Callable[[Dataset, int], None], keep: Sequence[int] = ()) -> Survey:
    slices = series(PLAN, pixels(PLAN))
    for k, dataset in enumerate(slices):
        change(dataset, k)
    return looked(tmp_path, [slices[k] for k in keep or range(len(slices))])


def looked(folder: Path, slices: Sequence[Dataset]) -> Survey:
    save(folder, slices)
    return survey_files(sorted(folder.iterdir()))


def echo(times: Sequence[float]) -> Callable[[Dataset, int], None]:
    def change(dataset: Dataset, k: int) -> None:
        dataset.EchoTime = times[k % len(times)]

    return change


def kind(dataset: Dataset, k: int) -> None:
    dataset.ImageType = NORM if k % 2 else ND


def later_half(dataset: Dataset, k: int) -> None:
    dataset.EchoTime = 98.0 if k < 4 else 98.2


def drifting(dataset: Dataset, k: int) -> None:
    dataset.EchoTime = 98.0 + 0.1 * k


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (echo([98.0, 98.2]), "echo times of 98 to 98.2 ms"),
        (echo([98.0, 100.0, 102.0]), "echo times of 98 to 102 ms"),
        (echo([98.0, 98.0, 98.2]), "echo times of 98 to 98.2 ms"),
        (kind, "2 kinds of ImageType"),
        (later_half, "echo times of 98 to 98.2 ms"),
        (drifting, "echo times of 98 to 98.7 ms"),
    ],
)
def test_slices_of_one_volume_are_one_volume(
    change: Callable[[Dataset, int], None], note: str, tmp_path: Path
) -> None:
    found = cut(tmp_path, change)
    (only,) = found.series
    assert only.shape == (12, 10, 8)
    assert np.linalg.norm(only.affine[:3, 2]) == pytest.approx(5.0)
    assert only.notes == (f"one volume of slices with {note}",)
    assert not found.refused
    array, affine = read_series(only.image.paths, only.image.channel)
    assert np.array_equal(array, pixels(PLAN).transpose(2, 1, 0))
    assert np.allclose(affine, only.affine)


def mixed(dataset: Dataset, k: int) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "P", "ND"] if k % 2 else ND


def turned(dataset: Dataset, k: int) -> None:
    lean = 0.02 if k % 2 else 0.0
    dataset.ImageOrientationPatient = [
        np.cos(lean),
        np.sin(lean),
        0,
        -np.sin(lean),
        np.cos(lean),
        0,
    ]


@pytest.mark.parametrize(
    ("change", "keep"),
    [
        (echo([17.0, 98.0]), ()),
        (mixed, ()),
        (turned, ()),
        # One slice is missing: a half is even all the same, and would pass for the volume.
        (echo([98.0, 98.2]), (0, 1, 2, 4, 5, 6, 7)),
    ],
)
def test_parts_that_lie_between_each_other_are_refused(
    change: Callable[[Dataset, int], None], keep: Sequence[int], tmp_path: Path
) -> None:
    found = cut(tmp_path, change, keep)
    assert not found.series
    (refused,) = found.refused
    assert "its parts interleave and do not form an evenly spaced volume" in refused.reason
    assert len(refused.files) == len(keep or range(8))


def test_echoes_that_are_cut_up_are_two_volumes_all_the_same(tmp_path: Path) -> None:
    early, late = series(PLAN, pixels(PLAN, 1)), series(PLAN, pixels(PLAN, 2))
    for k in range(PLAN.slices):
        early[k].EchoTime, late[k].EchoTime = 17.0 + 0.2 * (k % 2), 98.0 + 0.2 * (k % 2)
        late[k].SOPInstanceUID += "0"
    found = looked(tmp_path, [*early, *late])
    assert [one.shape[2] for one in found.series] == [8, 8]
    by_echo = sorted(found.series, key=lambda one: one.tags.echo_time or 0)
    for number, one in enumerate(by_echo, 1):
        array, _ = read_series(one.image.paths, one.image.channel)
        assert np.array_equal(array, pixels(PLAN, number).transpose(2, 1, 0))


def test_frames_of_one_file_that_are_cut_up(tmp_path: Path) -> None:
    stored = pixels(PLAN)
    even = replace(PLAN, step=10.0, slices=4)
    odd = replace(even, origin=(-31.5, 17.25, -35.0))
    parts = [Part(even, stored[::2], echo=98.0), Part(odd, stored[1::2], echo=98.2)]
    path = write(tmp_path / "a.dcm", enhanced(parts))
    (only,) = survey_files([path]).series
    assert only.image.channel is None
    array, affine = read_series((path,))
    assert np.array_equal(array, stored.transpose(2, 1, 0))
    assert np.allclose(affine, only.affine)


def test_stacks_apart_from_each_other_stay_two(tmp_path: Path) -> None:
    """Slabs of two echo times with a gap between them, and slabs beside each other."""
    above = replace(PLAN, origin=(-31.5, 17.25, 40.0))
    beside = replace(PLAN, origin=(60.0, 17.25, -37.5))
    for name, other in (("above", above), ("beside", beside)):
        first, second = (
            series(PLAN, pixels(PLAN, 1)),
            series(other, pixels(other, 2), EchoTime=98.2),
        )
        for dataset in second:
            dataset.SOPInstanceUID += "0"
        found = looked(tmp_path / name, [*first, *second])
        assert [one.shape[2] for one in found.series] == [8, 8], name
