from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.geometry import orientation, to_reading
from gliomask.core.regions import region_masks
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.errors import ConfigError, InputError, MachineError
from gliomask.jobs.control import Control
from gliomask.phantom.cohort import LAYOUTS, MARKER, write_cohort
from gliomask.phantom.options import PatientOptions
from gliomask.phantom.patient import synthetic_patient


class Listener:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.total, self.done = 0.0, 0.0

    def start(self, total: float, what: str) -> None:
        self.total = total

    def advance(self, steps: float = 1, note: str = "") -> None:
        self.done += steps


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.slow  # tests/contract/test_readers.py shows the same
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "figshare_cheng"])
def test_our_readers_read_every_layout(layout: str, tmp_path: Path, small: PatientOptions) -> None:
    found = find_cases(write_cohort(tmp_path / "set", layout, 1, 11, options=small))
    assert (len(found.cases), found.problems) == (1, ())
    case = found.cases[0]
    assert case.synthetic
    volume, labels = load_case(case)
    assert labels is not None
    assert volume.array.shape[1:] == labels.shape
    _, expected = synthetic_patient(11, small)
    grid = small.grid
    whole = to_reading(region_masks(expected, ("whole",))[0], orientation(grid.affine))
    read = to_reading(region_masks(labels, ("whole",))[0], orientation(volume.affine))
    kept = read.any(axis=(1, 2)) if case.sparse else np.ones(len(whole), bool)
    assert (read[kept] == whole[kept]).all()
    assert kept.sum() == (3 if case.sparse else small.slices)


def test_our_reader_reads_the_one_slice_of_the_figshare_layout(
    tmp_path: Path, small: PatientOptions
) -> None:
    (case,) = find_cases(
        write_cohort(tmp_path / "set", "figshare_cheng", 1, 11, options=small)
    ).cases
    assert case.synthetic
    volume, labels = load_case(case)
    assert labels is not None
    _, expected = synthetic_patient(11, small)
    core = to_reading(region_masks(expected, ("core",))[0], orientation(small.grid.affine))
    largest = core[np.argmax(core.sum(axis=(1, 2)))]
    read = to_reading(region_masks(labels, ("core",))[0], orientation(volume.affine))
    assert largest.any()
    assert read.shape == (1, *largest.shape)
    assert (read[0] == largest).all()


def test_the_marker_says_what_the_files_are(tmp_path: Path, small: PatientOptions) -> None:
    listener = Listener()
    root = write_cohort(tmp_path / "set", "table", 2, 3, options=small, control=Control(listener))
    text = (root / MARKER).read_text(encoding="utf-8")
    assert "No patient was scanned" in text
    assert "seed: 3" in text
    assert listener.total == 2
    assert listener.done == pytest.approx(2)


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path, small: PatientOptions) -> None:
    one = write_cohort(tmp_path / "one", "brats", 2, 5, options=small)
    again = write_cohort(tmp_path / "again", "brats", 2, 5, options=small)
    other = write_cohort(tmp_path / "other", "brats", 2, 6, options=small)
    assert content(one) == content(again)
    image = "BraTS2021_90001/BraTS2021_90001_flair.nii.gz"
    assert content(one)[image] != content(other)[image]


def test_more_patients_leave_the_first_as_they_were(tmp_path: Path, small: PatientOptions) -> None:
    one = content(write_cohort(tmp_path / "one", "nnunet", 1, 5, options=small))
    two = content(write_cohort(tmp_path / "two", "nnunet", 2, 5, options=small))
    assert {name for name in one if one[name] != two[name]} == {MARKER, "dataset.json"}


def test_an_unknown_layout_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'lgg_kaggle'"):
        write_cohort(tmp_path / "set", "lgg_kagle", 1, 0)


@pytest.mark.parametrize(("patients", "seed"), [(0, 0), (1000, 0), (1, -1)])
def test_numbers_out_of_range(tmp_path: Path, patients: int, seed: int) -> None:
    with pytest.raises(ConfigError, match="out of range"):
        write_cohort(tmp_path / "set", "brats", patients, seed)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_overwritten(tmp_path: Path, small: PatientOptions) -> None:
    (tmp_path / "mine").write_text("precious", encoding="utf-8")
    for place in (tmp_path, tmp_path / "mine"):
        with pytest.raises(InputError, match=r"not empty|not a folder"):
            write_cohort(place, "brats", 1, 0, options=small)
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "precious"


def test_a_failure_leaves_nothing(
    tmp_path: Path, small: PatientOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("gliomask.phantom.cohort.synthetic_patient", broken)
    with pytest.raises(MachineError, match="set: can't be written: disk full"):
        write_cohort(tmp_path / "set", "brats", 1, 0, options=small)
    assert list(tmp_path.iterdir()) == []
