"""What makes a time point, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.labels import LabelArray
from gliomask.errors import FormatError, InputError, QuestionError
from gliomask.formats.nifti import write_nifti
from gliomask.results.prediction.time_points import TimePoint, read_time_points


def mask(*values: int) -> LabelArray:
    """4 x 4 x 4 voxels that hold these values first."""
    flat = np.zeros(64, np.uint8)
    flat[: len(values)] = values
    return flat.reshape(4, 4, 4)


def write(path: Path, array: LabelArray, **keys: Any) -> Path:
    """A mask, and the figures of its prediction if there are any."""
    write_nifti(path, array, np.diag([1.0, 1.0, 2.0, 1.0]))
    if keys:
        path.with_name(path.name.replace("_mask.nii.gz", ".json")).write_text(json.dumps(keys))
    return path


def read(*paths: Path, labels: Any = "auto") -> tuple[TimePoint, ...]:
    return read_time_points(paths, labels)


VOXELS = {"whole": 4, "core": 3, "enhancing": 1}


def test_a_folder_of_predict(tmp_path: Path) -> None:
    keys = {
        "voxels": VOXELS,
        "patient": "p",
        "date": "2024-02-29",
        "volumes_ml_90": {"whole": [0.006, 0.011]},
        "provenance": {"threshold": 0.4},
    }
    write(tmp_path / "a" / "p-1_mask.nii.gz", mask(1, 1, 2, 3), **keys)
    (tmp_path / "a" / "p-1_probability_core.nii.gz").write_bytes(b"")
    point, plain = read(tmp_path / "a", write(tmp_path / "b.nii", mask(1)))
    assert (point.name, point.patient, point.day) == ("p-1", "p", date(2024, 2, 29))
    assert point.regions == ("whole", "core", "enhancing")
    assert point.stated == {"whole": (0.006, 0.011)}
    assert point.threshold == 0.4
    assert list(point.probabilities) == ["core"]
    assert (plain.name, plain.regions, plain.day) == ("b", ("whole",), None)


def test_the_numbers_of_all_unexplained_masks_tell_together(tmp_path: Path) -> None:
    one = write(tmp_path / "a.nii", mask(1, 2))
    other = write(tmp_path / "b.nii", mask(4, 2))
    first, second = read(one, other)
    assert first.explanation == "labels: BraTS 2017-2022, by the numbers in the masks (1, 2, 4)"
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
        ({"voxels": {**VOXELS, "core": 2}}, "of another mask: 2 voxels"),
        ({"voxels": {"liver": 1}}, "not a mask that predict wrote"),
        ({"voxels": VOXELS, "date": "May"}, "YYYY-MM-DD"),
        ({"voxels": VOXELS, "volumes_ml_90": {"whole": [3, 2]}}, "no interval"),
        ({"voxels": VOXELS, "volumes_ml_90": {"whole": ["a", "b"]}}, "no interval"),
        ({"voxels": VOXELS, "volumes_ml_90": {"whole": 3}}, "no interval"),
    ],
)
def test_figures_that_can_not_be_those_of_the_mask(
    tmp_path: Path, keys: dict[str, Any], problem: str
) -> None:
    path = write(tmp_path / "p_mask.nii.gz", mask(1, 1, 2, 3), **keys)
    with pytest.raises(FormatError, match=problem):
        read(path)


def test_a_prediction_without_an_interval_states_none(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"voxels": VOXELS, "volumes_ml_90": {"whole": None}}
    assert not read(write(tmp_path / "p_mask.nii.gz", mask(1, 1, 2, 3), **keys))[0].stated
    keys["volumes_ml_90"] = None
    assert not read(write(tmp_path / "p_mask.nii.gz", mask(1, 1, 2, 3), **keys))[0].stated


def test_damaged_figures(tmp_path: Path) -> None:
    path = write(tmp_path / "p_mask.nii.gz", mask(1), a=1)
    path.with_name("p.json").write_text("{")
    with pytest.raises(FormatError, match="not JSON"):
        read(path)
    path.with_name("p.json").write_text("[]")  # of some other tool
    assert read(path)[0].explanation == "labels: tumour or not, by the number in the masks (1)"


def test_doubtful_numbers_are_asked_about_unless_a_prediction_explains_them(tmp_path: Path) -> None:
    one = write(tmp_path / "a.nii", mask(1, 2, 3))
    with pytest.raises(QuestionError, match="labels='brats2023'"):
        read(one, write(tmp_path / "b.nii", mask(1, 2)))
    ours = write(tmp_path / "p_mask.nii.gz", mask(1, 1, 2, 3), voxels=VOXELS)
    _, point = read(ours, one)
    assert point.explanation == "labels: parts of the tumour, as the masks they are compared with"
    assert point.mask.ravel()[:3].tolist() == [1, 2, 3]


def test_names_tell_the_challenge(tmp_path: Path) -> None:
    (point,) = read(write(tmp_path / "BraTS-PED-00001-000-seg.nii.gz", mask(4, 2, 1)))
    assert point.mask.ravel()[:3].tolist() == [2, 1, 3]


def test_what_is_no_time_point(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "x_mask.nii.gz", mask(1))
    with pytest.raises(InputError, match="named twice"):
        read(path, tmp_path / "a")
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(InputError, match="not a mask volume"):
        read(tmp_path / "a.txt")
    with pytest.raises(InputError, match="predict writes one"):
        read(tmp_path)
    write(tmp_path / "a" / "y_mask.nii.gz", mask(1))
    with pytest.raises(InputError, match=r"x_mask\.nii\.gz, y_mask\.nii\.gz.*name the mask itself"):
        read(tmp_path / "a")
