"""The complete pipeline from synthetic patients to a mask, as a user runs it, only smaller."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gliomask.errors import InputError
from gliomask.formats.nifti import read_nifti, read_nifti_labels
from gliomask.phantom.cohort import write_cohort
from gliomask.phantom.options import PatientOptions
from gliomask.workflows.demo import DemoOptions, DemoResult, demo

RECIPE = """
name: smallest
network: u2net-tiny
input: {size: 32, dropout: 0.2}
sampling: {tumour_share: 0.7, slices: 32}
epochs: 2
batch_size: 8
"""


SMALL = PatientOptions(matrix=48, slices=12, slice_mm=12.0)


@pytest.fixture(
    scope="module",
    params=[SMALL, pytest.param(PatientOptions(), marks=pytest.mark.slow)],
    ids=["small images", "images of the demo"],
)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DemoResult]:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "recipe.yaml").write_text(RECIPE)
    options = DemoOptions(out=folder / "out", patients=8, recipe=str(folder / "recipe.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        cohort = partial(write_cohort, options=request.param)
        patch.setattr("gliomask.workflows.demo.write_cohort", cohort)
        yield demo(options)


def test_everything_to_look_at_is_there(made: DemoResult) -> None:
    assert sum(made.patients) == 8
    assert all(path.exists() for path, _ in made.look_at)
    assert len(made.look_at) == 6
    assert (made.out / "run" / "figures" / "curves.png").stat().st_size > 10_000


def test_everything_says_that_it_is_synthetic(made: DemoResult) -> None:
    assert json.loads((made.out / "summary.json").read_text())["synthetic"] is True
    assert json.loads((made.out / "run" / "card.json").read_text())["synthetic"] is True
    assert json.loads((made.out / "evaluation" / "summary.json").read_text())["synthetic_data"]
    assert json.loads((made.out / "store" / "manifest.json").read_text())["synthetic"] is True


def test_the_mask_lies_on_the_scan_s_own_grid(made: DemoResult) -> None:
    (mask_path,) = (made.out / "prediction").glob("*_mask.nii.gz")
    scan_path = next((made.out / "new").rglob("*_flair.nii.gz"))
    mask, affine = read_nifti_labels(mask_path)
    scan, scan_affine = read_nifti(scan_path)
    assert mask.shape == scan.shape
    np.testing.assert_array_equal(affine, scan_affine)
    assert set(np.unique(mask)) <= {0, 1}


def test_held_out_patients_are_those_of_the_split(made: DemoResult) -> None:
    split = json.loads((made.out / "store" / "split.json").read_text())
    with (made.out / "evaluation" / "metrics.csv").open() as file:
        judged = {row["patient"] for row in csv.DictReader(file)}
    assert judged == set(split["test"])
    summary = json.loads((made.out / "evaluation" / "summary.json").read_text())
    assert summary["in_training"] == []
    assert summary["warnings"] == []
    assert summary["dice"]["whole"]["mean"] == pytest.approx(made.test_dice)


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="something other than a demo"):
        demo(DemoOptions(out=tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]
