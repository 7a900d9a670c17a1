"""What makes a time point, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.labels import LabelArray
from gliomask.core.prediction import VolumeInterval
from gliomask.core.regions import REGIONS
from gliomask.errors import FormatError, InputError, QuestionError
from gliomask.formats.nifti import write_nifti
from gliomask.results.prediction.time_points import TimePoint, read_time_points
from tests.predictions import write_prediction


def mask(*values: int) -> LabelArray:
    """4 x 4 x 4 voxels that hold these values first."""
    flat = np.zeros(64, np.uint8)
    flat[: len(values)] = values
    return flat.reshape(4, 4, 4)


def write(path: Path, array: LabelArray) -> Path:
    """A mask alone."""
    write_nifti(path, array, AFFINE)
    return path


def predicted(folder: Path, array: LabelArray, **keys: Any) -> Path:
    """A mask of three regions as ``predict`` writes it, with its record."""
    return write_prediction(folder, array, AFFINE, regions=tuple(REGIONS), **keys)


def changed(folder: Path, **keys: Any) -> None:
    """Changes the record of the case in a folder, as no version of ``predict`` writes it."""
    path = folder / f"{folder.name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def read(*paths: Path, labels: Any = "auto") -> tuple[TimePoint, ...]:
    return read_time_points(paths, labels)


AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
VOXELS = {"whole": 4, "core": 3, "enhancing": 1}


def test_a_folder_of_predict(tmp_path: Path) -> None:
    predicted(
        tmp_path / "a",
        mask(1, 1, 2, 3),
        case="p-1",
        patient="p",
        study_date=date(2024, 2, 29),
        intervals={"whole": VolumeInterval((3, 5.5), (0.006, 0.011), 0.9, 10, calibrated=True)},
    )
    (tmp_path / "a" / "p-1_probability_core.nii.gz").write_bytes(b"")
    point, plain = read(tmp_path / "a", write(tmp_path / "b.nii", mask(1)))
    assert (point.name, point.patient, point.day) == ("p-1", "p", date(2024, 2, 29))
    assert point.regions == ("whole", "core", "enhancing")
    assert point.stated == {"whole": (0.006, 0.011)}
    assert point.threshold == 0.5
    assert list(point.probabilities) == ["core"]
    assert (plain.name, plain.regions, plain.day) == ("b", ("whole",), None)


def test_the_numbers_of_all_unexplained_masks_tell_together(tmp_path: Path) -> None:
    one = write(tmp_path / "a.nii", mask(1, 2))
    other = write(tmp_path / "b.nii", mask(4, 2))
    first, second = read(one, other)
    assert first.explanation == "labels: BraTS 2017-2022, from the numbers in the masks (1, 2, 4)"
    assert second.mask.max() == 3
    with pytest.raises(FormatError, match="label 4"):
        read(one, other, labels="brats2023")
    assert read(one, other, labels="binary")[0].regions == ("whole",)


def test_names_are_told_apart(tmp_path: Path) -> None:
    paths = [write(tmp_path / place / "x_mask.nii.gz", mask(1)) for place in ("a/m", "b/m", "b/n")]
    assert [one.name for one in read(*paths[1:])] == ["m/x", "n/x"]
    assert [one.name for one in read(*paths)] == ["1: m/x", "2: m/x", "3: n/x"]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"voxels": {**VOXELS, "core": 2}}, "belongs to another mask: 2 voxels"),
        ({"voxels": {"liver": 1}}, "not the mask of its JSON record"),
        ({"study_date": "May"}, "study_date"),
        ({"volumes_ml_90": {"whole": [3, 2]}}, "not an interval"),
        ({"volumes_ml_90": {"whole": ["a", "b"]}}, r"volumes_ml_90\.whole\.0"),
        ({"volumes_ml_90": {"whole": 3}}, r"volumes_ml_90\.whole"),
        ({"volumes_ml_90": None}, "volumes_ml_90"),
        ({"form": "gliomask case 2"}, "predict the examination again"),
        ({"liver": 1}, "liver"),
    ],
)
def test_a_record_that_can_not_be_that_of_the_mask(
    tmp_path: Path, keys: dict[str, Any], problem: str
) -> None:
    changed(predicted(tmp_path / "p", mask(1, 1, 2, 3)), **keys)
    with pytest.raises(FormatError, match=problem):
        read(tmp_path / "p")


def test_a_prediction_without_an_interval_states_none(tmp_path: Path) -> None:
    assert not read(predicted(tmp_path / "p", mask(1, 1, 2, 3)))[0].stated


def test_a_damaged_record(tmp_path: Path) -> None:
    path = write(tmp_path / "p_mask.nii.gz", mask(1))
    path.with_name("p.json").write_text("{")
    with pytest.raises(FormatError, match="not JSON"):
        read(path)
    path.with_name("p.json").write_text("[]")  # of some other tool
    assert read(path)[0].explanation == "labels: tumour or not, from the number in the masks (1)"


def test_doubtful_numbers_are_asked_about_unless_a_prediction_explains_them(tmp_path: Path) -> None:
    one = write(tmp_path / "a.nii", mask(1, 2, 3))
    with pytest.raises(QuestionError, match=r"`\.\.\. labels=brats2023`"):
        read(one, write(tmp_path / "b.nii", mask(1, 2)))
    ours = predicted(tmp_path / "p", mask(1, 1, 2, 3))
    _, point = read(ours, one)
    assert (
        point.explanation == "labels: parts of the tumour, same as the masks they are compared with"
    )
    assert point.mask.ravel()[:3].tolist() == [1, 2, 3]


def test_names_tell_the_challenge(tmp_path: Path) -> None:
    (point,) = read(write(tmp_path / "BraTS-PED-00001-000-seg.nii.gz", mask(4, 2, 1)))
    assert point.mask.ravel()[:3].tolist() == [2, 1, 3]


def test_what_is_no_time_point(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "x_mask.nii.gz", mask(1))
    with pytest.raises(InputError, match="given twice"):
        read(path, tmp_path / "a")
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(InputError, match="not a mask volume"):
        read(tmp_path / "a.txt")
    with pytest.raises(InputError, match="predict writes one"):
        read(tmp_path)
    write(tmp_path / "a" / "y_mask.nii.gz", mask(1))
    with pytest.raises(
        InputError, match=r"x_mask\.nii\.gz, y_mask\.nii\.gz.*give the path of the mask"
    ):
        read(tmp_path / "a")
